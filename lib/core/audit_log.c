/* SPDX-License-Identifier: BSD-2-Clause */
/* auditd's log, read event by event. */
#include <breakglass/audit_log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENRICHED '\x1d' /* behind it auditd says in words what it said in numbers */

bool bg_audit_line_id(const char *line, char ret[static BG_AUDIT_ID_LEN], int64_t *ret_ms)
{
	const char *p = strstr(line, "msg=audit(");
	size_t len = p ? strcspn(p + 10, ")") : 0;
	unsigned long long secs, part = 0;
	char *end;

	if (len == 0 || len >= BG_AUDIT_ID_LEN)
		return false;
	memcpy(ret, p + 10, len);
	ret[len] = '\0';
	secs = strtoull(ret, &end, 10);
	if (secs >= INT64_MAX / 1000)
		return false;
	if (*end == '.')
		part = strtoull(end + 1, NULL, 10) % 1000;
	*ret_ms = (int64_t)(secs * 1000 + part);
	return true;
}

/* Of a value that begins at p, its quotes included. */
static size_t value_len(const char *p)
{
	size_t len;

	if (*p != '"')
		return strcspn(p, " \x1d\n");
	len = 1 + strcspn(p + 1, "\"");
	return len + (p[len] == '"'); /* a line that was cut has no second one */
}

/* The value of " NAME=", up to its end; NULL: not there. */
static const char *value_of(const char *line, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);
	const char *p = line;

	while ((p = strstr(p, name)) != NULL && *p != '\0') {
		if (p > line && p[-1] == ' ' && p[name_len] == '=') {
			p += name_len + 1;
			*ret_len = value_len(p);
			return p;
		}
		p += name_len;
	}
	return NULL;
}

static void put_plain(const char *line, const char *name, char *ret, size_t size)
{
	size_t len = 0;
	const char *p = value_of(line, name, &len);

	(void)snprintf(ret, size, "%.*s", p ? (int)len : 0, p ? p : "");
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What auditd could not write as it is stands there as hex digits, in capitals. At most size - 1
   bytes. */
static void decode(const char *p, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	if (*p == '"') {
		len -= len >= 2 && p[len - 1] == '"' ? 2 : 1;
		(void)snprintf(ret, size, "%.*s", (int)len, p + 1);
		return;
	}
	while (2 * n + 1 < len && n + 1 < size && digit(p[2 * n]) >= 0 &&
		digit(p[2 * n + 1]) >= 0) {
		ret[n] = (char)(16 * digit(p[2 * n]) + digit(p[2 * n + 1]));
		if (ret[n] == '\0')
			ret[n] = ' '; /* no text holds a NUL */
		n++;
	}
	ret[n] = '\0';
	if (2 * n != len && n + 1 < size)
		(void)snprintf(ret, size, "%.*s", (int)len, p);
}

static void put_text(const char *line, const char *name, char *ret, size_t size)
{
	size_t len = 0;
	const char *p = value_of(line, name, &len);

	ret[0] = '\0';
	if (p && strncmp(p, "(null)", 6) != 0)
		decode(p, len, ret, size);
}

static void append(struct bg_audit_event *event, const char *text)
{
	static const char cut[] = "…";
	size_t len = event->is_cut ? 0 : strlen(event->args), more = strlen(text);

	if (event->is_cut)
		return;
	event->is_cut = len + more + sizeof(cut) > sizeof(event->args);
	if (event->is_cut)
		memcpy(event->args + len, cut, sizeof(cut)); /* room was left for it */
	else
		memcpy(event->args + len, text, more + 1);
}

static void append_quoted(struct bg_audit_event *event, const char *arg)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:=@%+,-";
	char one[2] = "";

	if (*arg != '\0' && arg[strspn(arg, plain)] == '\0') {
		append(event, arg);
		return;
	}
	append(event, "'");
	for (; *arg != '\0'; arg++) {
		one[0] = *arg;
		append(event, *arg == '\'' ? "'\\''" : one);
	}
	append(event, "'");
}

/* a0="ls" a1=2D6C; a long one is a2_len=9000 a2[0]=… a2[1]=…, over several records. */
static void take_args(struct bg_audit_event *event, const char *line)
{
	const char *p = strstr(line, " argc=");
	char arg[BG_AUDIT_ARGS_LEN];

	if (!p)
		p = strchr(line, ')');
	while (p && (p = strstr(p, " a")) != NULL) {
		char *end;
		unsigned long piece = 0;
		size_t len;

		p += 2;
		(void)strtoul(p, &end, 10);
		if (end == p)
			continue;
		if (*end == '[') {
			piece = strtoul(end + 1, &end, 10);
			end += *end == ']';
		}
		if (*end != '=')
			continue;
		p = end + 1;
		len = value_len(p);
		decode(p, len, arg, sizeof(arg));
		if (event->args[0] && piece == 0)
			append(event, " ");
		append_quoted(event, arg);
		p += len;
	}
}

static void take_path(struct bg_audit_event *event, const char *line)
{
	size_t i = event->path_count;

	if (i == BG_AUDIT_PATHS_MAX) {
		event->path_dropped++;
		return;
	}
	put_text(line, "name", event->paths[i].name, sizeof(event->paths[i].name));
	put_plain(line, "nametype", event->paths[i].type, sizeof(event->paths[i].type));
	event->path_count += event->paths[i].name[0] != '\0';
}

static void take_call(struct bg_audit_event *event, const char *line)
{
	char word[16];

	event->has_call = true;
	put_plain(line, "success", word, sizeof(word));
	event->is_success = strcmp(word, "yes") == 0;
	put_plain(line, "auid", word, sizeof(word));
	event->auid = (uint32_t)strtoul(word, NULL, 10);
	put_plain(line, "uid", event->uid, sizeof(event->uid));
	put_plain(line, "ses", event->session, sizeof(event->session));
	put_text(line, "exe", event->program, sizeof(event->program));
	put_text(line, "key", event->key, sizeof(event->key));
}

static void finish(struct bg_audit_reader *reader, struct bg_audit_event *event)
{
	if (event->id[0] != '\0')
		reader->on_event(reader->arg, event);
	memset(event, 0, sizeof(*event));
}

static struct bg_audit_event *find(struct bg_audit_reader *reader, const char *id, int64_t ms)
{
	struct bg_audit_event *event;

	for (size_t i = 0; i < BG_AUDIT_OPEN; i++)
		if (strcmp(reader->open[i].id, id) == 0)
			return &reader->open[i];
	event = &reader->open[reader->next];
	reader->next = (reader->next + 1) % BG_AUDIT_OPEN;
	finish(reader, event);
	memcpy(event->id, id, BG_AUDIT_ID_LEN);
	event->ms = ms;
	return event;
}

/* auditd.conf's name_format puts the host before each record. */
static const char *skip_node(const char *line)
{
	const char *end = strncmp(line, "node=", 5) == 0 ? strchr(line, ' ') : NULL;

	return end ? end + 1 : line;
}

void bg_audit_read(struct bg_audit_reader *reader, const char *line)
{
	char id[BG_AUDIT_ID_LEN] = "", type[16];
	struct bg_audit_event *event;
	int64_t ms;

	line = skip_node(line);
	if (strncmp(line, "type=", 5) != 0 || !bg_audit_line_id(line, id, &ms))
		return;
	event = find(reader, id, ms);
	(void)snprintf(type, sizeof(type), "%.*s", (int)strcspn(line + 5, " "), line + 5);
	if (strcmp(type, "SYSCALL") == 0) {
		take_call(event, line);
	} else if (strcmp(type, "EXECVE") == 0) {
		event->is_command = true;
		take_args(event, line);
	} else if (strcmp(type, "CWD") == 0) {
		put_text(line, "cwd", event->folder, sizeof(event->folder));
	} else if (strcmp(type, "PATH") == 0) {
		take_path(event, line);
	}
}

void bg_audit_read_end(struct bg_audit_reader *reader)
{
	for (size_t i = 0; i < BG_AUDIT_OPEN; i++)
		finish(reader, &reader->open[(reader->next + i) % BG_AUDIT_OPEN]);
}

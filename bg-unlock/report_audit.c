/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of a report: what auditd knows of the account's sessions, by login uid and time. Another
   use of the same account at the same time would be among it: each line says its session. */
#include "bg-unlock.h"
#include "report.h"

#include <breakglass/audit_log.h>
#include <breakglass/escape.h>
#include <breakglass/os_random.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FILES_MAX 998 /* auditd keeps audit.log.1 to .num_logs - 1, at most 999 */
#define SEEN_MAX  (1U << 16)
#define LINE_LEN  (3 * BG_AUDIT_ARGS_LEN)

struct look {
	struct bg_report *r;
	void (*on_event)(struct look *look, const struct bg_audit_event *event);
	struct bg_audit_reader reader;
	char ids[BG_AUDIT_OPEN][BG_AUDIT_ID_LEN]; /* the newest events of ours */
	size_t next_id;
	char auid[24], key[BG_VALUE_LEN + 16];
	int64_t first_ms; /* of the whole log; 0: it is empty */
	unsigned int found, unkept;
	uint64_t salt; /* or names could be chosen so that one hides another */
	uint64_t seen[SEEN_MAX];
};

static bool is_within(const struct bg_report *r, int64_t ms)
{
	return ms + 1000 >= r->from_ms && ms <= r->to_ms + 1000;
}

static void put_stamp(int64_t ms, char ret[static 32])
{
	time_t secs = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&secs, &tm);
	(void)strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

/* Ours, and done while the use lasted. */
static void meet_event(void *arg, const struct bg_audit_event *event)
{
	struct look *look = arg;

	if (event->has_call && event->auid == look->r->uid && is_within(look->r, event->ms))
		look->on_event(look, event);
}

static void meet_line(struct bg_report *r, void *arg, const char *line)
{
	struct look *look = arg;
	char id[BG_AUDIT_ID_LEN];
	int64_t ms;

	(void)r;
	if (look->first_ms == 0 && bg_audit_line_id(line, id, &ms))
		look->first_ms = ms;
	bg_audit_read(&look->reader, line);
}

/* The log's files, the oldest first. False: there are none. */
static bool each_audit_line(struct bg_report *r,
	void (*each)(struct bg_report *r, void *arg, const char *line), void *arg)
{
	char path[64];
	bool is_any = false;

	for (int i = FILES_MAX; i >= 0; i--) {
		(void)snprintf(
			path, sizeof(path), "/var/log/audit/audit.log%s%.0d", i ? "." : "", i);
		is_any |= bg_report_each_line(path, r, each, arg);
	}
	return is_any;
}

static bool is_known(struct bg_report *r)
{
	if (r->uid == 0)
		bg_report_say(r, "(the account's uid is not known any more)\n");
	return r->uid != 0;
}

static void say_nothing(struct bg_report *r, bool is_any)
{
	if (!is_any)
		bg_report_say(r, "(auditd keeps no log on this host)\n");
	else if (r->len == 0)
		bg_report_say(
			r, "(auditd's log has nothing of it; had it the rules? recording.txt)\n");
}

static void look_at(struct bg_report *r,
	void (*on_event)(struct look *look, const struct bg_audit_event *event))
{
	static struct look look;
	char stamp[32];
	bool is_any;

	if (!is_known(r))
		return;
	memset(&look, 0, sizeof(look));
	look.r = r;
	look.on_event = on_event;
	look.reader.on_event = meet_event;
	look.reader.arg = &look;
	(void)snprintf(look.key, sizeof(look.key), "breakglass-%s", r->account);
	if (bg_os_random(NULL, (uint8_t *)&look.salt, sizeof(look.salt)) != 0) {
		bg_report_say(r, "(the kernel gives no randomness: try again)\n");
		return;
	}
	is_any = each_audit_line(r, meet_line, &look);
	bg_audit_read_end(&look.reader);
	say_nothing(r, is_any);
	put_stamp(look.first_ms, stamp);
	if (is_any && look.first_ms > r->from_ms)
		bg_report_say(r,
			"(auditd's log begins at %s UTC, after this use began: what was "
			"before is not in it)\n",
			stamp);
	if (look.unkept)
		bg_report_say(r, "(%u more are in audit.txt only)\n", look.unkept);
}

static void say_event(struct look *look, const struct bg_audit_event *event, const char *what)
{
	static char line[LINE_LEN], shown[LINE_LEN];
	char stamp[32];

	put_stamp(event->ms, stamp);
	(void)snprintf(line, sizeof(line), "%s  session %s  uid %s  %s", stamp, event->session,
		event->uid, what);
	bg_escape_terminal(shown, sizeof(shown), line);
	bg_report_line(look->r, shown);
}

static void tell_command(struct look *look, const struct bg_audit_event *event)
{
	if (event->is_command)
		say_event(look, event, event->args);
}

void bg_report_commands(struct bg_report *r)
{
	look_at(r, tell_command);
}

/* Each once: a file that is written in a loop is one line, at its first time. */
static bool is_new(struct look *look, const char *text)
{
	uint64_t hash = 0xcbf29ce484222325U ^ look->salt; /* FNV-1a */

	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3U;
	hash += hash == 0;
	for (size_t i = 0; i < 64; i++) {
		uint64_t *at = &look->seen[(hash + i) % SEEN_MAX];

		if (*at == hash)
			return false;
		if (*at == 0) {
			*at = hash;
			return true;
		}
	}
	return true;
}

static bool is_nothing(const char *path)
{
	return strcmp(path, "/dev/null") == 0 || strcmp(path, "/dev/tty") == 0 ||
	       strncmp(path, "/dev/pts/", 9) == 0;
}

static void tell_files(struct look *look, const struct bg_audit_event *event)
{
	static char path[2 * BG_AUDIT_PATH_LEN + 1], text[LINE_LEN];
	bool is_ours = strcmp(event->key, look->key) == 0;

	if (event->is_command || !event->is_success)
		return;
	look->unkept += (unsigned int)event->path_dropped;
	for (size_t i = 0; i < event->path_count; i++) {
		const char *name = event->paths[i].name, *type = event->paths[i].type;
		const char *what = strcmp(type, "CREATE") == 0	 ? "made   "
				   : strcmp(type, "DELETE") == 0 ? "removed"
				   : strcmp(type, "NORMAL") != 0 ? NULL
				   : is_ours			 ? "changed"
								 : "named  ";

		(void)snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : event->folder,
			name[0] == '/' || event->folder[0] == '\0' ? "" : "/", name);
		if (!what || is_nothing(path))
			continue;
		(void)snprintf(text, sizeof(text), "%s %s", what, path);
		if (!is_new(look, text))
			continue;
		(void)snprintf(text, sizeof(text), "%s %s  by %s", what, path, event->program);
		say_event(look, event, text);
	}
}

void bg_report_files(struct bg_report *r)
{
	look_at(r, tell_files);
}

/* Is the record of an event one of whose records names our login uid? Others' may stand between. */
static bool is_of_ours(struct look *look, const char *line, const char *id)
{
	for (size_t i = 0; i < BG_AUDIT_OPEN; i++)
		if (strcmp(look->ids[i], id) == 0)
			return true;
	if (!strstr(line, look->auid))
		return false;
	memcpy(look->ids[look->next_id], id, BG_AUDIT_ID_LEN);
	look->next_id = (look->next_id + 1) % BG_AUDIT_OPEN;
	return true;
}

static void add_if_audited(struct bg_report *r, void *arg, const char *line)
{
	char id[BG_AUDIT_ID_LEN] = "";
	int64_t ms;

	if (bg_audit_line_id(line, id, &ms) && is_within(r, ms) && is_of_ours(arg, line, id))
		bg_report_line(r, line);
}

void bg_report_audit(struct bg_report *r)
{
	static struct look look;

	if (!is_known(r))
		return;
	memset(&look, 0, sizeof(look));
	(void)snprintf(look.auid, sizeof(look.auid), " auid=%u ", (unsigned int)r->uid);
	say_nothing(r, each_audit_line(r, add_if_audited, &look));
}

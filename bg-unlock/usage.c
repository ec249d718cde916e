/* SPDX-License-Identifier: BSD-2-Clause */
#include "usage.h"
#include "log.h"

#include <breakglass/event_time.h>
#include <breakglass/escape.h>
#include <breakglass/seal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRANT_SECS     600 /* no grant is good for longer */
#define FORGOTTEN_SECS 86400
#define BUCKETS	       1024

struct installed {
	struct installed *next;
	char account[BG_PAM_NAME_LEN + 1];
	uint32_t epoch;
};

/* Shares that this machine has seen without a request: for an envelope, a reseal, a check. */
struct seen {
	struct seen *next;
	char account[BG_PAM_NAME_LEN + 1];
	uint32_t epoch;
	char names[BG_NAMES_LEN];
};

struct bg_usage {
	struct bg_use *first, *last;
	struct bg_use *buckets[BUCKETS]; /* by request: a long log has many */
	struct installed *installed;
	struct seen *seen, *last_seen;
	bool is_short;
};

struct bg_usage *bg_usage_new(void)
{
	return calloc(1, sizeof(struct bg_usage));
}

void bg_usage_free(struct bg_usage **usage)
{
	struct bg_use *next;
	struct installed *rest;
	struct seen *other;

	if (!*usage)
		return;
	for (struct bg_use *use = (*usage)->first; use; use = next) {
		next = use->next;
		free(use);
	}
	for (struct installed *one = (*usage)->installed; one; one = rest) {
		rest = one->next;
		free(one);
	}
	for (struct seen *one = (*usage)->seen; one; one = other) {
		other = one->next;
		free(one);
	}
	free(*usage);
	*usage = NULL;
}

bool bg_usage_is_whole(const struct bg_usage *usage)
{
	return !usage->is_short;
}

const struct bg_use *bg_usage_first(const struct bg_usage *usage)
{
	return usage->first;
}

static void field(const struct bg_log_line *line, const char *name, char *ret, size_t size)
{
	(void)bg_event_line_field(line->text, line->len, name, ret, size);
}

static uint64_t number(const struct bg_log_line *line, const char *name)
{
	char text[24];

	field(line, name, text, sizeof(text));
	return strtoull(text, NULL, 10);
}

/* By its last digits: those of a name, in which the first may be alike, too. */
static struct bg_use **bucket_of(struct bg_usage *usage, const char *request)
{
	return &usage->buckets[strtoul(request + BG_DIGEST_CHARS - 3, NULL, 16) % BUCKETS];
}

static struct bg_use *use_of(struct bg_usage *usage, const struct bg_log_line *line)
{
	char request[BG_DIGEST_CHARS + 1];
	struct bg_use *use, **bucket;

	field(line, "request", request, sizeof(request));
	if (strlen(request) != BG_DIGEST_CHARS)
		return NULL; /* not fixed yet: nothing was opened, no share was asked for */
	bucket = bucket_of(usage, request);
	for (use = *bucket; use; use = use->next_alike)
		if (strcmp(use->request, request) == 0)
			return use;
	use = calloc(1, sizeof(*use));
	if (!use) {
		usage->is_short = true;
		return NULL;
	}
	memcpy(use->request, request, sizeof(request));
	field(line, "account", use->account, sizeof(use->account));
	field(line, "host", use->host, sizeof(use->host));
	field(line, "key", use->key, sizeof(use->key));
	field(line, "holder", use->holder, sizeof(use->holder));
	use->epoch = (uint32_t)number(line, "epoch");
	if (usage->last)
		usage->last->next = use;
	else
		usage->first = use;
	usage->last = use;
	use->next_alike = *bucket;
	*bucket = use;
	return use;
}

static bool has_name(const char *names, const char *name, size_t len)
{
	for (const char *p = names; *p;) {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p += n;
		p += strspn(p, ", ");
	}
	return false;
}

/* Adds a custodian's name to a list that has it not yet. */
static bool add_name(char names[static BG_NAMES_LEN], const char *name, size_t len)
{
	size_t used = strlen(names);

	if (len == 0 || len > BG_NAME_LEN || has_name(names, name, len) ||
		used + len + 3 > BG_NAMES_LEN)
		return false;
	(void)snprintf(
		names + used, BG_NAMES_LEN - used, "%s%.*s", used ? ", " : "", (int)len, name);
	return true;
}

/* What follows a heading in a result: "typed here: ops, dba; seen by ...". */
static void add_names(char names[static BG_NAMES_LEN], const char *result, const char *heading)
{
	const char *p = strstr(result, heading);

	if (!p)
		return;
	p += strlen(heading);
	while (*p && *p != ';') {
		size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-");

		(void)add_name(names, p, len);
		p += len + strcspn(p + len, ",;");
		p += strspn(p, ", ");
	}
}

static void touch_use(struct bg_use *use, const struct bg_log_line *line)
{
	char time[40], boot[BG_BOOT_ID_LEN + 1];

	field(line, "time", time, sizeof(time));
	field(line, "boot", boot, sizeof(boot));
	if (strcmp(boot, use->boot) != 0)
		use->open = 0; /* no session outlives its boot */
	memcpy(use->boot, boot, sizeof(boot));
	use->boot_secs = number(line, "boottime");
	if (!bg_event_time_read(time, &use->last_ms))
		use->last_ms = 0; /* overdue rather than never */
}

static void add_installed(struct bg_usage *usage, const struct bg_log_line *line)
{
	struct installed *one = calloc(1, sizeof(*one));

	if (!one) {
		usage->is_short = true;
		return;
	}
	field(line, "account", one->account, sizeof(one->account));
	one->epoch = (uint32_t)number(line, "epoch");
	one->next = usage->installed;
	usage->installed = one;
}

static bool has_request(const struct bg_log_line *line)
{
	char request[BG_DIGEST_CHARS + 1];

	return bg_event_line_field(line->text, line->len, "request", request, sizeof(request)) &&
	       request[0];
}

static void add_seen(struct bg_usage *usage, const struct bg_log_line *line)
{
	struct seen *one = calloc(1, sizeof(*one));

	if (!one) {
		usage->is_short = true;
		return;
	}
	field(line, "account", one->account, sizeof(one->account));
	field(line, "custodians", one->names, sizeof(one->names));
	one->epoch = (uint32_t)number(line, "epoch");
	if (usage->last_seen)
		usage->last_seen->next = one;
	else
		usage->seen = one;
	usage->last_seen = one;
}

/* The result without "drill: ". A drill's grant opens nothing and owes nothing; a share that was
   typed in it was seen. True: it was one. */
static bool take_result(const struct bg_log_line *line, char ret[static BG_VALUE_LEN])
{
	static const char mark[] = "drill: ";
	bool is_drill;

	field(line, "result", ret, BG_VALUE_LEN);
	is_drill = strncmp(ret, mark, sizeof(mark) - 1) == 0;
	if (is_drill)
		memmove(ret, ret + sizeof(mark) - 1, strlen(ret) + 2 - sizeof(mark));
	return is_drill;
}

static void on_share(struct bg_use *use, const struct bg_log_line *line)
{
	char result[BG_VALUE_LEN];
	size_t len;

	(void)take_result(line, result);
	len = strcspn(result, " ");
	if (strncmp(result + len, " typed here", 11) == 0)
		(void)add_name(use->typed, result, len);
}

static void on_approval(struct bg_use *use, const struct bg_log_line *line)
{
	char result[BG_VALUE_LEN];

	(void)take_result(line, result);
	add_names(use->seen, result, "the combining machine has seen ");
}

static void on_granted(struct bg_use *use, const struct bg_log_line *line)
{
	char result[BG_VALUE_LEN];
	bool is_drill = take_result(line, result);

	add_names(use->typed, result, "typed here: ");
	add_names(use->seen, result, "seen by the combining machine: ");
	if (is_drill)
		return;
	use->is_granted = true;
	use->is_reviewed = use->has_session = false;
	touch_use(use, line);
}

static void on_opened(struct bg_use *use, const struct bg_log_line *line)
{
	touch_use(use, line);
	use->is_reviewed = false;
	use->has_session = true;
	use->open++;
}

static void on_beside(struct bg_use *use, const struct bg_log_line *line)
{
	char normal[BG_VALUE_LEN], result[BG_VALUE_LEN], shown[BG_VALUE_LEN];
	bool is_healthy;

	field(line, "normal", normal, sizeof(normal));
	is_healthy = strcmp(normal, "healthy") == 0;
	if (use->beside[0] && (use->was_healthy || !is_healthy))
		return;
	field(line, "result", result, sizeof(result));
	bg_escape_terminal(shown, sizeof(shown), result);
	(void)snprintf(use->beside, sizeof(use->beside), "%.*s", BG_BESIDE_LEN - 1, shown);
	use->was_healthy = is_healthy;
}

static void on_closed(struct bg_use *use, const struct bg_log_line *line)
{
	touch_use(use, line);
	if (use->open)
		use->open--;
}

static void on_ended(struct bg_use *use, const struct bg_log_line *line)
{
	touch_use(use, line);
	use->open = 0;
	use->boot[0] = '\0';
}

static void on_reviewed(struct bg_use *use, const struct bg_log_line *line)
{
	(void)line;
	use->is_reviewed = true;
}

static const struct {
	enum bg_event_id id;
	void (*take)(struct bg_use *use, const struct bg_log_line *line);
} takers[] = {
	{ BG_EV_SHARE_ACCEPTED, on_share },
	{ BG_EV_APPROVAL_ACCEPTED, on_approval },
	{ BG_EV_GRANTED, on_granted },
	{ BG_EV_SESSION_OPENED, on_opened },
	{ BG_EV_SESSION_CONTEXT, on_beside },
	{ BG_EV_SESSION_CLOSED, on_closed },
	{ BG_EV_SESSION_EXPIRED, on_ended },
	{ BG_EV_REVOKED, on_ended },
	{ BG_EV_REVIEWED, on_reviewed },
};

void bg_usage_add(void *arg, const struct bg_log_line *line)
{
	struct bg_usage *usage = arg;
	char event[32];
	struct bg_use *use;

	if (line->seq == 0)
		return;
	field(line, "event", event, sizeof(event));
	if (strcmp(event, bg_event_type(BG_EV_SEAL_INSTALLED)->name) == 0)
		add_installed(usage, line);
	if (strcmp(event, bg_event_type(BG_EV_ENVELOPE_OPENED)->name) == 0 ||
		(strcmp(event, bg_event_type(BG_EV_SHARE_ACCEPTED)->name) == 0 &&
			!has_request(line)))
		add_seen(usage, line);
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (strcmp(event, bg_event_type(takers[i].id)->name) != 0)
			continue;
		use = use_of(usage, line);
		if (use)
			takers[i].take(use, line);
	}
}

const struct bg_use *bg_usage_find(
	const struct bg_usage *usage, const char *name, size_t *ret_count)
{
	const struct bg_use *found = NULL;

	*ret_count = 0;
	for (const struct bg_use *use = usage->first; use; use = use->next) {
		if (!bg_request_is_called(use->request, name))
			continue;
		found = use;
		(*ret_count)++;
	}
	return *ret_count == 1 ? found : NULL;
}

bool bg_use_owes_review(const struct bg_use *use)
{
	return use->is_granted && !use->is_reviewed;
}

bool bg_use_is_live(const struct bg_use *use, const char *boot_id, uint64_t boot_secs)
{
	uint64_t age = boot_secs > use->boot_secs ? boot_secs - use->boot_secs : 0;

	if (!use->is_granted || strcmp(use->boot, boot_id) != 0)
		return false;
	if (use->open)
		return age < FORGOTTEN_SECS;
	return !use->has_session && age < GRANT_SECS;
}

uint32_t bg_usage_epoch(const struct bg_usage *usage, const char *account)
{
	uint32_t epoch = 0;

	for (const struct installed *one = usage->installed; one; one = one->next)
		if (strcmp(one->account, account) == 0 && one->epoch > epoch)
			epoch = one->epoch;
	return epoch;
}

static size_t add_names_of(char names[static BG_NAMES_LEN], const char *p)
{
	size_t count = 0;

	for (size_t len; *p; p += len, p += strspn(p, ", ")) {
		len = strcspn(p, ",");
		count += add_name(names, p, len);
	}
	return count;
}

size_t bg_usage_exposed(const struct bg_usage *usage, const char *account, uint32_t epoch,
	char names[static BG_NAMES_LEN])
{
	size_t count = 0;

	names[0] = '\0';
	for (const struct bg_use *use = usage->first; use; use = use->next) {
		if (strcmp(use->account, account) != 0 || use->epoch != epoch)
			continue;
		count += add_names_of(names, use->typed);
		count += add_names_of(names, use->seen);
	}
	for (const struct seen *one = usage->seen; one; one = one->next)
		if (strcmp(one->account, account) == 0 && one->epoch == epoch)
			count += add_names_of(names, one->names);
	return count;
}

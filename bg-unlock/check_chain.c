/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at what the log's newest records say: the clock, blocked bypasses, when
 * each key was last proved. Read as lines, the last segments only, so that a long
 * log costs nothing; whether they are genuine is `log verify`'s to say.
 */
#include "check.h"

#include <breakglass/event.h>
#include <breakglass/event_time.h>
#include <breakglass/os_clock.h>
#include <breakglass/paths.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_LEN     (BG_EVENT_MAX_LEN + 256)
#define SEGMENTS     2
#define SLACK_SECS   60
#define RECENT_SECS  (7 * 86400)
#define SEGMENT_PATH BG_PATH_VAR_LOG "/segment-%06u.jsonl"

typedef void line_fn(void *arg, const char *line, size_t len);

static void read_lines(const char *path, line_fn *each, void *arg)
{
	static char line[LINE_LEN];
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;

	if (!file) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while (fgets(line, sizeof(line), file))
		each(arg, line, strcspn(line, "\n"));
	(void)fclose(file);
}

/* The highest segment's number, 0 where there is none. */
static unsigned int last_segment(const struct bg_tree *tree)
{
	DIR *d = opendir(bg_tree_path(tree, BG_PATH_VAR_LOG));
	const struct dirent *entry;
	unsigned int last = 0, number;

	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && (entry = readdir(d)) != NULL)
		/* NOLINTNEXTLINE(cert-err34-c) ; a number out of range names no file */
		if (sscanf(entry->d_name, "segment-%6u.jsonl", &number) == 1 && number > last)
			last = number;
	if (d != NULL)
		(void)closedir(d);
	return last;
}

static void read_log(const struct bg_tree *tree, line_fn *each, void *arg)
{
	static const char *const pending[] = { BG_PATH_RUN_LOG "/carrying",
		BG_PATH_RUN_LOG "/pending" };
	unsigned int last = last_segment(tree);
	char path[BG_TREE_PATH_LEN];

	for (unsigned int i = last >= SEGMENTS ? last - SEGMENTS + 1 : 1; i <= last; i++) {
		(void)snprintf(path, sizeof(path), SEGMENT_PATH, i);
		read_lines(bg_tree_path(tree, path), each, arg);
	}
	for (size_t i = 0; i < sizeof(pending) / sizeof(pending[0]); i++)
		read_lines(bg_tree_path(tree, pending[i]), each, arg);
}

/* Seconds since 1970; -1: no record's time. */
static time_t parse_time(const char *text)
{
	int64_t ms;

	return bg_event_time_read(text, &ms) ? (time_t)(ms / 1000) : (time_t)-1;
}

struct times {
	time_t now, newest, back_from;
	char back[BG_TIME_TEXT_LEN + 16];
};

static void see_time(void *arg, const char *line, size_t len)
{
	struct times *times = arg;
	char text[32];
	time_t t;

	if (!bg_event_line_field(line, len, "time", text, sizeof(text)))
		return;
	t = parse_time(text);
	if (t < 0)
		return;
	if (t + SLACK_SECS < times->newest && times->newest + RECENT_SECS > times->now) {
		times->back_from = times->newest;
		(void)snprintf(times->back, sizeof(times->back), "%s", text);
	}
	times->newest = t;
}

void bg_check_clock(struct bg_check *check)
{
	struct times times = { .now = time(NULL) };

	read_log(&check->tree, see_time, &times);
	if (times.newest > times.now + SLACK_SECS)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"timedatectl; set it: records, expiry and contacts go by it, lifetimes do "
			"not",
			"the clock is %lld s behind the newest record of the log",
			(long long)(times.newest - times.now));
	else if (times.back_from)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"who set the clock? numbers and hashes keep the records' order",
			"the log's times go back by %lld s at %.20s",
			(long long)(times.back_from - parse_time(times.back)), times.back);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"the clock is not behind the newest record");
}

struct newest {
	time_t time; /* 0: none */
	char boot[BG_BOOT_ID_LEN + 1];
};

static void see_newest(void *arg, const char *line, size_t len)
{
	struct newest *newest = arg;
	char text[32];
	time_t t;

	if (!bg_event_line_field(line, len, "time", text, sizeof(text)) ||
		(t = parse_time(text)) < 0)
		return;
	newest->time = t;
	(void)bg_event_line_field(line, len, "boot", newest->boot, sizeof(newest->boot));
}

bool bg_check_newest(const struct bg_check *check, time_t *ret_time, bool *ret_is_of_boot)
{
	char boot[BG_BOOT_ID_LEN + 1];
	struct newest newest = { 0 };

	read_log(&check->tree, see_newest, &newest);
	if (newest.time == 0)
		return false;
	*ret_time = newest.time;
	*ret_is_of_boot = bg_clock_boot_id(boot) == BG_OK && strcmp(boot, newest.boot) == 0;
	return true;
}

struct blocked {
	time_t since;
	unsigned int count;
	char last[32], service[64], account[BG_PAM_NAME_LEN + 1];
};

static void see_blocked(void *arg, const char *line, size_t len)
{
	struct blocked *blocked = arg;
	char event[32], text[32];

	if (!bg_event_line_field(line, len, "event", event, sizeof(event)) ||
		strcmp(event, bg_event_type(BG_EV_BYPASS_BLOCKED)->name) != 0 ||
		!bg_event_line_field(line, len, "time", text, sizeof(text)) ||
		parse_time(text) < blocked->since)
		return;
	blocked->count++;
	(void)snprintf(blocked->last, sizeof(blocked->last), "%s", text);
	(void)bg_event_line_field(line, len, "service", blocked->service, sizeof(blocked->service));
	(void)bg_event_line_field(line, len, "account", blocked->account, sizeof(blocked->account));
}

void bg_check_bypass(struct bg_check *check)
{
	struct blocked blocked = { .since = time(NULL) - RECENT_SECS };

	read_log(&check->tree, see_blocked, &blocked);
	if (blocked.count > 0)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"bg-unlock log show; who or what is it?",
			"%u time%s in seven days something went around the door and was "
			"blocked, last %.10s, %s by %s",
			blocked.count, blocked.count == 1 ? "" : "s", blocked.last, blocked.account,
			blocked.service);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"nobody tried to go around the door in seven days");
}

struct seen {
	const struct bg_seal *seal;
	char last[BG_KEYS_MAX][11]; /* "2026-11-21" */
};

/* A key stands in a request only when it was proved. */
static void see_key(void *arg, const char *line, size_t len)
{
	struct seen *seen = arg;
	char event[32], text[BG_PAM_NAME_LEN + 32];

	if (!bg_event_line_field(line, len, "event", event, sizeof(event)) ||
		strcmp(event, bg_event_type(BG_EV_REQUEST_OPENED)->name) != 0 ||
		!bg_event_line_field(line, len, "account", text, sizeof(text)) ||
		strcmp(text, seen->seal->account) != 0 ||
		!bg_event_line_field(line, len, "key", text, sizeof(text)))
		return;
	for (size_t i = 0; i < seen->seal->key_count; i++) {
		char when[32];

		if (strcmp(seen->seal->keys[i].name, text) == 0 &&
			bg_event_line_field(line, len, "time", when, sizeof(when)))
			(void)snprintf(seen->last[i], sizeof(seen->last[i]), "%.10s", when);
	}
}

void bg_check_key_use(struct bg_check *check)
{
	struct seen seen = { .seal = &check->seal };
	char text[BG_KEYS_MAX * (BG_NAME_LEN + 32) + 1] = "";
	size_t used = 0;

	if (check->seal.key_count == 0)
		return;
	read_log(&check->tree, see_key, &seen);
	for (size_t i = 0; i < check->seal.key_count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s%s",
			i ? ", " : "", check->seal.keys[i].name,
			seen.last[i][0] ? "on " : "not lately", seen.last[i]);
	bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "last proved here: %s", text);
}

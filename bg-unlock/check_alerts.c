/* SPDX-License-Identifier: BSD-2-Clause */
/* `check`: are there handlers, and do they take what they are given? `check --alerts` tries them.
 */
#include "check.h"
#include "bg-unlock.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_file.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HANDLERS_MAX 32
#define UNFIT_MAX    8 /* files that are named */
#define DUE_SECS     60
#define WAIT_MS	     40000 /* a handler has half a minute */
#define TURN_NS	     100000000

struct handlers {
	char names[HANDLERS_MAX][BG_HANDLER_LEN + 1];
	bool is_told[HANDLERS_MAX], has_failed[HANDLERS_MAX];
	uint32_t failures[HANDLERS_MAX]; /* before the try */
	size_t count;
};

/* Why breakglass-alert does not run a file of that folder; NULL: it does, or is not meant to. One
   that others may write is not run either: the row permissions says so. */
static const char *unfit(const char *name, const struct stat *st)
{
	if (name[0] == '.' || !S_ISREG(st->st_mode))
		return NULL;
	if (!bg_alert_is_handler(name))
		return "its name is not of letters, digits, '.', '_' and '-'";
	return (st->st_mode & S_IXOTH) == 0 ? "it is not executable for everybody" : NULL;
}

/* Who is not told because of that? */
static void judge_unfit(struct bg_check *check)
{
	DIR *d = opendir(bg_tree_path(&check->tree, BG_PATH_HANDLERS));
	const struct dirent *entry;
	unsigned int count = 0;
	struct stat st;

	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && count < UNFIT_MAX && (entry = readdir(d)) != NULL) {
		const char *why = fstatat(dirfd(d), entry->d_name, &st, 0) == 0
					  ? unfit(entry->d_name, &st)
					  : NULL;

		if (why == NULL)
			continue;
		count++;
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"chown root:root and chmod 0755 it, or move it out of " BG_PATH_HANDLERS,
			"%.64s is not run as a handler: %s", entry->d_name, why);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* What breakglass-alert would run. path: as this tree's. */
static void list(const char *path, struct handlers *ret)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	struct stat st;

	ret->count = 0;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (ret->count == HANDLERS_MAX || fstatat(dirfd(d), entry->d_name, &st, 0) != 0 ||
			!S_ISREG(st.st_mode) || !bg_alert_is_handler(entry->d_name) ||
			unfit(entry->d_name, &st) != NULL || st.st_uid != 0 ||
			(st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
			continue;
		ret->is_told[ret->count] = ret->has_failed[ret->count] = false;
		ret->failures[ret->count] = 0;
		(void)snprintf(ret->names[ret->count++], BG_HANDLER_LEN + 1, "%.*s", BG_HANDLER_LEN,
			entry->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* Kept by an unprivileged program: a number or two, nothing more is believed of it. */
static bool read_cursor(const char *folder, const char *name, struct bg_alert_cursor *ret)
{
	char path[160], text[160];
	struct stat st;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, text, sizeof(text), 0) : -1;
	(void)close(fd);
	return n > 0 && bg_alert_cursor_read(text, (size_t)n, ret) == BG_OK;
}

/* Of what carry asked for: does something wait there, for more than a minute? */
static bool is_due_waiting(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	struct stat st;
	bool is_waiting = false;

	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && (entry = readdir(d)) != NULL)
		is_waiting |= entry->d_name[0] != '.' &&
			      fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			      time(NULL) - st.st_mtime > DUE_SECS;
	if (d != NULL)
		(void)closedir(d);
	return is_waiting;
}

static void judge_handler(struct bg_check *check, const char *name)
{
	char folder[160];
	struct bg_alert_cursor cursor = { 0 };
	bool is_known;

	(void)snprintf(folder, sizeof(folder), "%s",
		bg_tree_path(&check->tree, BG_PATH_SPOOL "/handlers"));
	is_known = read_cursor(folder, name, &cursor);
	if (is_known && cursor.failures > 0) {
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"journalctl -u breakglass-alert says why",
			"handler %s failed %u time%s in a row; alerts wait for it", name,
			(unsigned int)cursor.failures, cursor.failures == 1 ? "" : "s");
		return;
	}
	if (!bg_check_handed(check, name, cursor.done))
		return;
	if (is_known)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"handler %s takes alerts, the last one was %" PRIu64, name, cursor.done);
	else
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, "bg-unlock check --alerts",
			"handler %s has not taken an alert yet", name);
}

void bg_check_alerts(struct bg_check *check)
{
	static struct handlers handlers;

	if (is_due_waiting(bg_tree_path(&check->tree, BG_PATH_DUE)))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"systemctl start breakglass-revoke.service; is breakglass-revoke.path "
			"enabled?",
			"a revocation that a handler asked for, or a lifted lock's file, waits for "
			"more than a minute");
	bg_check_carried(check);
	judge_unfit(check);
	list(bg_tree_path(&check->tree, BG_PATH_HANDLERS), &handlers);
	if (handlers.count == 0)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"put a handler into " BG_PATH_HANDLERS " (bg-unlock(1), ALERTS)",
			"no alert handler: who does not read this host's log does not hear of a "
			"use");
	for (size_t i = 0; i < handlers.count; i++)
		judge_handler(check, handlers.names[i]);
}

static void note_failures(struct handlers *handlers)
{
	struct bg_alert_cursor cursor;

	for (size_t i = 0; i < handlers->count; i++)
		if (read_cursor(BG_PATH_SPOOL "/handlers", handlers->names[i], &cursor))
			handlers->failures[i] = cursor.failures;
}

/* Prints who has taken alert id by now; how many are still awaited. */
static size_t tell(struct handlers *handlers, uint64_t id, uint64_t since_ms)
{
	size_t awaited = 0;

	for (size_t i = 0; i < handlers->count; i++) {
		struct bg_alert_cursor cursor = { 0 };
		uint64_t ms = bg_clock_boot_ms() - since_ms;

		if (handlers->is_told[i] || handlers->has_failed[i])
			continue;
		if (!read_cursor(BG_PATH_SPOOL "/handlers", handlers->names[i], &cursor) ||
			cursor.done < id) {
			handlers->has_failed[i] = cursor.failures > handlers->failures[i];
			awaited += !handlers->has_failed[i];
			continue;
		}
		(void)printf("%s: taken after %" PRIu64 ".%" PRIu64 " s\n", handlers->names[i],
			ms / 1000, ms % 1000 / 100);
		handlers->is_told[i] = true;
	}
	return awaited;
}

int bg_check_try_alerts(void)
{
	static struct handlers handlers;
	const struct timespec turn = { .tv_nsec = TURN_NS };
	uint64_t id = 0, start = bg_clock_boot_ms();
	struct bg_diag diag = { 0 };
	char host[256] = "";
	bool is_short = false;
	enum bg_err err;

	list(BG_PATH_HANDLERS, &handlers);
	if (handlers.count == 0) {
		bg_error("no alert handler in " BG_PATH_HANDLERS);
		bg_hint("examples are in /usr/share/breakglass/alert; bg-unlock(1), ALERTS");
		return BG_LEVEL_CRITICAL;
	}
	(void)gethostname(host, sizeof(host) - 1);
	note_failures(&handlers);
	err = bg_spool_write_test(host, &id, &diag);
	if (err != BG_OK) {
		(void)bg_fail(err, &diag, "is libpam-breakglass installed, and are you root?");
		return BG_LEVEL_CRITICAL;
	}
	bg_note("alert %" PRIu64 " (TEST) goes to %zu handler%s", id, handlers.count,
		handlers.count == 1 ? "" : "s");
	while (tell(&handlers, id, start) > 0 && bg_clock_boot_ms() - start < WAIT_MS) {
		(void)fflush(stdout);
		(void)nanosleep(&turn, NULL);
	}
	for (size_t i = 0; i < handlers.count; i++) {
		if (handlers.is_told[i])
			continue;
		is_short = true;
		(void)printf("%s: NOT taken%s\n", handlers.names[i],
			handlers.has_failed[i] ? ", it failed" : ": no end, or not its turn yet");
	}
	if (is_short)
		bg_hint("journalctl -u breakglass-alert says why; it is tried again");
	return is_short ? BG_LEVEL_CRITICAL : BG_LEVEL_OK;
}

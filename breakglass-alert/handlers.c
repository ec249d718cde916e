/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers: which there are, how one is run, and what is kept of it. */
#include "alert.h"

#include <breakglass/os_clock.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIME_LIMIT_MS	30000
#define KILL_AFTER_MS	2000
#define NOT_AUTHORISED	75 /* EX_TEMPFAIL's number, as the manual says */
#define MISSED_SECS	86400
#define SMALL_LEN	128
#define CREDENTIALS_LEN 256

/* Regular (a link to one is followed), executable, and nobody's but root's to write. */
static bool is_handler(const char *name)
{
	char path[sizeof(BG_PATH_HANDLERS) + 2 + BG_HANDLER_LEN];
	struct stat st;

	if (!bg_alert_is_handler(name))
		return false;
	(void)snprintf(path, sizeof(path), "%s/%.*s", BG_PATH_HANDLERS, BG_HANDLER_LEN, name);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return false;
	if (st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	(void)fprintf(stderr,
		"breakglass-alert: error: %s: not run, others than root may write it\n", path);
	return false;
}

static void cursor_load(const struct bg_folders *folders, struct bg_handler *handler)
{
	int fd = openat(folders->handlers, handler->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[SMALL_LEN];
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text), 0) : 0;

	if (fd >= 0)
		(void)close(fd);
	/* one that cannot be read gets what is still in the queue once more, rather than nothing */
	if (n <= 0 || bg_alert_cursor_read(text, (size_t)n, &handler->cursor) != BG_OK)
		handler->cursor = (struct bg_alert_cursor){ 0 };
}

/* Replaces the file `name` of a folder. */
static bool write_small(int dir, const char *name, mode_t mode, const char *text, size_t len)
{
	int fd;
	bool is_written;

	(void)unlinkat(dir, ".part", 0);
	fd = openat(dir, ".part", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return false;
	is_written =
		fchmod(fd, mode) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	(void)close(fd);
	return is_written && renameat(dir, ".part", dir, name) == 0;
}

static void cursor_store(const struct bg_folders *folders, const struct bg_handler *handler)
{
	char text[SMALL_LEN];
	size_t len;

	if (bg_alert_cursor_write(&handler->cursor, text, sizeof(text), &len) != BG_OK ||
		!write_small(folders->handlers, handler->name, 0600, text, len))
		(void)fprintf(stderr,
			"breakglass-alert: error: %s/handlers/%s: cannot be written\n",
			BG_PATH_SPOOL, handler->name);
}

static struct bg_handler *find(struct bg_handlers *handlers, const char *name)
{
	for (size_t i = 0; i < handlers->count; i++)
		if (strcmp(handlers->list[i].name, name) == 0)
			return &handlers->list[i];
	return NULL;
}

/* The handler of that name, a new one if it was not known. NULL: too many. */
static struct bg_handler *get(
	const struct bg_folders *folders, struct bg_handlers *handlers, const char *name)
{
	struct bg_handler *handler = find(handlers, name);

	if (handler != NULL || handlers->count >= BG_HANDLERS_MAX)
		return handler;
	handler = &handlers->list[handlers->count++];
	*handler = (struct bg_handler){ 0 };
	(void)snprintf(handler->name, sizeof(handler->name), "%.*s", BG_HANDLER_LEN, name);
	cursor_load(folders, handler);
	return handler;
}

/* Perhaps it is just being replaced: what it has not taken waits for it for a day. */
static void look_for_missed(const struct bg_folders *folders, struct bg_handlers *handlers)
{
	int fd = openat(folders->handlers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct bg_handler *handler;
	struct stat st;

	if (d == NULL && fd >= 0)
		(void)close(fd);
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (!bg_alert_is_handler(entry->d_name) ||
			fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		handler = get(folders, handlers, entry->d_name);
		if (handler != NULL && !handler->is_there)
			handler->is_missed = time(NULL) - st.st_mtime < MISSED_SECS;
	}
	if (d != NULL)
		(void)closedir(d);
}

void bg_handlers_look(const struct bg_folders *folders, struct bg_handlers *handlers)
{
	DIR *d = opendir(BG_PATH_HANDLERS);
	const struct dirent *entry;

	for (size_t i = 0; i < handlers->count; i++)
		handlers->list[i].is_there = handlers->list[i].is_missed = false;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct bg_handler *handler =
			is_handler(entry->d_name) ? get(folders, handlers, entry->d_name) : NULL;

		if (handler != NULL)
			handler->is_there = true;
	}
	if (d != NULL)
		(void)closedir(d);
	look_for_missed(folders, handlers);
}

/* In the child: stdin is the alert, stdout and stderr are the journal's, the environment is ours.
 */
_Noreturn static void run_handler(const char *name, int in)
{
	char path[sizeof(BG_PATH_HANDLERS) + 2 + BG_HANDLER_LEN],
		credentials[CREDENTIALS_LEN] = "CREDENTIALS_DIRECTORY=";
	char *const argv[] = { path, NULL };
	char *env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
		(char[]){ "LANG=C.UTF-8" }, credentials, NULL };
	const char *given = getenv("CREDENTIALS_DIRECTORY");
	sigset_t none;

	(void)snprintf(path, sizeof(path), "%s/%.*s", BG_PATH_HANDLERS, BG_HANDLER_LEN, name);
	(void)snprintf(credentials, sizeof(credentials), "CREDENTIALS_DIRECTORY=%s",
		given != NULL ? given : "");
	if (given == NULL)
		env[2] = NULL;
	if (dup2(in, STDIN_FILENO) < 0 || setpgid(0, 0) != 0)
		_exit(126);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execve(path, argv, env);
	_exit(127);
}

static uint64_t latency(int64_t time_ms)
{
	struct timespec now;
	int64_t passed;

	if (time_ms == 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
		return 0;
	passed = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - time_ms;
	return passed > 0 ? (uint64_t)passed : 0;
}

/* The alert; of one that cannot be read or was damaged, that there was one. */
static bool load(const struct bg_folders *folders, uint64_t id, char json[static BG_ALERT_MAX_LEN],
	size_t *ret_len, int64_t *ret_time_ms)
{
	uint64_t read_id;

	if (bg_queue_read(folders, id, json, ret_len) == BG_OK &&
		bg_alert_read(json, *ret_len, &read_id, ret_time_ms) == BG_OK && read_id == id)
		return true;
	(void)fprintf(stderr, "breakglass-alert: error: alert %" PRIu64 " cannot be read\n", id);
	*ret_time_ms = 0;
	return bg_alert_lost_json(id, json, BG_ALERT_MAX_LEN, ret_len) == BG_OK;
}

static bool start(const struct bg_folders *folders, struct bg_handler *handler, uint64_t id)
{
	char json[BG_ALERT_MAX_LEN];
	int64_t time_ms = 0;
	size_t len = 0;
	int in[2];

	if (!load(folders, id, json, &len, &time_ms))
		return false;
	/* A pipe holds more than the longest alert: the write never waits for the reader. */
	if (pipe2(in, O_CLOEXEC) != 0)
		return false;
	handler->pid = write(in[1], json, len) == (ssize_t)len ? fork() : -1;
	if (handler->pid == 0)
		run_handler(handler->name, in[0]);
	(void)close(in[0]);
	(void)close(in[1]);
	if (handler->pid < 0) {
		handler->pid = 0;
		return false;
	}
	handler->id = id;
	handler->latency_ms = latency(time_ms);
	handler->deadline_ms = bg_clock_boot_ms() + TIME_LIMIT_MS;
	handler->is_termed = false;
	return true;
}

static bool is_pausing(const struct bg_handler *handler)
{
	char boot_id[BG_BOOT_ID_LEN + 1] = "";

	return handler->cursor.failures > 0 && bg_clock_boot_id(boot_id) == BG_OK &&
	       strcmp(boot_id, handler->cursor.boot_id) == 0 &&
	       bg_clock_boot_ms() < handler->cursor.next_ms;
}

bool bg_handlers_start(const struct bg_folders *folders, struct bg_handlers *handlers)
{
	bool is_running = false;

	for (size_t i = 0; i < handlers->count; i++) {
		struct bg_handler *handler = &handlers->list[i];
		uint64_t id;

		if (handler->pid == 0 && handler->is_there && !is_pausing(handler)) {
			id = bg_queue_next(folders, handler->cursor.done);
			if (id != 0)
				(void)start(folders, handler, id);
		}
		is_running |= handler->pid != 0;
	}
	return is_running;
}

bool bg_handlers_are_running(const struct bg_handlers *handlers)
{
	for (size_t i = 0; i < handlers->count; i++)
		if (handlers->list[i].pid != 0)
			return true;
	return false;
}

static void tell(const struct bg_folders *folders, const struct bg_handler *handler,
	enum bg_alert_outcome outcome)
{
	struct bg_alert_told told = { .id = handler->id,
		.outcome = outcome,
		.latency_ms = handler->latency_ms,
		.failures = handler->cursor.failures };
	char name[SMALL_LEN], text[SMALL_LEN];
	size_t len;

	(void)snprintf(told.handler, sizeof(told.handler), "%s", handler->name);
	(void)snprintf(name, sizeof(name), "%020" PRIu64 "-%s", bg_clock_boot_ms(), handler->name);
	if (bg_alert_told_write(&told, text, sizeof(text), &len) != BG_OK ||
		!write_small(folders->told, name, 0644, text, len))
		(void)fprintf(stderr, "breakglass-alert: error: %s/told/%s: cannot be written\n",
			BG_PATH_SPOOL, name);
}

static void keep(const struct bg_folders *folders, struct bg_handler *handler, int status)
{
	enum bg_alert_outcome outcome = BG_ALERT_FAILED;
	struct bg_alert_cursor *cursor = &handler->cursor;

	handler->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		outcome = BG_ALERT_TAKEN;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_AUTHORISED)
		outcome = BG_ALERT_REFUSED;
	if (outcome == BG_ALERT_FAILED) {
		if (cursor->failures < UINT32_MAX)
			cursor->failures++;
		cursor->next_ms = bg_clock_boot_ms() + bg_alert_pause_ms(cursor->failures);
		if (bg_clock_boot_id(cursor->boot_id) != BG_OK)
			cursor->boot_id[0] = '\0';
	} else {
		cursor->failures = 0;
		cursor->next_ms = 0;
		cursor->done = handler->id;
	}
	cursor_store(folders, handler);
	tell(folders, handler, outcome);
}

void bg_handlers_attend(const struct bg_folders *folders, struct bg_handlers *handlers)
{
	for (size_t i = 0; i < handlers->count; i++) {
		struct bg_handler *handler = &handlers->list[i];
		uint64_t now = bg_clock_boot_ms();
		int status = 0;

		if (handler->pid == 0)
			continue;
		if (waitpid(handler->pid, &status, WNOHANG) == handler->pid) {
			/* what it started must not outlive it */
			(void)kill(-handler->pid, SIGKILL);
			keep(folders, handler, status);
		} else if (now >= handler->deadline_ms) {
			(void)kill(-handler->pid, handler->is_termed ? SIGKILL : SIGTERM);
			handler->is_termed = true;
			handler->deadline_ms = now + KILL_AFTER_MS;
		}
	}
}

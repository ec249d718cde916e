/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the session was opened beside is found out by a child, because names,
 * disks and sshd may hang, and the watchdog must not: the child writes into
 * memory that both have, and when its time is over what is there is recorded,
 * with what it hung at. If the watchdog is killed meanwhile, the child records.
 */
#include "watch.h"

#include <breakglass/os_file.h>
#include <breakglass/os_log.h>
#include <breakglass/os_ways.h>
#include <breakglass/paths.h>
#include <breakglass/sources.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* More than a healthy host takes; each look's own limit, all of them together, is somewhat more. */
#define LIMIT_MS 20000
#define PAUSE_MS 250 /* the login comes first, and its record */

struct bg_shared_beside {
	struct bg_beside beside;
	int asking; /* BG_WAY_COUNT: nothing */
};

static const char *const login_files[] = { "/run/utmp", "/var/log/wtmp", "/var/log/wtmp.1" };

static void record(const struct watch *watch, const struct bg_beside *beside)
{
	struct bg_session_words session_words;
	struct bg_beside_words words;
	struct bg_event event =
		bg_session_event(&watch->session, BG_EV_SESSION_CONTEXT, NULL, &session_words);

	event.severity = watch->severity;
	bg_beside_event(beside, &words, &event);
	bg_log_event(watch->crypto, "pam_breakglass", &event, false, NULL);
}

/* When the session was opened, by the wall clock, which alone utmp knows. */
static int64_t opened_at(const struct watch *watch)
{
	return (int64_t)time(NULL) -
	       (int64_t)((bg_clock_boot_ms() - watch->session.opened_ms) / 1000);
}

static void find_login(struct bg_shared_beside *shared, const char *path, int64_t opened,
	struct bg_ordinary *login)
{
	bg_ordinary_find(path, BG_PATH_ACCOUNTS, opened, login);
	if (login->time == 0)
		return;
	shared->beside.ordinary_secs = (uint64_t)(opened - login->time);
	shared->beside.has_ordinary = true;
}

static void ask_names(
	struct bg_shared_beside *shared, const char *nsswitch, const struct bg_ordinary *login)
{
	shared->asking = BG_WAY_NAMES;
	shared->beside.ways[BG_WAY_NAMES] =
		bg_way_names(nsswitch, login->time != 0 ? login->name : "root", login->time != 0);
	shared->asking = BG_WAY_COUNT;
}

/* What lies below /var is last: that disk may hang for ever. */
static void look_around(struct bg_shared_beside *shared, int64_t opened)
{
	enum bg_way_state *ways = shared->beside.ways;
	struct bg_ordinary login = { 0 }, before;
	static char nsswitch[8192];
	size_t len = 0;

	find_login(shared, login_files[0], opened, &login);
	ways[BG_WAY_NOLOGIN] = bg_way_nologin();
	shared->asking = BG_WAY_SSHD;
	ways[BG_WAY_SSHD] = bg_way_sshd();
	shared->asking = BG_WAY_COUNT;
	if (bg_file_read(BG_PATH_NSSWITCH, 0, nsswitch, sizeof(nsswitch), &len, NULL) != BG_OK)
		nsswitch[0] = '\0';
	ask_names(shared, nsswitch, &login);
	before = login;
	shared->asking = BG_WAY_DISK;
	for (size_t i = 1; i < 3 && (i == 1 || login.time == 0); i++)
		find_login(shared, login_files[i], opened, &login);
	ways[BG_WAY_DISK] = BG_WAY_GOOD;
	if (ways[BG_WAY_NAMES] == BG_WAY_GOOD && strcmp(before.name, login.name) != 0)
		ask_names(shared, nsswitch, &login);
	shared->asking = BG_WAY_DIRECTORY;
	ways[BG_WAY_DIRECTORY] = bg_way_directory(nsswitch);
	shared->asking = BG_WAY_COUNT;
}

_Noreturn static void run_child(struct watch *watch, pid_t parent)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	look_around(watch->shared, opened_at(watch));
	if (getppid() != parent)
		record(watch, &watch->shared->beside);
	_exit(0);
}

void watch_beside_begin(struct watch *watch)
{
	pid_t self = getpid();
	void *memory = mmap(NULL, sizeof(*watch->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	watch->asker = -1;
	watch->asker_fd = -1;
	watch->beside_until_ms = bg_clock_boot_ms() + LIMIT_MS;
	if (memory == MAP_FAILED)
		return;
	watch->shared = memory;
	watch->shared->asking = BG_WAY_COUNT;
	watch->asker = fork();
	if (watch->asker == 0)
		run_child(watch, self);
	if (watch->asker > 0)
		watch->asker_fd = (int)syscall(SYS_pidfd_open, watch->asker, 0);
}

static void tell(struct watch *watch, bool is_late)
{
	struct bg_beside beside = { 0 };

	if (watch->shared != NULL)
		beside = watch->shared->beside;
	if (is_late && watch->shared != NULL && watch->shared->asking < BG_WAY_COUNT)
		beside.ways[watch->shared->asking] = BG_WAY_BAD;
	record(watch, &beside);
	watch->is_beside_told = true;
	if (watch->asker_fd >= 0)
		(void)close(watch->asker_fd);
	watch->asker_fd = -1;
}

bool watch_beside(struct watch *watch)
{
	bool has_ended, is_late;

	if (watch->is_beside_told)
		return true;
	has_ended = watch->asker < 0 || waitpid(watch->asker, NULL, WNOHANG) != 0;
	is_late = bg_clock_boot_ms() >= watch->beside_until_ms;
	if (!has_ended && !is_late)
		return false;
	/* Not waited for: what hangs in the kernel dies when it can. */
	if (!has_ended)
		(void)kill(watch->asker, SIGKILL);
	tell(watch, !has_ended);
	return true;
}

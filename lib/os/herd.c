/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_session.h>

#include <breakglass/os_group.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TERM_MS	  3000 /* what TERM gets before KILL */
#define LEADER_MS 3000 /* what the leader gets, alone, before TERM, and again before KILL */
#define ROUND_MS  100
#define NOBODY	  5 /* rounds without anybody, see bg_herd_count */

/* Opened before it is asked: whatever happens to the number, the signal goes to who was judged. */
static int open_member(
	const struct bg_herd *herd, enum bg_herd_who who, pid_t pid, struct bg_process_more *ret)
{
	uint32_t session = 0, login = 0;
	int fd;

	if (pid == getpid() || bg_process_audit(pid, &session, &login) != BG_OK ||
		session != herd->audit_session || login != herd->uid)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -1;
	if (bg_process_audit(pid, &session, &login) == BG_OK && session == herd->audit_session &&
		login == herd->uid && bg_process_more(pid, ret) == BG_OK && !ret->is_zombie &&
		(who == BG_HERD_ALL || pid != herd->leader.pid ||
			ret->process.start_ticks != herd->leader.start_ticks))
		return fd;
	(void)close(fd);
	return -1;
}

static size_t each_member(const struct bg_herd *herd, enum bg_herd_who who,
	void (*each)(void *arg, int pidfd, const struct bg_process_more *process), void *arg)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	if (proc == NULL)
		return 1; /* nobody can be seen: do not believe that nobody is there */
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while ((entry = readdir(proc)) != NULL) {
		struct bg_process_more process;
		char *end = NULL;
		long pid = strtol(entry->d_name, &end, 10);
		int fd = pid > 0 && pid <= INT32_MAX && *end == '\0'
				 ? open_member(herd, who, (pid_t)pid, &process)
				 : -1;

		if (fd < 0)
			continue;
		count++;
		each(arg, fd, &process);
		(void)close(fd);
	}
	(void)closedir(proc);
	return count;
}

static void send_signal(void *arg, int pidfd, const struct bg_process_more *process)
{
	const int *signal = arg;

	(void)process;
	if (*signal != 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, *signal, NULL, 0);
}

size_t bg_herd_signal(const struct bg_herd *herd, enum bg_herd_who who, int signal)
{
	return each_member(herd, who, send_signal, &signal);
}

/* As bg_herd_signal, while none of them can fork. */
static size_t signal_frozen(const struct bg_herd *herd, enum bg_herd_who who, int signal)
{
	struct bg_frozen frozen;
	size_t count;

	if (!herd->may_freeze)
		return bg_herd_signal(herd, who, signal);
	frozen = bg_group_freeze(herd->audit_session, herd->uid);
	count = bg_herd_signal(herd, who, signal);
	bg_group_thaw(&frozen);
	return count;
}

size_t bg_herd_count(const struct bg_herd *herd)
{
	size_t count = bg_herd_signal(herd, BG_HERD_ALL, 0);

	return count > 0 ? count : signal_frozen(herd, BG_HERD_ALL, 0);
}

struct terminals {
	void (*each)(void *arg, uint32_t tty);
	void *arg;
};

static void tell_terminal(void *arg, int pidfd, const struct bg_process_more *process)
{
	const struct terminals *terminals = arg;

	(void)pidfd;
	if (process->tty != 0)
		terminals->each(terminals->arg, process->tty);
}

void bg_herd_terminals(const struct bg_herd *herd, void (*each)(void *arg, uint32_t tty), void *arg)
{
	struct terminals terminals = { each, arg };

	(void)each_member(herd, BG_HERD_ALL, tell_terminal, &terminals);
}

static void pause_ms(unsigned int ms)
{
	const struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* One round; alone_ms: since when the leader is alone (0: he is not). */
static size_t end_round(const struct bg_herd *herd, uint64_t begin_ms, uint64_t *alone_ms)
{
	uint64_t now = bg_clock_boot_ms();
	bool is_patient = now - begin_ms < TERM_MS;
	size_t left;

	/* Stopped first, they cannot start others faster than they are killed: SIGSTOP is for those
	   whom root has moved out of the groups, and where there are none. */
	if (!is_patient)
		(void)bg_herd_signal(herd, BG_HERD_FOLLOWERS, SIGSTOP);
	left = is_patient ? bg_herd_signal(herd, BG_HERD_FOLLOWERS, 0)
			  : signal_frozen(herd, BG_HERD_FOLLOWERS, SIGKILL);

	if (left > 0) {
		*alone_ms = 0;
		return left;
	}
	left = bg_herd_count(herd);
	if (left == 0)
		return 0;
	if (*alone_ms == 0)
		*alone_ms = now;
	if (now - *alone_ms >= (uint64_t)2 * LEADER_MS)
		(void)bg_herd_signal(herd, BG_HERD_ALL, SIGKILL);
	else if (now - *alone_ms >= LEADER_MS)
		(void)bg_herd_signal(herd, BG_HERD_ALL, SIGTERM);
	return left;
}

size_t bg_herd_end(const struct bg_herd *herd, uint64_t patience_ms, size_t *ret_left)
{
	uint64_t begin_ms = bg_clock_boot_ms(), alone_ms = 0;
	size_t count = bg_herd_count(herd), left;
	unsigned int empty = 0;

	(void)bg_herd_signal(herd, BG_HERD_FOLLOWERS, SIGHUP);
	(void)bg_herd_signal(herd, BG_HERD_FOLLOWERS, SIGTERM);
	do {
		left = end_round(herd, begin_ms, &alone_ms);
		empty = left == 0 ? empty + 1 : 0;
		if (empty < NOBODY)
			pause_ms(ROUND_MS);
	} while (empty < NOBODY &&
		 (patience_ms == BG_HERD_FOR_EVER || bg_clock_boot_ms() - begin_ms < patience_ms));
	*ret_left = left;
	return count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "lock.h"

#include "chain.h"

#include <breakglass/os_clock.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 200 /* a holder writes a few hundred bytes to memory: a thousand times that */
#define LOOK_MS	    50
#define STATUS_LEN  1024 /* of /proc/PID/status; its Uid line is among the first ten */

/* Names this process to F_GETLK. Only a mark: flock(2) is the lock. */
static bool mark(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* a file system without record locks is none of /run's */
	return fcntl(fd, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN);
}

/* The process that holds the mark; 0: none, or none that can be seen from here. */
static pid_t marked_by(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK || whole.l_pid <= 0)
		return 0;
	return whole.l_pid;
}

/* Is the process somebody's who is not root? */
static bool is_stoppable(pid_t pid)
{
	char path[32], status[STATUS_LEN];
	const char *uid;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	n = read(fd, status, sizeof(status) - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	status[n] = '\0';
	/* the name above it stands escaped: no line of it can be one of its own */
	uid = strstr(status, "\nUid:\t");
	return uid != NULL && uid[6] >= '1' && uid[6] <= '9';
}

static void end_holder(int fd)
{
	pid_t pid = marked_by(fd);
	__attribute__((cleanup(bg_fd_close))) int pidfd =
		pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	/* Still marked by it after its descriptor was opened: so that is the holder, and no other
	   process that was given its number. */
	if (pidfd >= 0 && is_stoppable(pid) && marked_by(fd) == pid)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

enum bg_err bg_lock_take(int fd, uint64_t deadline_ms, unsigned int pause_ms)
{
	const struct timespec pause = { .tv_nsec = (long)pause_ms * 1000000 };
	uint64_t look_ms = bg_clock_boot_ms() + PATIENCE_MS;

	while (!mark(fd) || flock(fd, LOCK_EX | LOCK_NB) != 0) {
		uint64_t now = bg_clock_boot_ms();

		if (errno != EWOULDBLOCK && errno != EACCES && errno != EINTR)
			return BG_ERR_IO;
		if (now >= deadline_ms)
			return BG_ERR_BUSY;
		if (now >= look_ms) {
			end_holder(fd);
			look_ms = now + LOOK_MS;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return BG_OK;
}

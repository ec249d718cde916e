/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What somebody without root may try to outlive a session that is ended process
 * by process. evade HOW FILE SECONDS [UID]: becomes UID, counts in FILE (eight
 * bytes) as long as it lives, and ends by itself after SECONDS.
 *
 * leaderless: its first thread has ended, so that /proc/PID/stat says Z.
 * comet: each process starts the next one and ends, sooner than /proc is read.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t *count;
static time_t end;

static time_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void *live(void *arg)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (; now() < end; (*count)++)
		(void)nanosleep(&pause, NULL);
	exit(0);
	return arg;
}

static int leaderless(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, live, NULL) != 0)
		return 1;
	(void)syscall(SYS_exit, 0); /* this thread alone */
	return 1;
}

/* Without an exit signal: its parent, which is the first process, learns of none of them. */
static int comet(void)
{
	while (now() < end) {
		pid_t pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);

		if (pid > 0)
			_exit(0);
		(*count)++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const int ignored[] = { SIGHUP, SIGTERM, SIGINT, SIGTSTP };
	/* Those that ended wait to be reaped: it must not be the machine that runs out of
	 * processes. */
	const struct rlimit most = { 2000, 2000 };
	int fd = argc >= 4 ? open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	void *memory;

	if (fd < 0 || ftruncate(fd, sizeof(*count)) != 0)
		return 2;
	memory = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	end = now() + strtol(argv[3], NULL, 10);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (memory == MAP_FAILED || setrlimit(RLIMIT_NPROC, &most) != 0 ||
		(argc > 4 && setreuid((uid_t)strtoul(argv[4], NULL, 10),
				     (uid_t)strtoul(argv[4], NULL, 10)) != 0) ||
		(getsid(0) != getpid() && setsid() < 0))
		return 2;
	count = memory;
	if (strcmp(argv[1], "leaderless") == 0)
		return leaderless();
	return strcmp(argv[1], "comet") == 0 ? comet() : 2;
}

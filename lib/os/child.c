/* SPDX-License-Identifier: BSD-2-Clause */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__s390__) || defined(__cris__)
#error "clone(2) takes its arguments in another order here"
#endif

pid_t bg_child_clone(int exit_signal, int *ret_pidfd)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PIDFD | (unsigned long)exit_signal,
		NULL, ret_pidfd, NULL, NULL);
}

/* A place for what nobody reads; memory where a broken /dev has no null. */
static int open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = memfd_create("null", MFD_CLOEXEC);
	return fd;
}

/* The host may run with 0, 1 or 2 closed, so any of ours may be one of them. */
static int above_stdio(int fd)
{
	return fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

bool bg_child_descriptors(int in, int out, bool is_err_out)
{
	int null = above_stdio(open_null());

	in = above_stdio(in);
	out = out < 0 ? null : above_stdio(out);
	if (null < 0 || in < 0 || out < 0)
		return false;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(is_err_out ? out : null, STDERR_FILENO) < 0)
		return false;
	if (close_range(STDERR_FILENO + 1, UINT_MAX, 0) != 0)
		return false;
	(void)setsid(); /* a terminal's signals are for the host, which then tells us */
	(void)alarm(0); /* not inherited, but cheap to be sure of */
	return chdir("/") == 0;
}

void bg_child_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &action, NULL); /* KILL, STOP and libc's own refuse */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void bg_child_exec(const char *path)
{
	const char *name = strrchr(path, '/');
	union {
		const char *in[2];
		char *out[2];
	} args = { .in = { name != NULL ? name + 1 : path, NULL } }; /* execve changes nothing */
	char *const env[] = { NULL };

	bg_child_signals();
	(void)execve(path, args.out, env);
	_exit(BG_CHILD_NOT_RUN);
}

int64_t bg_child_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int bg_child_left(int64_t deadline)
{
	int64_t left = deadline - bg_child_now();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

bool bg_child_ended(int pidfd, int ms)
{
	int64_t deadline = bg_child_now() + ms;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, bg_child_left(deadline));
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

int bg_child_reap(pid_t pid)
{
	int status = -1;
	pid_t got;

	do {
		got = waitpid(pid, &status, __WALL);
	} while (got < 0 && errno == EINTR);
	return got == pid ? status : -1;
}

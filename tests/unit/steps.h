/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a function in a child, stopped at each system call: to kill it there
 * (RULES P12), or to count what it does. The child is killed by its pid and reaped.
 */
#ifndef BG_TESTS_STEPS_H
#define BG_TESTS_STEPS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void steps_fn(void *arg);

#define STEPS_COUNTED 512
struct steps {
	bool is_done;			/* the function came to its end */
	unsigned int stops;		/* entries to and exits from system calls */
	unsigned int of[STEPS_COUNTED]; /* entries by the call's number */
};

/* At the child's stop number `at` (from 1; 0: never) calls meanwhile, or kills it where that is
   NULL. */
static inline struct steps steps_run_with(
	steps_fn *fn, void *arg, unsigned int at, void (*meanwhile)(void))
{
	struct steps steps = { 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		fn(arg);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	(void)ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid) {
		struct __ptrace_syscall_info info = { 0 };

		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			steps.is_done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
			return steps;
		}
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		steps.stops++;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 &&
			info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr < STEPS_COUNTED)
			steps.of[info.entry.nr]++;
		if (steps.stops == at && meanwhile) {
			meanwhile();
		} else if (steps.stops == at) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return steps;
		}
	}
	return steps;
}

/* Kills the child at its stop number kill_at (from 1); 0: lets it come to its end. */
static inline struct steps steps_run(steps_fn *fn, void *arg, unsigned int kill_at)
{
	return steps_run_with(fn, arg, kill_at, NULL);
}

static inline void steps_nothing(void *arg)
{
	(void)arg;
}

/* System calls that fn makes, without those of the child's own end (a sanitizer adds some). */
static inline unsigned int steps_calls(steps_fn *fn, void *arg)
{
	struct steps with = steps_run(fn, arg, 0), without = steps_run(steps_nothing, NULL, 0);
	unsigned int n = 0;

	for (size_t i = 0; i < STEPS_COUNTED; i++)
		n += with.of[i] - without.of[i];
	return with.is_done && without.is_done ? n : 0;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What helper.c, program.c and watchdog.c share: children that know nothing of the process they
 * came from. */
#ifndef BG_OS_CHILD_H
#define BG_OS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* fork(2) without libc's fork handlers, of which the host may have registered any; exit_signal 0
   tells nobody of the child's end. In the child only async-signal-safe calls may follow. */
pid_t bg_child_clone(int exit_signal, int *ret_pidfd);

/* In the child: in and out become descriptors 0 to 2 (out -1: /dev/null, which 2 is too unless
   is_err_out), everything else is closed; own session, cwd "/", no pending alarm. False: failed. */
bool bg_child_descriptors(int in, int out, bool is_err_out);

/* In the child: all signals at their default and none blocked, as a program expects. */
void bg_child_signals(void);

/* In the child: becomes the program at path, with its file's name as the only argument, no
   environment, and signals as bg_child_signals has them; or ends with BG_CHILD_NOT_RUN. */
_Noreturn void bg_child_exec(const char *path);
#define BG_CHILD_NOT_RUN 127

/* CLOCK_MONOTONIC in milliseconds, and how many are left until deadline (0: none) for poll(2). */
int64_t bg_child_now(void);
int bg_child_left(int64_t deadline);

/* Waits at most ms milliseconds for pidfd's process to end. */
bool bg_child_ended(int pidfd, int ms);

/* Reaps pid (waiting: it has ended or was killed). Its wait(2) status, or -1. */
int bg_child_reap(pid_t pid);

#endif

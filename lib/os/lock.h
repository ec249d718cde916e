/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded wait for a lock file below /run/breakglass. su(1) and its like
 * run our code with the real uid of whoever called them, who may stop them, or
 * freeze their control group, while they hold a lock: that must not shut the
 * door. So each holder also holds a record lock, by which F_GETLK names its
 * process, and one whose real uid is not root's and that does not give the lock
 * back is killed by whoever waits. Whatever it left is what a kill leaves.
 */
#ifndef BREAKGLASS_LIB_LOCK_H
#define BREAKGLASS_LIB_LOCK_H

#include <breakglass/err.h>
#include <stdint.h>

/* Locks the open file fd for this process by flock(2), looking every pause_ms until deadline_ms
   (CLOCK_BOOTTIME). Closing fd gives the lock back. BG_ERR_BUSY; BG_ERR_IO with errno. */
BG_CHECKED enum bg_err bg_lock_take(int fd, uint64_t deadline_ms, unsigned int pause_ms);

#endif

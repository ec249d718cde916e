/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control groups in which a session's processes are (cgroups(7), version
 * 2). Nobody leaves one without root, and what is started in one is in it, so
 * to freeze them is to stop a chain of processes, each of which forks the next
 * and ends, and which no walk through /proc is sure to meet. There are two: one
 * of each login's own, made by its watchdog, and logind's slice of the account,
 * into which pam_systemd moves the login afterwards. In the slice other
 * sessions of the account stand still for the moment too; unlike SIGSTOP that
 * tells nobody and leaves no trace.
 */
#ifndef BREAKGLASS_OS_GROUP_H
#define BREAKGLASS_OS_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Moves the caller into the group breakglass-watchdog, in each hierarchy of systemd's: none of any
   unit's, none that bg_group_freeze freezes. True: there is a hierarchy of version 2, and the
   caller is in that group of it. */
bool bg_group_stand_apart(void);

/* Is there a hierarchy of version 2 that may be written? By the first process's mounts: the caller
   may be a service from which it is kept. */
bool bg_group_is_usable(void);

/* Makes the group of the login with this audit session id and moves the process pid into it, in
   the hierarchy of version 2 only. Thaws the slice of the account uid, if one who froze it was
   killed. Does nothing where there is no such hierarchy, or it is read-only. */
void bg_group_enter(uint32_t audit_session, uint32_t uid, pid_t pid);

/* Removes that group if nobody is left in it. */
void bg_group_remove(uint32_t audit_session);

/* Freezes all that is in both groups, and waits until it stands still, a quarter of a second at the
   most, and as long for another one who does the same. What it gives, bg_group_thaw wants, soon.
   The caller has stood apart, and holds no lock of ours: a sudo of the account's may hold it. */
struct bg_frozen {
	uint32_t audit_session, uid;
	int lock; /* -1: another one freezes at the same time */
};
struct bg_frozen bg_group_freeze(uint32_t audit_session, uint32_t uid);
void bg_group_thaw(struct bg_frozen *frozen);

#endif

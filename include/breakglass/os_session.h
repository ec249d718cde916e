/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending a session: who belongs to it, and how they are ended. A process is the
 * session's if its audit session id is, which only the kernel gives and which
 * setsid, daemons, tmux, su and sudo keep, and if its login uid is the
 * account's. The caller itself is never among them.
 */
#ifndef BREAKGLASS_OS_SESSION_H
#define BREAKGLASS_OS_SESSION_H

#include <breakglass/event.h>
#include <breakglass/os_state.h>

struct bg_herd {
	uint32_t audit_session, uid;
	struct bg_process
		leader;	 /* who opened the session and closes it (sshd, login); pid 0: unknown */
	bool may_freeze; /* the caller is in none of the session's control groups (os_group.h) */
};

enum bg_herd_who {
	BG_HERD_ALL,
	BG_HERD_FOLLOWERS /* all but the leader, who ends by himself when they do, and in order */
};

/* Sends signal (0: none) to each, by a descriptor, so that no number used anew is hit. Zombies do
   not count. Their number. */
size_t bg_herd_signal(const struct bg_herd *herd, enum bg_herd_who who, int signal);

/* How many are seen in one walk through /proc; if nobody, in a second one while none of them can
   fork. Where there is nothing to freeze, a process that forks and ends all the time may be missed
   in both: only 0 again and again is nobody. */
size_t bg_herd_count(const struct bg_herd *herd);

/* Ends them all: HUP and TERM; whoever is left after three seconds is killed, again and again; the
   leader last, and only when he does not go by himself. Gives how many were there at the
   beginning. patience_ms: BG_HERD_FOR_EVER, or after that *ret_left may not be 0. */
#define BG_HERD_FOR_EVER UINT64_MAX
size_t bg_herd_end(const struct bg_herd *herd, uint64_t patience_ms, size_t *ret_left);

/* Calls each with the device number of the terminal of each process that has one. */
void bg_herd_terminals(
	const struct bg_herd *herd, void (*each)(void *arg, uint32_t tty), void *arg);

struct bg_session_words {
	char request[2 * BG_SHA256_LEN + 1];
	char set[2 * BG_SET_ID_LEN + 1];
};
/* An event about a session, all its fields from the session's file. Borrows from all four. */
struct bg_event bg_session_event(const struct bg_session *session, enum bg_event_id id,
	const char *result, struct bg_session_words *words);

/* What open_session tells the session's watchdog, on its standard input. */
struct bg_watch_order {
	uint32_t audit_session;
	uint64_t opened_ms;
	struct bg_process leader;
};
#define BG_WATCH_ORDER_LEN 28
#define BG_WATCH_READY	   'r' /* its answer, when it has found everything and watches */

void bg_watch_order_write(
	const struct bg_watch_order *order, uint8_t ret[static BG_WATCH_ORDER_LEN]);
void bg_watch_order_read(const uint8_t p[static BG_WATCH_ORDER_LEN], struct bg_watch_order *ret);

/* Starts the watchdog at path (BG_PATH_WATCHDOG) so that it outlives the caller, who never learns
   of it: no child is left, no SIGCHLD comes, descriptors before = after. Waits for its readiness,
   two seconds at the most. BG_ERR_HELPER, BG_ERR_TIMEOUT, BG_ERR_IO. */
BG_CHECKED enum bg_err bg_watchdog_start(
	const char *path, const struct bg_watch_order *order, struct bg_diag *diag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BREAKGLASS_WATCHDOG_H
#define BREAKGLASS_WATCHDOG_H

#include <breakglass/os_session.h>

struct watch {
	struct bg_crypto *crypto;
	struct bg_session session; /* as its file last said */
	struct bg_herd herd;
	int leader_fd;	      /* -1: the leader has ended */
	uint64_t deadline_ms; /* the earliest that the file ever said */
	int severity;	      /* the configuration's */
	unsigned int warned;  /* a bit for each warning */
	/* beside.c's own */
	struct bg_shared_beside *shared;
	pid_t asker;  /* the child that looks around; -1: none */
	int asker_fd; /* -1: none, or done with */
	uint64_t beside_until_ms;
	bool is_beside_told;
};

/* Starts to find out what the session was opened beside. */
void watch_beside_begin(struct watch *watch);
/* Records it when it is known or its time is over; never waits. Has it been? */
bool watch_beside(struct watch *watch);

/* Watches until the session is closed and nobody of it is left. */
void watch_run(struct watch *watch);

/* Writes the warnings that are due, each once, to the session's terminals; never waits for one.
   Gives when the next is due, or the deadline. */
uint64_t watch_warn(struct watch *watch, uint64_t now_ms);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands every alert of the spool to every handler, in order, until it is taken.
 * One process, one child a handler at a time; a handler that fails or hangs
 * holds up nobody else's queue.
 */
#ifndef BREAKGLASS_ALERT_SERVICE_H
#define BREAKGLASS_ALERT_SERVICE_H

#include <breakglass/alert.h>
#include <sys/types.h>

#define BG_HANDLERS_MAX 32

/* The spool's folders, open; paths below them are names. */
struct bg_folders {
	int new, deferred, handlers, told;
};
BG_CHECKED enum bg_err bg_folders_open(struct bg_folders *ret, struct bg_diag *diag);

/* Moves everything in new/ to deferred/, before its first try. False: something could not be. */
bool bg_queue_take_new(const struct bg_folders *folders);
/* The lowest id in deferred/ above done, or 0. */
uint64_t bg_queue_next(const struct bg_folders *folders, uint64_t done);
/* Removes what every one of the count handlers has: ids up to done. */
void bg_queue_drop(const struct bg_folders *folders, uint64_t done);
/* Reads an alert. ret: BG_ALERT_MAX_LEN bytes. */
BG_CHECKED enum bg_err bg_queue_read(
	const struct bg_folders *folders, uint64_t id, char *ret, size_t *ret_len);

struct bg_handler {
	char name[BG_HANDLER_LEN + 1];
	bool is_there;	/* as of the last look */
	bool is_missed; /* not there, but was within a day: its alerts are kept */
	struct bg_alert_cursor cursor;
	pid_t pid;	      /* 0: idle */
	uint64_t id;	      /* being handed over */
	uint64_t deadline_ms; /* CLOCK_BOOTTIME: then TERM, two seconds later KILL */
	uint64_t latency_ms;
	bool is_termed;
};

struct bg_handlers {
	struct bg_handler list[BG_HANDLERS_MAX];
	size_t count;
};

/* Looks which handlers there are: executables that root alone can write. */
void bg_handlers_look(const struct bg_folders *folders, struct bg_handlers *handlers);
/* Starts idle ones that have an alert and whose pause is over. True: some are running. */
bool bg_handlers_start(const struct bg_folders *folders, struct bg_handlers *handlers);
bool bg_handlers_are_running(const struct bg_handlers *handlers);
/* Reaps those that ended, stops those whose time is over, keeps what came of it. */
void bg_handlers_attend(const struct bg_folders *folders, struct bg_handlers *handlers);

#endif

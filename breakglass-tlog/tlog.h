/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of breakglass-tlog. */
#ifndef BREAKGLASS_TLOG_H
#define BREAKGLASS_TLOG_H

#include <stdbool.h>
#include <stddef.h>

#define TLOG_LINE_LEN  16384	 /* bytes of a message */
#define TLOG_QUEUE_LEN (1 << 20) /* of messages that wait for the journal */

/* Lines on their way from tlog to the journal. */
struct tlog_sender {
	int fd;
	unsigned long sent, lost;
	size_t len;
	bool is_overlong; /* the line that is being read is dropped */
	char line[TLOG_LINE_LEN];
	size_t from, to; /* of the queue: each line with a NUL */
	char queue[TLOG_QUEUE_LEN];
};

void tlog_sender_open(struct tlog_sender *sender);
/* Takes len bytes of what tlog wrote; never waits: what the journal does not take at once waits in
   the queue, and is lost and counted where that is full. */
void tlog_send(struct tlog_sender *sender, const char *p, size_t len);
/* Tries those that wait; true: none does any more. */
bool tlog_flush(struct tlog_sender *sender);
/* Tries for half a second; the rest is lost. Then waits, two seconds at the most, until all is
 * read. */
void tlog_finish(struct tlog_sender *sender);
/* One message of our own, at a syslog priority; waits half a second for a full journal. */
void tlog_tell(struct tlog_sender *sender, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Has tlog record a shell on this terminal, to its end. True: the shell ended by itself. */
bool tlog_record(void);
/* That shell, inside: says at `path` that it begins, and that it ended. The exit status. */
int tlog_shell(const char *path);

#endif

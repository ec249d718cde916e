/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of breakglass-tlog. */
#ifndef BREAKGLASS_TLOG_H
#define BREAKGLASS_TLOG_H

#include <stdbool.h>
#include <stddef.h>

/* What tlog writes: at most this many bytes wait to be taken, and a message may have. */
#define TLOG_LINE_LEN 16384

/* Lines on their way from tlog to the journal. */
struct tlog_sender {
	int fd;
	unsigned long sent, lost;
	size_t len;
	bool is_overlong; /* the line that is being read is dropped */
	char line[TLOG_LINE_LEN];
};

void tlog_sender_open(struct tlog_sender *sender);
/* Takes len bytes of what tlog wrote; never waits: what the journal does not take at once is lost,
   and counted. */
void tlog_send(struct tlog_sender *sender, const char *p, size_t len);
/* One message of our own, at a syslog priority; waits half a second for a full journal. */
void tlog_tell(struct tlog_sender *sender, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Has tlog record a shell on this terminal, to its end. True: the shell ended by itself. */
bool tlog_record(void);
/* That shell, inside: says at `path` that it begins, and that it ended. The exit status. */
int tlog_shell(const char *path);

#endif

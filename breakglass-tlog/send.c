/* SPDX-License-Identifier: BSD-2-Clause */
/* To the journal by its own protocol, without waiting. journald adds uid and audit session, which
   the sender cannot choose, and keeps what the account without root cannot take away. */
#include "tlog.h"

#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEAD_LEN 256
#define TRIES	 10 /* half a second */
#define READ_MAX 40 /* two seconds */
#define REC_LEN	 96

void tlog_sender_open(struct tlog_sender *sender)
{
	memset(sender, 0, sizeof(*sender));
	sender->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* As tlog's own writer names it, so that tlog-play finds it: the id of the recording. */
static void put_id(const char *line, char ret[static REC_LEN])
{
	static const char name[] = "\"rec\":\"";
	const char *p = strstr(line, name);
	size_t len = p ? strcspn(p + strlen(name), "\"\n") : 0;

	ret[0] = '\0';
	if (len > 0 && len < REC_LEN)
		(void)snprintf(ret, REC_LEN, "%.*s", (int)len, p + strlen(name));
}

/* text: one line. */
static bool send_one(const struct tlog_sender *sender, int priority, const char *text)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	char datagram[HEAD_LEN + REC_LEN + TLOG_LINE_LEN], rec[REC_LEN];
	int len;

	put_id(text, rec);
	len = snprintf(datagram, sizeof(datagram),
		"PRIORITY=%d\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=breakglass-tlog\n%s%s%sMESSAGE="
		"%s\n",
		priority, rec[0] ? "TLOG_REC=" : "", rec, rec[0] ? "\n" : "", text);
	if (sender->fd < 0 || len < 0 || (size_t)len >= sizeof(datagram))
		return false;
	return sendto(sender->fd, datagram, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL,
		       (const struct sockaddr *)&to, sizeof(to)) == len;
}

static void wait_a_little(void)
{
	static const struct timespec pause = { .tv_nsec = 50000000 };

	(void)nanosleep(&pause, NULL);
}

bool tlog_flush(struct tlog_sender *sender)
{
	while (sender->from < sender->to) {
		if (!send_one(sender, 7, sender->queue + sender->from))
			return false;
		sender->from += strlen(sender->queue + sender->from) + 1;
		sender->sent++;
	}
	sender->from = sender->to = 0;
	return true;
}

/* journald looks up who sent something when it reads it: of one that is gone it knows no audit
   session, and a report would lack the end of the recording. (unix(7): SIOCOUTQ.) */
static void wait_until_read(const struct tlog_sender *sender)
{
	int unread = 0;

	for (int i = 0; i < READ_MAX && ioctl(sender->fd, SIOCOUTQ, &unread) == 0 && unread > 0;
		i++)
		wait_a_little();
	wait_a_little(); /* read, and not looked up yet */
}

void tlog_finish(struct tlog_sender *sender)
{
	for (int i = 0; i < TRIES && !tlog_flush(sender); i++)
		wait_a_little();
	for (; sender->from < sender->to; sender->lost++)
		sender->from += strlen(sender->queue + sender->from) + 1;
	wait_until_read(sender);
}

static void end_line(struct tlog_sender *sender)
{
	size_t len = sender->len + 1;

	sender->line[sender->len] = '\0';
	if (sender->from > 0 && sender->to + len > sizeof(sender->queue)) {
		memmove(sender->queue, sender->queue + sender->from, sender->to - sender->from);
		sender->to -= sender->from;
		sender->from = 0;
	}
	if (sender->is_overlong || sender->to + len > sizeof(sender->queue)) {
		sender->lost++;
	} else if (sender->len > 0) {
		memcpy(sender->queue + sender->to, sender->line, len);
		sender->to += len;
	}
	sender->len = 0;
	sender->is_overlong = false;
}

void tlog_send(struct tlog_sender *sender, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\n')
			end_line(sender);
		else if (sender->len + 1 < sizeof(sender->line))
			sender->line[sender->len++] = p[i];
		else
			sender->is_overlong = true;
	}
	(void)tlog_flush(sender);
}

void tlog_tell(struct tlog_sender *sender, int priority, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (int i = 0; i < TRIES && !send_one(sender, priority, text); i++)
		wait_a_little();
}

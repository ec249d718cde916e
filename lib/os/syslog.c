/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks.h"

#include <breakglass/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"
#define KMSG	      "/dev/kmsg"
#define AUTHPRIV      (10 << 3)
#define LINE_LEN      (BG_EVENT_TEXT_LEN + 64)
#define KMSG_LEN      900 /* the kernel refuses longer records than about 970 bytes */

/* No time of our own: local time would ask TZ, and each syslogd takes its own instead. */
bool bg_syslog_send(int severity, const char *identifier, const char *text, uint64_t deadline_ms)
{
	char line[LINE_LEN];
	int len = snprintf(line, sizeof(line), "<%d>%s[%ld]: %s", AUTHPRIV | severity, identifier,
		(long)getpid(), text);

	if (len < 0 || (size_t)len >= sizeof(line))
		return false;
	return bg_datagram_send(SYSLOG_SOCKET, line, (size_t)len, -1, deadline_ms);
}

/* The kernel takes a record in one write, or not at all. */
static bool write_kmsg(const char *line, size_t len)
{
	int fd = open(KMSG, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	bool is_taken = false;
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode))
		is_taken = write(fd, line, len) == (ssize_t)len;
	(void)close(fd);
	return is_taken;
}

bool bg_kmsg_send(int severity, const char *identifier, const char *text)
{
	char line[KMSG_LEN];
	int len = snprintf(line, sizeof(line), "<%d>%s: %s", AUTHPRIV | severity, identifier, text);

	if (len < 0)
		return false;
	return write_kmsg(line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

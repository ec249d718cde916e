/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"
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

bool bg_kmsg_send(int severity, const char *identifier, const char *text)
{
	__attribute__((cleanup(bg_fd_close))) int fd =
		open(KMSG, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	char line[KMSG_LEN];
	struct stat st;
	int len;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode))
		return false;
	len = snprintf(line, sizeof(line), "<%d>%s: %s", AUTHPRIV | severity, identifier, text);
	if (len < 0)
		return false;
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	return write(fd, line, (size_t)len) == len;
}

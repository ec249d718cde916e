/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_helper.h>
#include <breakglass/os_ways.h>

#include "child.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSHD	    "/usr/sbin/sshd"
#define CONF_SECS   3
#define BANNER_MS   2000
#define ADDRESS_MAX 4
#define KEYWORD	    "listenaddress "
#define USUAL	    KEYWORD "0.0.0.0:22\n" KEYWORD "[::]:22\n"

enum bg_way_state bg_way_nologin(void)
{
	return access("/run/nologin", F_OK) == 0 || access("/etc/nologin", F_OK) == 0 ? BG_WAY_BAD
										      : BG_WAY_GOOD;
}

/* Waits for events of fd. False: the time is over. */
static bool await(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, bg_child_left(deadline));
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Any words do: sshd says something to one too many as well. */
static bool does_speak(const struct addrinfo *address, int64_t deadline)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_spoken = false;
	char word;

	if (fd < 0)
		return false;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
		is_spoken = await(fd, POLLOUT, deadline) && await(fd, POLLIN, deadline) &&
			    recv(fd, &word, 1, MSG_DONTWAIT) == 1;
	(void)close(fd);
	return is_spoken;
}

/* "0.0.0.0:22" or "[::]:22", of len bytes. Linux connects to the loopback address for those. */
static bool ask_at(const char *text, size_t len, int64_t deadline)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[128], *port;
	bool is_spoken;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	port = strrchr(host, ':');
	if (port == NULL)
		return false;
	*port++ = '\0';
	if (host[0] == '[')
		host[strcspn(host, "]")] = '\0';
	if (getaddrinfo(host[0] == '[' ? host + 1 : host, port, &hints, &found) != 0)
		return false;
	is_spoken = does_speak(found, deadline);
	freeaddrinfo(found);
	return is_spoken;
}

enum bg_way_state bg_way_sshd(void)
{
	/* sshd wants to know whose connection it is, where its configuration has Match */
	static const char *const argv[] = { SSHD, "-T", "-C",
		"user=root,host=localhost,addr=127.0.0.1", NULL };
	static char text[16384];
	const char *p = text;
	int status = -1;
	int64_t deadline;

	if (access(SSHD, X_OK) != 0)
		return BG_WAY_NONE;
	if (bg_program_run(argv, NULL, CONF_SECS, text, sizeof(text), &status, NULL) != BG_OK ||
		status != 0)
		(void)snprintf(text, sizeof(text), "%s", USUAL); /* it does not run, or cannot */
	deadline = bg_child_now() + BANNER_MS;
	for (int i = 0; i < ADDRESS_MAX && (p = strstr(p, KEYWORD)) != NULL; i++) {
		p += strlen(KEYWORD);
		if (ask_at(p, strcspn(p, "\n"), deadline))
			return BG_WAY_GOOD;
	}
	return BG_WAY_BAD;
}

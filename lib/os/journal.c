/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"
#include "sinks.h"

#include <breakglass/os_clock.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Room for both kinds of control data, aligned for the first header. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
};

static void put_control(struct msghdr *msg, union control *control, int passed)
{
	const struct ucred ids = { .pid = getpid(), .uid = geteuid(), .gid = getegid() };
	struct cmsghdr *cmsg;

	msg->msg_control = control->bytes;
	msg->msg_controllen = sizeof(control->bytes);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_CREDENTIALS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(ids));
	memcpy(CMSG_DATA(cmsg), &ids, sizeof(ids));
	if (passed < 0) {
		msg->msg_controllen = CMSG_SPACE(sizeof(ids));
		return;
	}
	cmsg = CMSG_NXTHDR(msg, cmsg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(passed));
	memcpy(CMSG_DATA(cmsg), &passed, sizeof(passed));
}

/* Sends, again while the receiver's queue is full and there is time. */
static bool send_until(int fd, const struct msghdr *msg, uint64_t deadline_ms)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (;;) {
		if (sendmsg(fd, msg, MSG_NOSIGNAL) >= 0)
			return true;
		if ((errno != EAGAIN && errno != EINTR) || bg_clock_boot_ms() >= deadline_ms)
			return false;
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
}

bool bg_datagram_send(const char *path, const void *p, size_t len, int passed, uint64_t deadline_ms)
{
	__attribute__((cleanup(bg_fd_close))) int fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	union control control = { 0 };
	struct iovec data = { .iov_len = len };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to) };

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return false;
	memcpy(to.sun_path, path, strlen(path) + 1);
	memcpy(&data.iov_base, &p, sizeof(p));
	if (len) {
		msg.msg_iov = &data;
		msg.msg_iovlen = 1;
	}
	put_control(&msg, &control, passed);
	return send_until(fd, &msg, deadline_ms);
}

/* The bytes in a memfd that nobody can change any more; -1: none. */
static int sealed_memfd(const void *p, size_t len)
{
	int fd = memfd_create("breakglass", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, p, len) == (ssize_t)len &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ==
			0)
		return fd;
	(void)close(fd);
	return -1;
}

bool bg_journal_send(const void *p, size_t len, uint64_t deadline_ms)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;

	if (bg_datagram_send(JOURNAL_SOCKET, p, len, -1, deadline_ms))
		return true;
	if (errno != EMSGSIZE && errno != ENOBUFS)
		return false;
	fd = sealed_memfd(p, len);
	return fd >= 0 && bg_datagram_send(JOURNAL_SOCKET, "", 0, fd, deadline_ms);
}

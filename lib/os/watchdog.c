/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog must outlive the login that starts it, and the login's program
 * must not learn of it: a first copy of that program, cloned without exit
 * signal, starts it and ends at once, so that it becomes the first process's.
 */
#include <breakglass/os_session.h>

#include "child.h"

#include <breakglass/bytes.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_MS      2000
#define EXIT_INTERNAL 125

void bg_watch_order_write(
	const struct bg_watch_order *order, uint8_t ret[static BG_WATCH_ORDER_LEN])
{
	struct bg_writer w = { .p = ret, .cap = BG_WATCH_ORDER_LEN };

	bg_put_u32(&w, order->audit_session);
	bg_put_u64(&w, order->opened_ms);
	bg_put_u32(&w, (uint32_t)order->leader.pid);
	bg_put_u32(&w, (uint32_t)order->leader.parent);
	bg_put_u64(&w, order->leader.start_ticks);
}

void bg_watch_order_read(const uint8_t p[static BG_WATCH_ORDER_LEN], struct bg_watch_order *ret)
{
	struct bg_view v = { .p = p, .len = BG_WATCH_ORDER_LEN };

	ret->audit_session = bg_view_u32(&v);
	ret->opened_ms = bg_view_u64(&v);
	ret->leader.pid = (pid_t)bg_view_u32(&v);
	ret->leader.parent = (pid_t)bg_view_u32(&v);
	ret->leader.start_ticks = bg_view_u64(&v);
}

/* All signals stay blocked in this copy of the host: none of its handlers ever runs here. */
_Noreturn static void first_run(const char *path, int sock)
{
	int pidfd = -1;
	pid_t pid;

	/* its standard output too: where it says that it is ready */
	if (!bg_child_descriptors(sock, sock, false))
		_exit(EXIT_INTERNAL);
	pid = bg_child_clone(0, &pidfd);
	if (pid == 0)
		bg_child_exec(path);
	_exit(pid < 0 ? EXIT_INTERNAL : 0);
}

static enum bg_err start(const char *path, int *ret_sock)
{
	sigset_t all, before;
	int sv[2], pidfd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return BG_ERR_IO;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = bg_child_clone(0, &pidfd);
	if (pid == 0)
		first_run(path, sv[1]);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(sv[1]);
	if (pid < 0) {
		(void)close(sv[0]);
		return BG_ERR_IO;
	}
	if (!bg_child_ended(pidfd, READY_MS))
		(void)kill(pid, SIGKILL);
	(void)bg_child_reap(pid);
	(void)close(pidfd);
	*ret_sock = sv[0];
	return BG_OK;
}

/* BG_ERR_HELPER: it ended instead. */
static enum bg_err await_ready(int sock, int64_t deadline)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char answer = 0;
	int n;

	do {
		n = poll(&p, 1, bg_child_left(deadline));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return BG_ERR_TIMEOUT;
	return recv(sock, &answer, 1, MSG_DONTWAIT) == 1 && answer == BG_WATCH_READY
		       ? BG_OK
		       : BG_ERR_HELPER;
}

enum bg_err bg_watchdog_start(
	const char *path, const struct bg_watch_order *order, struct bg_diag *diag)
{
	int64_t deadline = bg_child_now() + READY_MS;
	uint8_t message[BG_WATCH_ORDER_LEN];
	int sock = -1;
	enum bg_err err = start(path, &sock);

	if (err != BG_OK)
		return bg_diag_set(diag, err, path, "cannot be started");
	bg_watch_order_write(order, message);
	/* MSG_NOSIGNAL: one that is not there is an answer, not a SIGPIPE to the host */
	if (send(sock, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message))
		err = BG_ERR_HELPER;
	else
		err = await_ready(sock, deadline);
	(void)close(sock);
	return err == BG_OK ? err : bg_diag_set(diag, err, path, "does not watch");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execve(2) sets a child's exit signal back to SIGCHLD, so a helper that the
 * host itself had started would be known to the host's SIGCHLD and wait(). It
 * is the child of a keeper instead: a copy of this process, cloned without
 * exit signal, that never becomes another program, waits for the helper, and
 * ends it when our side of the socket closes, be it that we are done, that we
 * lost patience, or that the host was killed.
 */
#include <breakglass/os_helper.h>

#include "child.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_SECS    10   /* beyond the touch: finding the key, the PIN, the processes */
#define CANCEL_MS     800  /* what a helper gets to tell its key that nobody waits any more */
#define KEEPER_MS     3000 /* until a keeper that does not end is killed */
#define FRAME_LEN     4
#define EXIT_KILLED   126
#define EXIT_INTERNAL 125

/* Has the PIN. */
struct message {
	uint8_t bytes[BG_FIDO2_MESSAGE_MAX_LEN];
};

static void message_wipe(struct message *message)
{
	bg_wipe(message, sizeof(*message));
}

struct running {
	int sock, keeper_fd;
	pid_t keeper;
	int64_t deadline;
};

_Noreturn static void helper_exec(const char *path)
{
	/* gone with its keeper; one that changes its ids says so again itself */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bg_child_exec(path);
}

/* Until the helper ends or the host's side closes; in the keeper. */
static bool helper_ends_first(int pidfd)
{
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLRDHUP } };
	int n;

	do {
		n = poll(p, 2, (BG_FIDO2_TIMEOUT_MAX + 2 * GRACE_SECS) * 1000);
	} while (n < 0 && errno == EINTR);
	return p[0].revents != 0;
}

/* All signals stay blocked here: none of the host's handlers ever runs in this copy of it. */
_Noreturn static void keeper_run(const char *path, int sock)
{
	int pidfd = -1, status;
	pid_t pid;

	if (!bg_child_descriptors(sock, sock, false))
		_exit(EXIT_INTERNAL);
	pid = bg_child_clone(SIGCHLD, &pidfd);
	if (pid == 0)
		helper_exec(path);
	if (pid < 0)
		_exit(EXIT_INTERNAL);
	if (!helper_ends_first(pidfd) && !bg_child_ended(pidfd, CANCEL_MS))
		(void)kill(pid, SIGKILL);
	status = bg_child_reap(pid);
	_exit(status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KILLED);
}

static enum bg_err keeper_start(const char *path, struct running *run, struct bg_diag *diag)
{
	sigset_t all, before;
	int sv[2], saved;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0) {
		if (diag)
			diag->sys_errno = errno;
		return bg_diag_set(diag, BG_ERR_IO, path, "socketpair");
	}
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	run->keeper = bg_child_clone(0, &run->keeper_fd);
	if (run->keeper == 0)
		keeper_run(path, sv[1]);
	saved = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(sv[1]);
	run->sock = sv[0];
	if (run->keeper > 0)
		return BG_OK;
	(void)close(sv[0]);
	if (diag)
		diag->sys_errno = saved;
	return bg_diag_set(diag, BG_ERR_IO, path, "clone");
}

/* Closes our side, which ends the helper, and reaps the keeper. Its exit status, or -1. */
static int keeper_end(struct running *run)
{
	int status;

	(void)close(run->sock);
	if (!bg_child_ended(run->keeper_fd, KEEPER_MS))
		(void)kill(run->keeper, SIGKILL);
	status = bg_child_reap(run->keeper);
	(void)close(run->keeper_fd);
	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* BG_OK when the socket is ready for events; BG_ERR_TIMEOUT. */
static enum bg_err await(const struct running *run, short events)
{
	struct pollfd p = { .fd = run->sock, .events = events };
	int n;

	do {
		n = poll(&p, 1, bg_child_left(run->deadline));
	} while (n < 0 && errno == EINTR);
	return n > 0 ? BG_OK : n == 0 ? BG_ERR_TIMEOUT : BG_ERR_IO;
}

static enum bg_err send_all(const struct running *run, const uint8_t *p, size_t len)
{
	enum bg_err err = BG_OK;

	while (len > 0 && !err) {
		/* MSG_NOSIGNAL: a helper that died is an answer, not a SIGPIPE to the host */
		ssize_t n = send(run->sock, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			err = await(run, POLLOUT);
		} else if (n == 0 || errno != EINTR) {
			err = BG_ERR_HELPER;
		}
	}
	return err;
}

static enum bg_err receive_all(const struct running *run, uint8_t *p, size_t len)
{
	enum bg_err err = BG_OK;

	while (len > 0 && !err) {
		ssize_t n = recv(run->sock, p, len, MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			err = await(run, POLLIN);
		} else if (n == 0 || errno != EINTR) {
			err = BG_ERR_HELPER;
		}
	}
	return err;
}

static enum bg_err send_frame(const struct running *run, const uint8_t *p, size_t len)
{
	uint8_t bytes[FRAME_LEN];
	struct bg_writer head = { bytes, FRAME_LEN, 0, false };
	enum bg_err err;

	bg_put_u32(&head, (uint32_t)len);
	err = send_all(run, bytes, FRAME_LEN);
	return err ? err : send_all(run, p, len);
}

static enum bg_err receive_frame(
	const struct running *run, uint8_t *ret, size_t size, size_t *ret_len)
{
	uint8_t bytes[FRAME_LEN];
	struct bg_view head = { bytes, FRAME_LEN, false };
	enum bg_err err = receive_all(run, bytes, FRAME_LEN);
	uint32_t len;

	if (err)
		return err;
	len = bg_view_u32(&head);
	if (len > size)
		return BG_ERR_HELPER;
	*ret_len = len;
	return receive_all(run, ret, len);
}

enum bg_err bg_helper_exchange(const char *path, unsigned int timeout_secs, const uint8_t *request,
	size_t len, uint8_t *ret, size_t size, size_t *ret_len, struct bg_diag *diag)
{
	struct running run = { .keeper_fd = -1 };
	enum bg_err err;
	int status;

	run.deadline = bg_child_now() + (int64_t)timeout_secs * 1000;
	err = keeper_start(path, &run, diag);
	if (err)
		return err;
	err = send_frame(&run, request, len);
	if (!err)
		err = receive_frame(&run, ret, size, ret_len);
	status = keeper_end(&run);
	if (!err)
		return BG_OK;
	if (err == BG_ERR_TIMEOUT)
		return bg_diag_set(diag, err, path, "no answer");
	if (err == BG_ERR_HELPER && status == BG_CHILD_NOT_RUN)
		return bg_diag_set(diag, err, path, "missing or not executable");
	if (err == BG_ERR_HELPER)
		return bg_diag_set(diag, err, path, "no well-formed answer (status %d)", status);
	return bg_diag_set(diag, err, path, "request");
}

enum bg_err bg_helper_run(const char *path, const struct bg_fido2_request *request,
	struct bg_fido2_reply *ret, struct bg_diag *diag)
{
	BG_WIPE(message_wipe) struct message message;
	struct bg_writer body = { message.bytes, sizeof(message.bytes), 0, false };
	struct bg_fido2_reply reply = { 0 };
	size_t len = 0;
	enum bg_err err;

	if (request->timeout_secs > BG_FIDO2_TIMEOUT_MAX)
		return bg_diag_set(diag, BG_ERR_ARGUMENT, path, "timeout_secs");
	err = bg_fido2_request_encode(request, &body);
	if (err)
		return bg_diag_set(diag, err, path, "request");
	err = bg_helper_exchange(path, request->timeout_secs + GRACE_SECS, message.bytes, body.len,
		message.bytes, sizeof(message.bytes), &len, diag);
	if (err)
		return err;
	if (bg_fido2_reply_decode(message.bytes, len, &reply) ||
		(reply.credential > 0 && reply.credential >= request->credential_count))
		return bg_diag_set(diag, BG_ERR_HELPER, path, "no well-formed answer");
	*ret = reply;
	if (reply.err)
		(void)bg_diag_set(diag, reply.err, NULL, "%s", reply.detail);
	return BG_OK;
}

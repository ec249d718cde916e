/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_helper.h>

#include "child.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct talk {
	int in, out; /* our ends; -1: closed */
	const char *input;
	size_t left;
	char *buf;
	size_t size, len;
};

_Noreturn static void program_exec(const char *const argv[], int in, int out)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = { path, NULL };
	union {
		const char *const *in;
		char *const *out;
	} args = { .in = argv }; /* execve changes nothing of it */

	if (!bg_child_descriptors(in, out, true))
		_exit(BG_CHILD_NOT_RUN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bg_child_signals();
	(void)execve(argv[0], args.out, env);
	_exit(BG_CHILD_NOT_RUN);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void talk_write(struct talk *talk)
{
	ssize_t n = 0;

	if (talk->left > 0)
		n = send(talk->in, talk->input, talk->left, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		talk->input += n;
		talk->left -= (size_t)n;
	}
	/* done, or the program does not want the rest */
	if (talk->left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&talk->in);
}

static void talk_read(struct talk *talk)
{
	char waste[512];
	size_t room = talk->size - 1 - talk->len;
	char *to = room ? talk->buf + talk->len : waste;
	ssize_t n = recv(talk->out, to, room ? room : sizeof(waste), MSG_DONTWAIT);

	if (n > 0 && room)
		talk->len += (size_t)n;
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&talk->out);
}

/* Until the program ended (a grandchild may hold its output open longer) or the deadline. */
static enum bg_err converse(struct talk *talk, int pidfd, int64_t deadline)
{
	for (;;) {
		struct pollfd p[] = { { .fd = talk->in, .events = POLLOUT },
			{ .fd = talk->out, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
		int n = poll(p, 3, bg_child_left(deadline));

		if (n < 0 && errno != EINTR)
			return BG_ERR_IO;
		if (n == 0)
			return BG_ERR_TIMEOUT;
		if (n > 0 && p[0].revents)
			talk_write(talk);
		if (n > 0 && p[1].revents)
			talk_read(talk);
		else if (n > 0 && p[2].revents)
			return BG_OK; /* ended, and nothing is left to read */
	}
}

static enum bg_err start(
	const char *const argv[], struct talk *talk, pid_t *ret_pid, int *ret_pidfd)
{
	int in[2], out[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return BG_ERR_IO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return BG_ERR_IO;
	}
	*ret_pid = bg_child_clone(SIGCHLD, ret_pidfd);
	if (*ret_pid == 0)
		program_exec(argv, in[1], out[1]);
	(void)close(in[1]);
	(void)close(out[1]);
	talk->in = in[0];
	talk->out = out[0];
	return *ret_pid > 0 ? BG_OK : BG_ERR_IO;
}

enum bg_err bg_program_run(const char *const argv[], const char *input, unsigned int timeout_secs,
	char *out, size_t out_size, int *ret_status, struct bg_diag *diag)
{
	size_t len;

	return bg_program_collect(argv, input, timeout_secs, out, out_size, &len, ret_status, diag);
}

enum bg_err bg_program_collect(const char *const argv[], const char *input,
	unsigned int timeout_secs, char *out, size_t out_size, size_t *ret_len, int *ret_status,
	struct bg_diag *diag)
{
	struct talk talk = {
		.in = -1, .out = -1, .input = input ? input : "", .buf = out, .size = out_size
	};
	int64_t deadline = bg_child_now() + (int64_t)timeout_secs * 1000;
	int pidfd = -1, status;
	enum bg_err err;
	pid_t pid = -1;

	*ret_len = 0;
	if (out_size == 0 || !argv[0] || argv[0][0] != '/')
		return bg_diag_set(diag, BG_ERR_ARGUMENT, argv[0], "program");
	talk.left = strlen(talk.input);
	err = start(argv, &talk, &pid, &pidfd);
	if (!err)
		err = converse(&talk, pidfd, deadline);
	else if (diag)
		diag->sys_errno = errno;
	close_end(&talk.in);
	close_end(&talk.out);
	out[talk.len] = '\0';
	*ret_len = talk.len;
	if (pid < 0)
		return bg_diag_set(diag, err, argv[0], "cannot be started");
	if (err)
		(void)kill(pid, SIGKILL);
	status = bg_child_reap(pid);
	(void)close(pidfd);
	if (err)
		return bg_diag_set(diag, err, argv[0], "did not end in %u s", timeout_secs);
	if (status == -1 || !WIFEXITED(status))
		return bg_diag_set(diag, BG_ERR_IO, argv[0], "was killed");
	if (WEXITSTATUS(status) == BG_CHILD_NOT_RUN)
		return bg_diag_set(diag, BG_ERR_NOENT, argv[0], "missing or not executable");
	*ret_status = WEXITSTATUS(status);
	return BG_OK;
}

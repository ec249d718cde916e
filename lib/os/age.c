/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_age.h>

#include "child.h"
#include "io.h"

#include <breakglass/bytes.h>
#include <breakglass/crypto.h>
#include <breakglass/keys.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGE	     "/usr/bin/age"
#define IDENTITY_FD  3
#define IDENTITY     "/dev/fd/3"
#define COLLECT_SECS 120

bool bg_age_is_there(void)
{
	return access(AGE, X_OK) == 0;
}

bool bg_age_is_file(int fd)
{
	static const char *const heads[] = { "age-encryption.org/v1\n",
		"-----BEGIN AGE ENCRYPTED FILE-----" };
	char head[40] = "";
	ssize_t n = pread(fd, head, sizeof(head) - 1, 0);

	for (size_t i = 0; n > 0 && i < sizeof(heads) / sizeof(heads[0]); i++)
		if (strncmp(head, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

/* Descriptors 0 to 2 and, with an identity, 3; nothing else. */
static bool place(int in, int out, int says, int identity)
{
	const int wanted[] = { in, out, says, identity };
	int safe[4];

	for (int i = 0; i < 4; i++) {
		safe[i] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD_CLOEXEC, IDENTITY_FD + 1);
		if (wanted[i] >= 0 && safe[i] < 0)
			return false;
	}
	for (int i = 0; i < 4; i++)
		if (safe[i] >= 0 && dup2(safe[i], i) < 0)
			return false;
	return close_range(identity < 0 ? IDENTITY_FD : IDENTITY_FD + 1, UINT_MAX, 0) == 0;
}

_Noreturn static void run(const char *const argv[], int in, int out, int says, int identity)
{
	char path[] = "PATH=/usr/bin:/bin";
	char *const env[] = { path, NULL };
	union {
		const char *const *in;
		char *const *out;
	} args = { .in = argv }; /* execve changes nothing of it */

	if (!place(in, out, says, identity) || chdir("/") != 0)
		_exit(BG_CHILD_NOT_RUN);
	(void)setsid(); /* no terminal to ask at */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bg_child_signals();
	(void)execve(AGE, args.out, env);
	_exit(BG_CHILD_NOT_RUN);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A pipe that holds text and its end; *ret: where to read it. */
static enum bg_err fill_pipe(const char *text, int *ret)
{
	int ends[2];
	enum bg_err err;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return BG_ERR_IO;
	err = bg_io_write_all(ends[1], text, strlen(text));
	(void)close(ends[1]);
	/* age waits for nothing: all is there */
	if (!err && fcntl(ends[0], F_SETFL, 0) != 0)
		err = BG_ERR_IO;
	if (err)
		(void)close(ends[0]);
	else
		*ret = ends[0];
	return err;
}

static enum bg_err start(struct bg_age *ret, const char *const argv[], const char *identity, int in,
	int out, struct bg_diag *diag)
{
	int says[2] = { -1, -1 }, plain[2] = { -1, -1 }, key = -1;
	enum bg_err err = BG_OK;

	*ret = (struct bg_age){ .pid = -1, .pidfd = -1, .says = -1, .plain = -1 };
	if (!bg_age_is_there())
		return bg_diag_set(diag, BG_ERR_NOENT, AGE, "it opens envelopes, and is missing");
	if (identity)
		err = fill_pipe(identity, &key);
	if (!err && (pipe2(says, O_CLOEXEC) != 0 || (out < 0 && pipe2(plain, O_CLOEXEC) != 0)))
		err = BG_ERR_IO;
	if (!err) {
		ret->pid = bg_child_clone(SIGCHLD, &ret->pidfd);
		if (ret->pid == 0)
			run(argv, in, out < 0 ? plain[1] : out, says[1], key);
		if (ret->pid < 0)
			err = BG_ERR_IO;
	}
	if (err && diag)
		diag->sys_errno = errno;
	close_end(&key);
	close_end(&says[1]);
	close_end(&plain[1]);
	if (err) {
		close_end(&says[0]);
		close_end(&plain[0]);
	}
	ret->says = says[0];
	ret->plain = plain[0];
	return err ? bg_diag_set(diag, err, AGE, "cannot be started") : BG_OK;
}

enum bg_err bg_age_decrypt(
	struct bg_age *ret, const char *identity, int in, int out, struct bg_diag *diag)
{
	static const char *const argv[] = { AGE, "--decrypt", "--identity", IDENTITY, NULL };

	return start(ret, argv, identity, in, out, diag);
}

enum bg_err bg_age_encrypt(
	struct bg_age *ret, const char *recipient, int in, int out, struct bg_diag *diag)
{
	char whom[BG_AGE_RECIPIENT_LEN +
		  1]; /* the caller's may be memory that a child sees wiped */
	const char *const argv[] = { AGE, "--encrypt", "--recipient", whom, NULL };

	(void)snprintf(whom, sizeof(whom), "%s", recipient);
	return start(ret, argv, NULL, in, out, diag);
}

/* Keeps the beginning of what age says. */
static void listen(struct bg_age *age)
{
	char waste[256];
	size_t room = sizeof(age->words) - 1 - age->words_len;
	ssize_t n = read(
		age->says, room ? age->words + age->words_len : waste, room ? room : sizeof(waste));

	if (n > 0 && room)
		age->words_len += (size_t)n;
	else if (n == 0 || (n < 0 && errno != EINTR))
		close_end(&age->says);
}

/* Waits until something can be read from fd (or, -1, age has ended), listening meanwhile. */
static enum bg_err wait_for(struct bg_age *age, int fd, int64_t deadline)
{
	for (;;) {
		struct pollfd p[] = { { .fd = age->says, .events = POLLIN },
			{ .fd = fd < 0 ? age->pidfd : fd, .events = POLLIN } };
		int n = poll(p, 2, bg_child_left(deadline));

		if (n < 0 && errno != EINTR)
			return BG_ERR_IO;
		if (n == 0)
			return BG_ERR_TIMEOUT;
		if (n > 0 && p[0].revents)
			listen(age);
		else if (n > 0 && p[1].revents)
			return BG_OK;
	}
}

enum bg_err bg_age_collect(
	struct bg_age *age, char *buf, size_t size, size_t *ret_len, struct bg_diag *diag)
{
	int64_t deadline = bg_child_now() + COLLECT_SECS * 1000;
	size_t len = 0;
	enum bg_err err = BG_OK;

	while (!err) {
		char one;
		ssize_t n;

		err = wait_for(age, age->plain, deadline);
		if (err)
			break;
		n = read(age->plain, len < size ? buf + len : &one, len < size ? size - len : 1);
		if (n == 0)
			break;
		if (n > 0 && len < size)
			len += (size_t)n;
		else if (n > 0)
			err = BG_ERR_TOO_BIG;
		else if (errno != EINTR)
			err = BG_ERR_IO;
	}
	close_end(&age->plain);
	if (err)
		bg_wipe(buf, len);
	else
		*ret_len = len;
	return err ? bg_diag_set(diag, err, AGE, "what it gives out") : BG_OK;
}

/* "age: error: no identity matched any of the recipients" -> what follows the last heading; what a
   terminal might obey is left out. */
static void quote(struct bg_age *age, struct bg_diag *diag)
{
	char *text = age->words, *line;

	text[age->words_len] = '\0';
	line = strstr(text, "age: error: ");
	if (line)
		text = line + strlen("age: error: ");
	text[strcspn(text, "\n")] = '\0';
	for (char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	(void)bg_diag_set(diag, BG_OK, AGE, "%s", text);
}

static enum bg_err judge(struct bg_age *age, int status, struct bg_diag *diag)
{
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return BG_OK;
	if (status == -1 || !WIFEXITED(status))
		return bg_diag_set(diag, BG_ERR_IO, AGE, "was killed");
	if (WEXITSTATUS(status) == BG_CHILD_NOT_RUN)
		return bg_diag_set(diag, BG_ERR_NOENT, AGE, "missing or not executable");
	quote(age, diag);
	if (strstr(age->words, "no identity matched"))
		return BG_ERR_OTHER_SET;
	return strstr(age->words, "/dev/stdout") || strstr(age->words, IDENTITY) ? BG_ERR_IO
										 : BG_ERR_SYNTAX;
}

enum bg_err bg_age_finish(struct bg_age *age, unsigned int timeout_secs, struct bg_diag *diag)
{
	enum bg_err err;
	int status;

	close_end(&age->plain);
	err = wait_for(age, -1, bg_child_now() + (int64_t)timeout_secs * 1000);
	if (err)
		(void)kill(age->pid, SIGKILL);
	status = bg_child_reap(age->pid);
	close_end(&age->says);
	close_end(&age->pidfd);
	age->pid = -1;
	return err ? bg_diag_set(diag, err, AGE, "did not end in %u s", timeout_secs)
		   : judge(age, status, diag);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "tty.h"

#include "bg-unlock.h"

#include <breakglass/secret.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LEAVE_ALTERNATE "\033[2J\033[H\033[?1049l"
#define ENTER_ALTERNATE "\033[?1049h\033[2J\033[H"

/* The longest line that the kernel gives; of a longer one it silently drops the rest. */
#define KERNEL_LINE_LEN 4095

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* What a signal's handler restores. */
static volatile sig_atomic_t tty_fd = -1;
static volatile sig_atomic_t tty_alternate;
static struct termios tty_saved;

static void restore(void)
{
	static const char leave[] = LEAVE_ALTERNATE;
	ssize_t n;

	if (tty_fd < 0)
		return;
	if (tty_alternate) {
		n = write(tty_fd, leave, sizeof(leave) - 1);
		(void)n;
	}
	tty_alternate = 0;
	(void)tcsetattr(tty_fd, TCSANOW, &tty_saved);
	tty_fd = -1;
}

/* SA_RESETHAND: raised again it ends the process as if nobody had caught it. */
static void on_signal(int number)
{
	int saved = errno;
	ssize_t n;

	if (tty_fd >= 0) {
		n = write(tty_fd, "\r\n", 2);
		(void)n;
	}
	restore();
	(void)raise(number);
	errno = saved;
}

static void catch_signals(void)
{
	struct sigaction action = { 0 };

	action.sa_handler = on_signal;
	action.sa_flags = (int)SA_RESETHAND;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	action.sa_flags = 0;
	(void)sigaction(SIGTSTP, &action, NULL); /* no share stays on a stopped screen */
}

static void release_signals(void)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)signal(SIGTSTP, SIG_DFL);
}

static bool set_echo(int fd, bool is_on)
{
	struct termios t = tty_saved;

	t.c_lflag |= ICANON | ISIG;
	t.c_iflag |= ICRNL;
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	if (is_on)
		t.c_lflag |= ECHO | ECHOE | ECHOK;
	return tcsetattr(fd, TCSADRAIN, &t) == 0;
}

enum bg_err bg_tty_open(struct bg_tty *ret, bool is_stdin, struct bg_diag *diag)
{
	static bool is_registered;
	int fd;

	*ret = (struct bg_tty){ .in = STDIN_FILENO, .out = -1, .is_stdin = is_stdin };
	if (is_stdin)
		return BG_OK;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &tty_saved) != 0) {
		if (diag)
			diag->sys_errno = errno;
		if (fd >= 0)
			(void)close(fd);
		return bg_diag_set(diag, BG_ERR_IO, "/dev/tty", "there is no terminal to ask at");
	}
	if (!is_registered)
		(void)atexit(restore);
	is_registered = true;
	tty_fd = fd;
	catch_signals();
	if (!set_echo(fd, false)) {
		bg_tty_close(ret);
		return bg_diag_set(diag, BG_ERR_IO, "/dev/tty", "echo cannot be turned off");
	}
	ret->in = ret->out = fd;
	return BG_OK;
}

int bg_tty_begin(struct bg_tty *ret, bool is_stdin, const char *hint)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_tty_open(ret, is_stdin, &diag);

	return err ? bg_fail(err, &diag, hint) : BG_EXIT_DONE;
}

void bg_tty_close(struct bg_tty *tty)
{
	if (tty_fd >= 0) {
		restore();
		release_signals();
	}
	if (tty->out >= 0)
		(void)close(tty->out);
	bg_wipe(tty->buf, sizeof(tty->buf));
	tty->have = 0;
	tty->in = tty->out = -1;
}

void bg_tty_write(struct bg_tty *tty, const char *p, size_t len)
{
	while (tty->out >= 0 && len) {
		ssize_t n = write(tty->out, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

void bg_tty_say(struct bg_tty *tty, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	int n;

	va_start(args, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started just above */
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		bg_tty_write(tty, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static bool is_readable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) == 1 && (p.revents & POLLIN);
}

bool bg_tty_is_pending(struct bg_tty *tty)
{
	return tty->have > 0 || is_readable(tty->in, 0);
}

bool bg_tty_is_pasting(struct bg_tty *tty)
{
	return tty->have > 0 || is_readable(tty->in, 50);
}

void bg_tty_drain(struct bg_tty *tty)
{
	if (tty->is_stdin)
		return;
	/* a paste arrives in pieces: until it pauses, a second at the most */
	for (int i = 0; i < 20 && is_readable(tty->in, 50); i++)
		(void)tcflush(tty->in, TCIFLUSH);
	bg_wipe(tty->buf, sizeof(tty->buf));
	tty->have = 0;
}

static void drop(struct bg_tty *tty, size_t len)
{
	tty->have -= len;
	memmove(tty->buf, tty->buf + len, tty->have);
	bg_wipe(tty->buf + tty->have, sizeof(tty->buf) - tty->have);
}

/* Takes the first len bytes of what was read, and skips skip more. */
static void take(struct bg_tty *tty, size_t len, size_t skip, char *line)
{
	memcpy(line, tty->buf, len);
	line[len] = '\0';
	drop(tty, len + skip);
}

/* Drops the line that is too long, and nothing after it; of a paste the rest as well. */
static enum bg_err refuse_long(struct bg_tty *tty)
{
	char *end = memchr(tty->buf, '\n', tty->have);
	char c = 0;

	if (!tty->is_stdin) {
		bg_tty_drain(tty);
		return BG_ERR_TOO_BIG;
	}
	if (end) {
		drop(tty, (size_t)(end - tty->buf) + 1);
		return BG_ERR_TOO_BIG;
	}
	drop(tty, tty->have);
	while (c != '\n' && read(tty->in, &c, 1) == 1)
		continue;
	return BG_ERR_TOO_BIG;
}

static enum bg_err read_line(struct bg_tty *tty, char line[static BG_TTY_LINE_LEN], size_t *ret_len)
{
	for (;;) {
		char *end = memchr(tty->buf, '\n', tty->have);
		ssize_t n;

		if (end) {
			*ret_len = (size_t)(end - tty->buf);
			if (*ret_len >= KERNEL_LINE_LEN)
				return refuse_long(tty);
			take(tty, *ret_len, 1, line);
			return BG_OK;
		}
		if (tty->have >= BG_TTY_LINE_LEN)
			return refuse_long(tty);
		n = read(tty->in, tty->buf + tty->have, BG_TTY_LINE_LEN - tty->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return BG_ERR_IO;
		tty->have += (size_t)n;
		if (n == 0 && tty->have == 0)
			return BG_ERR_CANCELLED;
		if (n == 0) { /* a last line without its end */
			*ret_len = tty->have < KERNEL_LINE_LEN ? tty->have : 0;
			if (!*ret_len)
				return refuse_long(tty);
			take(tty, *ret_len, 0, line);
			return BG_OK;
		}
	}
}

enum bg_err bg_tty_ask(struct bg_tty *tty, bool is_shown, const char *prompt,
	char line[static BG_TTY_LINE_LEN], size_t *ret_len)
{
	enum bg_err err;

	if (is_shown && tty->out >= 0)
		(void)set_echo(tty->in, true);
	if (prompt && *prompt)
		bg_tty_say(tty, "%s ", prompt);
	err = read_line(tty, line, ret_len);
	if (is_shown && tty->out >= 0)
		(void)set_echo(tty->in, false);
	if ((!is_shown && prompt && *prompt) || err)
		bg_tty_say(tty, "\n");
	return err;
}

void bg_tty_alternate(struct bg_tty *tty, bool is_on)
{
	if (tty->out < 0 || tty->is_alternate == is_on)
		return;
	tty->is_alternate = is_on;
	if (is_on)
		tty_alternate = 1;
	bg_tty_say(tty, "%s", is_on ? ENTER_ALTERNATE : LEAVE_ALTERNATE);
	if (!is_on)
		tty_alternate = 0;
}

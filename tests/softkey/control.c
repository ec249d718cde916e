/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: a command a line, a line of answer that begins with `ok`
 * or `error`. A connection stays open for as many lines as it likes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "softkey.h"

enum { ANSWER_MAX = 256, SEND_TIMEOUT_S = 600 };

struct sk_verb {
	const char *name;
	/* Writes an answer without its line end; false for an error. */
	bool (*run)(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX]);
};

static bool sk_number(const char *text, long max, long *ret)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0 || value > max)
		return false;
	*ret = value;
	return true;
}

static bool sk_do_touch(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)arg;
	(void)ret;
	sk_touch_give(k);
	return true;
}

static bool sk_do_deny(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)arg;
	(void)ret;
	sk_touch_deny(k);
	return true;
}

static bool sk_do_delay(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	long ms;

	(void)ret;
	if (!sk_number(arg, SK_TOUCH_MS, &ms))
		return false;
	k->auto_delay_ms = (int)ms;
	return true;
}

static bool sk_do_auto(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	if (strncmp(arg, "on ", 3) == 0 && !sk_do_delay(k, arg + 3, ret))
		return false;
	k->is_auto = strncmp(arg, "on", 2) == 0;
	return k->is_auto || strcmp(arg, "off") == 0;
}

static bool sk_do_plug(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)arg;
	if (!k->is_plugged) {
		sk_pin_power_up(k);
		sk_hid_reset(k);
		sk_port_plug(k);
	}
	snprintf(ret, ANSWER_MAX, "path=%s", k->slave_path);
	return true;
}

static bool sk_do_unplug(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)arg;
	(void)ret;
	sk_touch_end(k, TOUCH_GONE);
	sk_port_unplug(k);
	sk_hid_reset(k);
	return true;
}

static bool sk_do_pin_retries(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	long n;

	(void)ret;
	if (!sk_number(arg, SK_PIN_RETRIES, &n))
		return false;
	k->pin_retries = (unsigned)n;
	k->power.wrong_pins = 0;
	sk_state_save(k);
	return true;
}

static bool sk_do_set_pin(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)ret;
	return sk_pin_set(k, (struct sk_bytes){ (const uint8_t *)arg, strlen(arg) });
}

static bool sk_do_flags(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	static const char *const names[] = { "no-uv", "no-up", "bad-rpid", "bad-sig", "wrong-alg",
		"wrong-cred", "replay" };
	unsigned wrong = 0;

	(void)ret;
	while (*arg != '\0') {
		size_t len = strcspn(arg, " "), i = 0;

		while (i < 7 && (strlen(names[i]) != len || strncmp(arg, names[i], len) != 0))
			i++;
		if (i < 7)
			wrong |= 1U << i;
		else if (len != 4 || strncmp(arg, "none", 4) != 0)
			return false;
		arg += len + strspn(arg + len, " ");
	}
	k->wrong = wrong;
	return true;
}

static bool sk_do_count(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	const struct sk_counters *c = &k->count;

	(void)arg;
	snprintf(ret, ANSWER_MAX,
		"assertions=%u registrations=%u touches=%u denials=%u pin-attempts=%u "
		"pin-retries=%u credentials=%zu inits=%u cancels=%u departures=%u awaiting=%d "
		"plugged=%d",
		c->assertions, c->registrations, c->touches, c->denials, c->pin_attempts,
		k->pin_retries, k->cred_count, c->inits, c->cancels, c->departures,
		k->touch == TOUCH_AWAITED, k->is_plugged);
	return true;
}

static bool sk_do_quit(struct sk_key *k, const char *arg, char ret[static ANSWER_MAX])
{
	(void)arg;
	(void)ret;
	k->has_quit = true;
	return true;
}

static const struct sk_verb verbs[] = {
	{ "touch", sk_do_touch },
	{ "deny", sk_do_deny },
	{ "auto", sk_do_auto },
	{ "delay", sk_do_delay },
	{ "plug", sk_do_plug },
	{ "unplug", sk_do_unplug },
	{ "pin-retries", sk_do_pin_retries },
	{ "set-pin", sk_do_set_pin },
	{ "flags", sk_do_flags },
	{ "count", sk_do_count },
	{ "quit", sk_do_quit },
};

static void sk_conn_close(struct sk_conn *c)
{
	close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static void sk_conn_answer(struct sk_conn *c, bool ok, const char *text)
{
	char line[ANSWER_MAX + 16];
	int len = snprintf(
		line, sizeof(line), "%s%s%s\n", ok ? "ok" : "error", text[0] ? " " : "", text);

	c->wait_until = 0;
	if (len < 0 || send(c->fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len)
		sk_conn_close(c);
}

static void sk_conn_wait(struct sk_key *k, struct sk_conn *c, const char *arg)
{
	long ms;

	if (!sk_number(arg, 600000, &ms))
		sk_conn_answer(c, false, "wait-touch MS");
	else if (k->touch == TOUCH_AWAITED)
		sk_conn_answer(c, true, "");
	else
		c->wait_until = sk_now() + ms + 1;
}

static void sk_conn_line(struct sk_key *k, struct sk_conn *c, char *line)
{
	char answer[ANSWER_MAX] = "";
	char *arg = line + strcspn(line, " ");

	if (*arg != '\0')
		*arg++ = '\0';
	if (strcmp(line, "wait-touch") == 0) {
		sk_conn_wait(k, c, arg);
		return;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(line, verbs[i].name) == 0) {
			bool ok = verbs[i].run(k, arg, answer);

			sk_conn_answer(c, ok, ok ? answer : "bad argument");
			return;
		}
	}
	sk_conn_answer(c, false, "unknown command");
}

static void sk_conn_read(struct sk_key *k, struct sk_conn *c)
{
	ssize_t got = recv(c->fd, c->line + c->have, sizeof(c->line) - c->have, MSG_DONTWAIT);
	char line[sizeof(c->line)];
	char *end;

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			sk_conn_close(c);
		return;
	}
	c->have += (size_t)got;
	while (c->fd >= 0 && (end = memchr(c->line, '\n', c->have)) != NULL) {
		size_t len = (size_t)(end - c->line);

		memcpy(line, c->line, len);
		line[len] = '\0';
		c->have -= len + 1;
		memmove(c->line, end + 1, c->have);
		sk_conn_line(k, c, line);
	}
	if (c->fd >= 0 && c->have == sizeof(c->line))
		sk_conn_close(c);
}

static void sk_control_accept(struct sk_key *k)
{
	int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; fd >= 0 && i < SK_CTL_CONNS; i++) {
		if (k->conns[i].fd < 0) {
			k->conns[i].fd = fd;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void sk_control_address(const char *path, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(ret->sun_path))
		sk_die("control socket path too long");
	memcpy(ret->sun_path, path, strlen(path) + 1);
}

void sk_control_open(struct sk_key *k)
{
	struct sockaddr_un a;

	sk_control_address(k->opt.control, &a);
	for (size_t i = 0; i < SK_CTL_CONNS; i++)
		k->conns[i].fd = -1;
	k->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (unlink(k->opt.control) < 0 && errno != ENOENT)
		sk_die(k->opt.control);
	if (k->listener < 0 || bind(k->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(k->listener, SK_CTL_CONNS) < 0)
		sk_die(k->opt.control);
}

void sk_control_close(struct sk_key *k)
{
	for (size_t i = 0; i < SK_CTL_CONNS; i++) {
		if (k->conns[i].fd >= 0)
			sk_conn_close(&k->conns[i]);
	}
	close(k->listener);
	unlink(k->opt.control);
}

size_t sk_control_poll(const struct sk_key *k, struct pollfd *fds, size_t max)
{
	size_t n = 0;

	if (max < SK_CTL_CONNS + 1)
		sk_die("poll set too small");
	fds[n++] = (struct pollfd){ .fd = k->listener, .events = POLLIN };
	for (size_t i = 0; i < SK_CTL_CONNS; i++)
		fds[n++] = (struct pollfd){ .fd = k->conns[i].fd, .events = POLLIN };
	return n;
}

bool sk_control_serve(struct sk_key *k, const struct pollfd *fds, size_t count)
{
	bool has_served = false;

	for (size_t i = 0; i + 1 < count; i++) {
		struct sk_conn *c = &k->conns[i];

		if (fds[i + 1].revents != 0) {
			sk_conn_read(k, c);
			has_served = true;
		}
		if (c->fd >= 0 && c->wait_until != 0) {
			if (k->touch == TOUCH_AWAITED)
				sk_conn_answer(c, true, "");
			else if (sk_now() >= c->wait_until)
				sk_conn_answer(c, false, "no touch is awaited");
		}
	}
	if (fds[0].revents != 0)
		sk_control_accept(k);
	return has_served;
}

int64_t sk_control_deadline(const struct sk_key *k)
{
	int64_t first = 0;

	for (size_t i = 0; i < SK_CTL_CONNS; i++) {
		int64_t at = k->conns[i].fd >= 0 ? k->conns[i].wait_until : 0;

		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	return first;
}

/* `softkey ctl`: one command there, one line back. */
int sk_control_send(const char *path, int argc, char **argv)
{
	struct timeval limit = { .tv_sec = SEND_TIMEOUT_S };
	char line[ANSWER_MAX + 16] = "";
	struct sockaddr_un a;
	size_t have = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sk_control_address(path, &a);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		sk_die(path);
	for (int i = 0; i < argc; i++) {
		dprintf(fd, "%s%s", i > 0 ? " " : "", argv[i]);
	}
	dprintf(fd, "\n");
	while (have + 1 < sizeof(line) && strchr(line, '\n') == NULL) {
		ssize_t got = recv(fd, line + have, sizeof(line) - have - 1, 0);

		if (got <= 0)
			break;
		have += (size_t)got;
		line[have] = '\0';
	}
	close(fd);
	return fputs(line, stdout) >= 0 && strncmp(line, "ok", 2) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define CANCEL_MS 400 /* for the key to answer that it has stopped */
#define WRITE_MS  500
#define SLICE_MS  250 /* a signal between its check and poll(2) is noticed this late */

/* libfido2's callbacks know only their handle, so what is going on is kept here. */
static struct {
	struct node *opening;
	fido_dev_t *dev; /* to be told of a cancel; NULL: nothing to tell */
	int64_t deadline;
	enum wire_end end;
} wire;

static volatile sig_atomic_t is_terminated;

static void on_term(int number)
{
	(void)number;
	is_terminated = 1;
}

int64_t wire_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void wire_start(void)
{
	struct sigaction action = { .sa_handler = on_term };

	(void)sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

/* Nothing may follow the request: whatever happens on standard input ends us. */
bool wire_is_cancelled(int ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN | POLLRDHUP };

	return poll(&p, 1, ms) > 0 || is_terminated;
}

void wire_begin(fido_dev_t *dev, int64_t deadline)
{
	wire.dev = dev;
	wire.deadline = deadline;
	wire.end = WIRE_GOING;
}

enum wire_end wire_result(void)
{
	return wire.end;
}

/* The key is told once, and then gets a moment to say that it has stopped. */
static void stop(enum wire_end end)
{
	fido_dev_t *dev = wire.dev;

	wire.end = end;
	wire.dev = NULL;
	wire.deadline = wire_now() + CANCEL_MS;
	if (dev)
		(void)fido_dev_cancel(dev);
	else
		wire.deadline = 0;
}

/* Waits for the key until the deadline, or until nobody waits for us. False: no more. */
static bool await(int fd)
{
	for (;;) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
			{ .fd = wire.end == WIRE_GOING ? STDIN_FILENO : -1,
				.events = POLLIN | POLLRDHUP } };
		int64_t left = wire.deadline - wire_now();
		int n;

		if (left <= 0 && wire.end != WIRE_GOING)
			return false;
		if (left <= 0) {
			stop(WIRE_TIMEOUT);
			continue;
		}
		n = poll(p, 2, left < SLICE_MS ? (int)left : SLICE_MS);
		if (wire.end == WIRE_GOING && (is_terminated || (n > 0 && p[1].revents)))
			stop(WIRE_CANCELLED);
		else if (n > 0 && p[0].revents)
			return true;
		else if (n < 0 && errno != EINTR)
			return false;
	}
}

static void gone(void)
{
	if (wire.end == WIRE_GOING)
		wire.end = WIRE_GONE;
}

/* A whole report; a pseudo-terminal may hand it over in pieces. */
static int io_read(void *handle, unsigned char *buf, size_t len, int ms)
{
	const struct node *node = handle;
	size_t have = 0;

	(void)ms; /* we know better: wire.deadline */
	while (have < len) {
		ssize_t n;

		if (!await(node->fd))
			return -1;
		n = read(node->fd, buf + have, len - have);
		if (n > 0) {
			have += (size_t)n;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			gone();
			return -1;
		}
	}
	return (int)len;
}

static int io_write(void *handle, const unsigned char *buf, size_t len)
{
	const struct node *node = handle;
	int64_t until = wire_now() + WRITE_MS;
	size_t done = 0;

	while (done < len) {
		struct pollfd p = { .fd = node->fd, .events = POLLOUT };
		ssize_t n = write(node->fd, buf + done, len - done);
		int64_t left = until - wire_now();

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			gone();
			return -1;
		} else if (left <= 0)
			return -1;
		else
			(void)poll(&p, 1, (int)left);
	}
	return (int)len;
}

static void *io_open(const char *path)
{
	(void)path;
	return wire.opening;
}

static void io_close(void *handle)
{
	(void)handle; /* the descriptor goes with the process */
}

fido_dev_t *wire_open(struct node *node)
{
	static const fido_dev_io_t io = { io_open, io_close, io_read, io_write };
	fido_dev_t *dev = fido_dev_new();

	wire.opening = node;
	if (dev && (fido_dev_set_io_functions(dev, &io) != FIDO_OK ||
			   fido_dev_open(dev, node->path) != FIDO_OK))
		fido_dev_free(&dev);
	return dev;
}

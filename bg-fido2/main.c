/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME_LEN      4
#define TALK_MS	       5000 /* for the request to come in, for the reply to go out */
#define PREPARE_MS     8000 /* for locks, and for every key to be asked */
#define LIFE_SECS      20   /* beyond the touch: whatever happens, no helper lives longer */
#define EXIT_NO_CALLER 1
#define EXIT_UNSAFE    2

static struct bg_fido2_request request;
static struct bg_fido2_reply reply;
static uint8_t message[FRAME_LEN + BG_FIDO2_MESSAGE_MAX_LEN];

static bool read_all(uint8_t *p, size_t len, int64_t until)
{
	while (len > 0) {
		struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
		int64_t left = until - wire_now();
		ssize_t n;

		if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
			return false;
		n = read(STDIN_FILENO, p, len);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static enum bg_err read_request(void)
{
	struct bg_view head = { message, FRAME_LEN, false };
	int64_t until = wire_now() + TALK_MS;
	enum bg_err err;
	uint32_t len;

	if (!read_all(message, FRAME_LEN, until))
		return BG_ERR_IO;
	len = bg_view_u32(&head);
	if (len > BG_FIDO2_MESSAGE_MAX_LEN || !read_all(message + FRAME_LEN, len, until))
		return BG_ERR_IO;
	err = bg_fido2_request_decode(message + FRAME_LEN, len, &request);
	bg_wipe(message, sizeof(message));
	return err;
}

static bool write_all(const uint8_t *p, size_t len)
{
	int64_t until = wire_now() + TALK_MS;

	while (len > 0) {
		struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
		int64_t left = until - wire_now();
		ssize_t n;

		if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
			return false;
		n = write(STDOUT_FILENO, p, len);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_reply(void)
{
	struct bg_writer body = { message + FRAME_LEN, BG_FIDO2_MESSAGE_MAX_LEN, 0, false };
	struct bg_writer head = { message, FRAME_LEN, 0, false };

	if (bg_fido2_reply_encode(&reply, &body))
		return false;
	bg_put_u32(&head, (uint32_t)body.len);
	return write_all(message, FRAME_LEN + body.len);
}

/* Where no credential says which key is meant: the one that is there, never one of several. */
static enum bg_err only_key(struct keys *keys, struct key **ret)
{
	if (keys->count == 0)
		return keys_why_none(keys);
	if (keys->count > 1 || keys->was_busy) {
		keys_list(keys, &reply);
		(void)snprintf(
			reply.detail, sizeof(reply.detail), "several security keys are plugged in");
		return keys->count > 1 ? BG_ERR_ARGUMENT : BG_ERR_BUSY;
	}
	*ret = &keys->list[0];
	reply.retries = keys->list[0].retries;
	return BG_OK;
}

static enum bg_err run(struct nodes *nodes)
{
	int64_t deadline = wire_now() + PREPARE_MS;
	struct key *key = NULL;
	struct keys keys;
	enum bg_err err;

	keys_open(nodes, deadline, &keys);
	if (request.op == BG_FIDO2_LIST) {
		keys_list(&keys, &reply);
		return keys.count == 0 && keys.was_busy ? BG_ERR_BUSY : BG_OK;
	}
	if (request.op == BG_FIDO2_MAKE || request.op == BG_FIDO2_DISCOVER)
		err = only_key(&keys, &key);
	else
		err = keys_find(&keys, &request, deadline, &key, &reply);
	if (err || request.op == BG_FIDO2_FIND)
		return err;
	err = keys_may_pin(key, &request);
	if (err)
		return err;
	return request.op == BG_FIDO2_MAKE ? make_run(key, &request, &reply)
					   : assert_run(key, &request, &reply);
}

static enum bg_err secured(const char *what)
{
	if (!what)
		return BG_OK;
	(void)snprintf(reply.detail, sizeof(reply.detail), "bg-fido2: %s", what);
	return BG_ERR_HELPER;
}

static enum bg_err serve(void)
{
	static struct nodes nodes;
	enum bg_err err = read_request();

	if (err)
		return err == BG_ERR_SYNTAX ? BG_ERR_ARGUMENT : err;
	(void)alarm(request.timeout_secs + LIFE_SECS);
	nodes_open(request.device, &nodes);
	err = secured(harden_drop());
	if (!err)
		err = secured(harden_seccomp());
	if (err)
		return err;
	nodes_classify(&nodes);
	return run(&nodes);
}

int main(void)
{
	const char *what = harden_begin();

	if (what)
		_exit(EXIT_UNSAFE);
	wire_start();
	/* before anything else makes libcrypto read a configuration */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	(void)mlock(&request, sizeof(request)); /* best effort: the limit may be small */
	(void)mlock(message, sizeof(message));
	reply.retries = BG_FIDO2_RETRIES_UNKNOWN;
	reply.err = serve();
	bg_fido2_request_wipe(&request);
	if (reply.err == BG_ERR_IO && wire_is_cancelled(0) && reply.detail[0] == '\0')
		reply.err = BG_ERR_CANCELLED;
	_exit(write_reply() ? 0 : EXIT_NO_CALLER);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bg-fido2: the only program of this project that talks to an authenticator.
 * Internal: run by pam_breakglass and bg-unlock through os_helper.h, one request
 * (fido2.h) on standard input, one reply on standard output, no arguments.
 *
 * Its life, in this order, is what protects its caller (main.c):
 *   1. empty environment, no core, no dump, no new privileges      (harden.c)
 *   2. read the request; open the device nodes, and nothing of them (nodes.c)
 *   3. give up every privilege; seccomp                             (harden.c)
 *   4. only now read a descriptor or a byte from any device         (nodes.c, wire.c)
 *   5. sort out the keys, do what was asked                         (keys.c, assert.c, make.c)
 * A device that attacks us thus attacks a process that can talk to security
 * keys and to nothing else, and whose word proves nothing to its caller.
 *
 * One thread, no signal but TERM; it ends when standard input does: then the
 * key is told to stop blinking. There is no SIGKILL on its parent's death: that
 * could not tell the key.
 */
#ifndef BG_FIDO2_HELPER_H
#define BG_FIDO2_HELPER_H

#include <breakglass/fido2.h>
#include <fido.h>
#include <stdbool.h>
#include <stdint.h>

#define NODES_MAX 32
#define KEYS_MAX  8 /* authenticators, as many as a reply holds */

struct node {
	int fd;
	char path[256];
	bool is_given; /* named by `device`: may be something else than a hidraw node */
	char model[BG_MODEL_LEN + 1];
};

struct nodes {
	size_t count;
	struct node list[NODES_MAX];
};

/* An authenticator that answered. */
struct key {
	const struct node *node;
	fido_dev_t *dev;
	fido_cbor_info_t *info;
	uint8_t retries;
	uint8_t present; /* bit a credential of the request */
};

struct keys {
	size_t count;
	bool was_busy; /* one more is there and in use */
	struct key list[KEYS_MAX];
};

/* harden.c. What went wrong, or NULL. */
const char *harden_begin(void);
const char *harden_drop(void);
const char *harden_seccomp(void);

/* nodes.c. Opens what device names, or each hidraw node; a node that cannot be opened is left
   out. Then, privileges gone, closes those that are no security keys. */
void nodes_open(const char *device, struct nodes *ret);
void nodes_classify(struct nodes *nodes);

/* wire.c: libfido2's reads and writes on an open node, until a deadline or standard input ends. */
enum wire_end { WIRE_GOING, WIRE_TIMEOUT, WIRE_CANCELLED, WIRE_GONE };

void wire_start(void);	/* signals: TERM is a cancel, PIPE nothing */
int64_t wire_now(void); /* CLOCK_MONOTONIC, milliseconds */
/* NULL: no memory, or the node is no FIDO2 authenticator that answers. */
fido_dev_t *wire_open(struct node *node);
/* What follows must be done by deadline; dev, where not NULL, is told to cancel when it is not. */
void wire_begin(fido_dev_t *dev, int64_t deadline);
/* How what was begun ended. */
enum wire_end wire_result(void);
/* True when standard input ended, waiting for that at most ms milliseconds. */
bool wire_is_cancelled(int ms);

/* keys.c. Everything that answers is asked for its info and tries left. */
void keys_open(struct nodes *nodes, int64_t deadline, struct keys *ret);
void keys_list(const struct keys *keys, struct bg_fido2_reply *ret);
void keys_describe(const struct key *key, struct bg_fido2_device *ret);
/* The one key that has a credential of the request. BG_ERR_NO_DEVICE, _BUSY, _NOT_ENROLLED,
   _CANCELLED, _ARGUMENT (several). Sets reply's present, credential, retries. */
enum bg_err keys_find(struct keys *keys, const struct bg_fido2_request *request, int64_t deadline,
	struct key **ret, struct bg_fido2_reply *reply);
/* What is said when the one key that is meant was not found: _CANCELLED, _BUSY, _NOT_ENROLLED,
   _NO_DEVICE. */
enum bg_err keys_why_none(const struct keys *keys);
/* May the PIN be sent to it? BG_ERR_PIN_NOT_SET, _PIN_BLOCKED, _PIN_RESERVED. */
enum bg_err keys_may_pin(const struct key *key, const struct bg_fido2_request *request);
/* What a failure of libfido2 means, and how many tries are left after it. */
enum bg_err keys_failure(struct key *key, int r, struct bg_fido2_reply *reply);

/* assert.c, make.c. assert_run: ASSERT on the credential found, or DISCOVER. */
enum bg_err assert_run(
	struct key *key, const struct bg_fido2_request *request, struct bg_fido2_reply *reply);
enum bg_err make_run(
	struct key *key, const struct bg_fido2_request *request, struct bg_fido2_reply *reply);

#endif

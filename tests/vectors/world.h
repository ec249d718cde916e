/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the vectors are made of: two seals, the second the first one's successor;
 * real SLIP-39 shares, of 128 bit in epoch 1 and of 256 bit in epoch 2; an EdDSA
 * key b and an ES256 key a, each with its ssh key. The same bytes at each run.
 */
#ifndef BG_TESTS_WORLD_H
#define BG_TESTS_WORLD_H

#include "seal_fixture.h"

#include <breakglass/challenge.h>
#include <breakglass/slip39.h>

enum { KEY_EDDSA, KEY_ES256 }; /* positions in seal->keys */

struct epoch {
	struct seal_fixture f;
	struct bg_slip39_share shares[BG_CUSTODIANS_MAX];
};

struct world {
	struct bg_crypto *crypto;
	struct epoch epochs[2];
	struct epoch other; /* a seal of the same epoch, account and keys, other shares */
};

void world_open(struct world *w);
void world_close(struct world *w);

/* What a key would answer, with ECDSA's nonce fixed. */
void world_assert(const struct world *w, size_t key, const char *rp_id,
	const uint8_t challenge[static BG_SHA256_LEN], uint8_t flags, struct bg_assertion *ret);

/* An emergency of epoch 1 (0) and a drill of epoch 2 (1), and what leads to their touch. */
void world_request(const struct world *w, size_t which, struct bg_request *ret);
void world_touch(const struct world *w, size_t which, struct bg_touch_challenge *ret);

/* The blob of a key's ssh line. Its length. */
size_t world_ssh_blob(const struct bg_key *key, uint8_t ret[static 200]);

/* What protocol_vectors prints, a subject each. */
void put_keys(const struct world *w);
void put_seals(const struct world *w);
void put_codes(const struct world *w);
void put_chain(const struct world *w);
void put_refused(const struct world *w);
void put_refused_codes(const struct world *w);

#endif

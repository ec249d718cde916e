/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A good seal in memory, for tests: seal_fixture_plan() fills in everything that a
 * ceremony would decide (account "breakglass", zone "db", 2 of 3 custodians
 * ops, dba, audit with indices 0, 1, 2, keys a (ES256) and b (EdDSA)), a test
 * changes what it wants in f->seal, f->secret, f->values, and
 * seal_fixture_seal() derives, signs and reads it back. The values are not a
 * SLIP-39 split unless the test puts one there.
 */
#ifndef BG_TESTS_SEAL_FIXTURE_H
#define BG_TESTS_SEAL_FIXTURE_H

#include <breakglass/assertion.h>
#include <breakglass/seal.h>

struct seal_fixture {
	struct bg_seal seal;	 /* as parsed from text after seal_fixture_seal */
	struct bg_secret secret; /* the quorum secret */
	struct bg_secret values[BG_CUSTODIANS_MAX]; /* shares' values by custodian */
	struct bg_secret seeds[BG_CUSTODIANS_MAX];  /* derived from them */
	struct bg_quorum quorum;		    /* derived from the secret */
	void *keys[BG_KEYS_MAX]; /* EVP_PKEY of each key; NULL: somebody else's */
	char text[65536];
	size_t len;
};

enum { SEAL_UP = 0x01, SEAL_UV = 0x04, SEAL_AT = 0x40, SEAL_ED = 0x80 };

/* tag makes set id, secret and values differ between fixtures. Frees nothing: use on a zeroed or
   freed fixture. 0, or -1 when libcrypto fails. */
int seal_fixture_plan(struct seal_fixture *f, uint8_t tag);
/* Plans the next epoch after prev: its predecessor, retired set, same keys, new shares. */
int seal_fixture_plan_next(struct seal_fixture *f, const struct seal_fixture *prev, uint8_t tag);
/* Derives public keys, writes and signs; with prev also both endorsements (by key 0 of prev). */
enum bg_err seal_fixture_seal(struct bg_crypto *crypto, struct seal_fixture *f,
	const struct seal_fixture *prev, struct bg_diag *diag);
/* Signs f->text anew after a test changed its body, without looking at what it says. */
enum bg_err seal_fixture_resign(struct bg_crypto *crypto, struct seal_fixture *f);
void seal_fixture_free(struct seal_fixture *f);

/* What key (by position) would answer. 0, or -1. */
int seal_fixture_assert(const struct seal_fixture *f, size_t key, const char *rp_id,
	const uint8_t challenge[static BG_SHA256_LEN], uint8_t flags, struct bg_assertion *ret);

#endif

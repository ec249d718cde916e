/* SPDX-License-Identifier: BSD-2-Clause */
/* The seal's rules that go beyond one line. */
#include "seal_parts.h"

#include <string.h>

enum bg_err bg_quorum_check(unsigned long threshold, size_t custodian_count, struct bg_diag *diag)
{
	if (custodian_count == 0)
		return bg_diag_set(diag, BG_ERR_MISSING, NULL, "no [custodian NAME]");
	if (threshold < 1 || threshold > custodian_count)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL,
			"threshold %lu of %zu custodians is not possible", threshold,
			custodian_count);
	if (threshold == 1 && custodian_count > 1)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL,
			"threshold 1 of %zu custodians: each alone would open the account",
			custodian_count);
	return BG_OK;
}

static enum bg_err twice(struct bg_diag *diag, const char *what, const char *a, const char *b)
{
	return bg_diag_set(diag, BG_ERR_DUPLICATE, NULL, "%s and %s have the same %s", a, b, what);
}

static enum bg_err check_custodians(
	const struct bg_custodian *custodians, size_t count, struct bg_diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct bg_custodian *a = &custodians[j], *b = &custodians[i];

			if (strcmp(a->name, b->name) == 0)
				return twice(diag, "name", a->name, b->name);
			if (a->index == b->index)
				return twice(diag, "index", a->name, b->name);
			if (memcmp(a->pub, b->pub, sizeof(a->pub)) == 0)
				return twice(diag, "public key", a->name, b->name);
		}
	}
	return BG_OK;
}

/* A credential comes with its algorithm and public key, or none of the three is there. */
static enum bg_err check_key(const struct bg_key *key, struct bg_diag *diag)
{
	if ((key->credential_len == 0) != (key->alg == BG_ALG_NONE))
		return bg_diag_set(diag, BG_ERR_RANGE, NULL,
			"key %s: credential and algorithm are both given or both none", key->name);
	if (key->credential_len == 0 && key->ssh[0] == '\0')
		return bg_diag_set(diag, BG_ERR_MISSING, NULL,
			"key %s has neither a credential nor an ssh key", key->name);
	return BG_OK;
}

static enum bg_err check_key_pair(
	const struct bg_key *a, const struct bg_key *b, struct bg_diag *diag)
{
	if (strcmp(a->name, b->name) == 0)
		return twice(diag, "name", a->name, b->name);
	if (a->credential_len > 0 && a->credential_len == b->credential_len &&
		memcmp(a->credential, b->credential, a->credential_len) == 0)
		return twice(diag, "credential", a->name, b->name);
	if (a->alg != BG_ALG_NONE && a->alg == b->alg &&
		memcmp(a->pub, b->pub, sizeof(a->pub)) == 0)
		return twice(diag, "public key", a->name, b->name);
	if (a->ssh[0] != '\0' && strcmp(a->ssh, b->ssh) == 0)
		return twice(diag, "ssh key", a->name, b->name);
	return BG_OK;
}

static enum bg_err check_keys(const struct bg_seal *seal, struct bg_diag *diag)
{
	if (seal->key_count == 0)
		return bg_diag_set(diag, BG_ERR_MISSING, NULL, "no [key NAME]");
	for (size_t i = 0; i < seal->key_count; i++) {
		enum bg_err err = check_key(&seal->keys[i], diag);

		for (size_t j = 0; j < i && err == BG_OK; j++)
			err = check_key_pair(&seal->keys[j], &seal->keys[i], diag);
		if (err != BG_OK)
			return err;
	}
	return BG_OK;
}

static enum bg_err check_retired(const struct bg_seal *seal, struct bg_diag *diag)
{
	uint32_t newer = seal->epoch;

	for (size_t i = 0; i < seal->retired_count; i++) {
		const struct bg_retired *r = &seal->retired[i];
		enum bg_err err;

		if (r->epoch >= newer)
			return bg_diag_set(diag, BG_ERR_RANGE, NULL,
				"retired epoch %u is not below %u (newest first)", r->epoch, newer);
		if (memcmp(r->set_id, seal->set_id, sizeof(r->set_id)) == 0)
			return bg_diag_set(diag, BG_ERR_DUPLICATE, NULL,
				"retired epoch %u is the set in force", r->epoch);
		err = check_custodians(r->custodians, r->custodian_count, diag);
		if (err != BG_OK)
			return err;
		newer = r->epoch;
	}
	return BG_OK;
}

static enum bg_err check_succession(const struct bg_seal *seal, struct bg_diag *diag)
{
	if (seal->has_predecessor != (seal->epoch > 1))
		return bg_diag_set(
			diag, BG_ERR_RANGE, NULL, "epoch 1 has no predecessor, each later one has");
	if (seal->has_endorsement && !seal->has_predecessor)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL,
			"endorsed by a predecessor that it does not name");
	if (seal->predecessor_key[0] != '\0' && !seal->has_endorsement)
		return bg_diag_set(diag, BG_ERR_MISSING, NULL,
			"endorsed by a key, but not by the predecessor's quorum");
	return BG_OK;
}

enum bg_err bg_seal_check(const struct bg_seal *seal, struct bg_diag *diag)
{
	enum bg_err err = bg_quorum_check(seal->threshold, seal->custodian_count, diag);

	if (err != BG_OK)
		return err;
	if (strncmp(seal->rp_id, "breakglass:", 11) != 0 ||
		strcmp(seal->rp_id + 11, seal->zone) != 0)
		return bg_diag_set(
			diag, BG_ERR_RANGE, NULL, "\"rp-id\" must be breakglass:%s", seal->zone);
	err = check_custodians(seal->custodians, seal->custodian_count, diag);
	if (err == BG_OK)
		err = check_keys(seal, diag);
	if (err == BG_OK)
		err = check_retired(seal, diag);
	return err == BG_OK ? check_succession(seal, diag) : err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What is signed in a seal, and succession (DESIGN section 3). */
#include "seal_parts.h"

#include <breakglass/assertion.h>

#include <string.h>

#define FRAME_LEN 128

/* frame(context; SHA-256 of the body) into w. */
static enum bg_err build_frame(struct bg_crypto *crypto, enum bg_context context, const char *body,
	size_t body_len, struct bg_writer *w)
{
	uint8_t digest[BG_SHA256_LEN];
	enum bg_err err = bg_sha256(crypto, body, body_len, digest);

	if (err != BG_OK)
		return err;
	bg_frame_begin(w, context);
	bg_frame_field(w, digest, sizeof(digest));
	return w->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

enum bg_err bg_seal_sign(struct bg_crypto *crypto, enum bg_context context,
	const struct bg_secret *sign_seed, const char *body, size_t body_len,
	uint8_t ret[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err;

	if (context != BG_CTX_SEAL && context != BG_CTX_SUCCESSION_QUORUM)
		return BG_ERR_ARGUMENT;
	err = build_frame(crypto, context, body, body_len, &w);
	return err == BG_OK ? bg_ed25519_sign(crypto, sign_seed, frame, w.len, ret) : err;
}

enum bg_err bg_seal_verify(struct bg_crypto *crypto, enum bg_context context,
	const uint8_t pub[static BG_ED25519_PUB_LEN], const char *body, size_t body_len,
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err;

	if (context != BG_CTX_SEAL && context != BG_CTX_SUCCESSION_QUORUM)
		return BG_ERR_ARGUMENT;
	err = build_frame(crypto, context, body, body_len, &w);
	return err == BG_OK ? bg_ed25519_verify(crypto, pub, frame, w.len, sig) : err;
}

enum bg_err bg_seal_key_challenge(struct bg_crypto *crypto, const char *body, size_t body_len,
	uint8_t ret[static BG_SHA256_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err = build_frame(crypto, BG_CTX_SUCCESSION_KEY, body, body_len, &w);

	return err == BG_OK ? bg_sha256(crypto, frame, w.len, ret) : err;
}

static enum bg_err check_place(
	const struct bg_seal *prev, const struct bg_seal *next, struct bg_diag *diag)
{
	if (strcmp(prev->account, next->account) != 0)
		return bg_diag_set(diag, BG_ERR_MISMATCH, NULL,
			"it is a seal of account %s, not %s", next->account, prev->account);
	if (strcmp(prev->zone, next->zone) != 0)
		return bg_diag_set(diag, BG_ERR_MISMATCH, NULL, "it is a seal of zone %s, not %s",
			next->zone, prev->zone);
	if (next->epoch == prev->epoch)
		return bg_diag_set(diag, BG_ERR_FORK, NULL, "another seal of epoch %u is in force",
			prev->epoch);
	if (next->epoch < prev->epoch)
		return bg_diag_set(diag, BG_ERR_EPOCH, NULL, "epoch %u is older than %u, in force",
			next->epoch, prev->epoch);
	if (next->epoch != prev->epoch + 1)
		return bg_diag_set(diag, BG_ERR_EPOCH, NULL,
			"epoch %u follows on %u; in force is %u: install those between first",
			next->epoch, next->epoch - 1, prev->epoch);
	if (!next->has_predecessor ||
		memcmp(next->predecessor, prev->digest, sizeof(prev->digest)) != 0)
		return bg_diag_set(
			diag, BG_ERR_MISMATCH, NULL, "its predecessor is not the seal in force");
	return BG_OK;
}

static enum bg_err check_quorum(struct bg_crypto *crypto, const struct bg_seal *prev,
	const struct bg_seal *next, const char *next_text, struct bg_diag *diag)
{
	enum bg_err err;

	if (!next->has_endorsement)
		return bg_diag_set(diag, BG_ERR_SIGNATURE, NULL,
			"not endorsed by the quorum of the seal in force");
	err = bg_seal_verify(crypto, BG_CTX_SUCCESSION_QUORUM, prev->quorum_pub, next_text,
		next->body_len, next->predecessor_quorum_sig);
	return err == BG_OK ? BG_OK
			    : bg_diag_set(diag, err, NULL,
				      "the endorsement by the quorum in force does not verify");
}

static enum bg_err check_key(struct bg_crypto *crypto, const struct bg_seal *prev,
	const struct bg_seal *next, const char *next_text, struct bg_diag *diag)
{
	struct bg_assertion assertion = { .authdata_len = next->predecessor_key_authdata_len,
		.sig_len = next->predecessor_key_sig_len };
	uint8_t challenge[BG_SHA256_LEN];
	int key = bg_seal_find_key(prev, next->predecessor_key);
	enum bg_err err;

	if (next->predecessor_key[0] == '\0' || key < 0)
		return bg_diag_set(diag, BG_ERR_ASSERTION, NULL,
			"not endorsed by an enrolled key of the seal in force");
	if (assertion.authdata_len > sizeof(assertion.authdata) ||
		assertion.sig_len > sizeof(assertion.sig))
		return bg_diag_set(
			diag, BG_ERR_ASSERTION, NULL, "the key's endorsement is too long");
	memcpy(assertion.authdata, next->predecessor_key_authdata, assertion.authdata_len);
	memcpy(assertion.sig, next->predecessor_key_sig, assertion.sig_len);
	err = bg_seal_key_challenge(crypto, next_text, next->body_len, challenge);
	if (err != BG_OK)
		return err;
	return bg_assertion_verify(
		crypto, &prev->keys[key], prev->rp_id, challenge, &assertion, diag);
}

enum bg_err bg_seal_check_successor(struct bg_crypto *crypto, const struct bg_seal *prev,
	const struct bg_seal *next, const char *next_text, bool is_keys_lost, struct bg_diag *diag)
{
	enum bg_err err;

	if (memcmp(prev->digest, next->digest, sizeof(prev->digest)) == 0)
		return BG_OK;
	err = check_place(prev, next, diag);
	if (err == BG_OK)
		err = check_quorum(crypto, prev, next, next_text, diag);
	if (err == BG_OK && !is_keys_lost)
		err = check_key(crypto, prev, next, next_text, diag);
	return err;
}

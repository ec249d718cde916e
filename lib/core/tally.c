/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/tally.h>

#include <string.h>

#define FRAME_LEN 128

/* What one custodian signs: yes or no, and to which request. */
static enum bg_err custodian_frame(
	enum bg_context context, const uint8_t digest[static BG_SHA256_LEN], struct bg_writer *w)
{
	bg_frame_begin(w, context);
	bg_frame_field(w, digest, BG_SHA256_LEN);
	return w->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

static enum bg_err response_frame(
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed, struct bg_writer *w)
{
	bg_frame_begin(w, BG_CTX_RESPONSE);
	bg_frame_field(w, digest, BG_SHA256_LEN);
	bg_frame_u32(w, exposed);
	return w->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

static enum bg_err custodian_sign(struct bg_crypto *crypto, enum bg_context context,
	const struct bg_secret *seed, const uint8_t digest[static BG_SHA256_LEN],
	uint8_t ret[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err = custodian_frame(context, digest, &w);

	return err == BG_OK ? bg_ed25519_sign(crypto, seed, frame, w.len, ret) : err;
}

static enum bg_err custodian_verify(struct bg_crypto *crypto, enum bg_context context,
	const struct bg_custodian *custodian, const uint8_t digest[static BG_SHA256_LEN],
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err = custodian_frame(context, digest, &w);

	return err == BG_OK ? bg_ed25519_verify(crypto, custodian->pub, frame, w.len, sig) : err;
}

enum bg_err bg_approval_sign(struct bg_crypto *crypto, const struct bg_secret *seed,
	const uint8_t digest[static BG_SHA256_LEN], uint8_t ret[static BG_ED25519_SIG_LEN])
{
	return custodian_sign(crypto, BG_CTX_APPROVAL, seed, digest, ret);
}

enum bg_err bg_refusal_sign(struct bg_crypto *crypto, const struct bg_secret *seed,
	const uint8_t digest[static BG_SHA256_LEN], uint8_t ret[static BG_ED25519_SIG_LEN])
{
	return custodian_sign(crypto, BG_CTX_REFUSAL, seed, digest, ret);
}

enum bg_err bg_refusal_verify(struct bg_crypto *crypto, const struct bg_custodian *custodian,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	return custodian_verify(crypto, BG_CTX_REFUSAL, custodian, digest, sig);
}

static enum bg_err verify_approval(struct bg_crypto *crypto, const struct bg_custodian *custodian,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	return custodian_verify(crypto, BG_CTX_APPROVAL, custodian, digest, sig);
}

enum bg_err bg_response_sign(struct bg_crypto *crypto, const struct bg_secret *sign_seed,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	uint8_t ret[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err = response_frame(digest, exposed, &w);

	return err == BG_OK ? bg_ed25519_sign(crypto, sign_seed, frame, w.len, ret) : err;
}

static enum bg_err verify_response(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	uint8_t frame[FRAME_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };
	enum bg_err err = response_frame(digest, exposed, &w);

	return err == BG_OK ? bg_ed25519_verify(crypto, seal->quorum_pub, frame, w.len, sig) : err;
}

/* Whatever a file of root's says, only the known ways count, and those that the policy allows. */
static bool is_allowed(const struct bg_seal *seal, enum bg_approval_how how)
{
	return how == BG_HOW_TYPED_HERE || (how == BG_HOW_REMOTE && seal->policy.remote_approve);
}

enum bg_err bg_tally_add(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], size_t custodian, enum bg_approval_how how,
	const uint8_t sig[static BG_ED25519_SIG_LEN], struct bg_tally *tally)
{
	enum bg_err err;

	if (custodian >= seal->custodian_count || custodian >= BG_CUSTODIANS_MAX ||
		how == BG_HOW_NONE)
		return BG_ERR_ARGUMENT;
	if (!is_allowed(seal, how))
		return BG_ERR_STATE;
	err = verify_approval(crypto, &seal->custodians[custodian], digest, sig);
	if (err != BG_OK)
		return err;
	if (tally->approvals[custodian].how != BG_HOW_NONE)
		return BG_ERR_DUPLICATE;
	memcpy(tally->approvals[custodian].sig, sig, BG_ED25519_SIG_LEN);
	tally->approvals[custodian].how = how;
	return BG_OK;
}

enum bg_err bg_tally_add_response(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	const uint8_t sig[static BG_ED25519_SIG_LEN], struct bg_tally *tally)
{
	enum bg_err err;

	if (!seal->policy.remote_combine)
		return BG_ERR_STATE;
	err = verify_response(crypto, seal, digest, exposed, sig);
	if (err != BG_OK)
		return err;
	memcpy(tally->response, sig, BG_ED25519_SIG_LEN);
	tally->exposed = exposed;
	tally->has_response = true;
	return BG_OK;
}

enum bg_err bg_tally_count(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_tally *tally, size_t *ret)
{
	size_t count = 0;

	if (seal->custodian_count > BG_CUSTODIANS_MAX)
		return BG_ERR_ARGUMENT;
	for (size_t i = 0; i < seal->custodian_count; i++) {
		enum bg_err err;

		if (!is_allowed(seal, tally->approvals[i].how))
			continue;
		err = verify_approval(
			crypto, &seal->custodians[i], digest, tally->approvals[i].sig);
		if (err == BG_OK)
			count++;
		else if (err != BG_ERR_SIGNATURE)
			return err;
	}
	*ret = count;
	return BG_OK;
}

/* A threshold that asks for nobody, or for one of several, is nobody's intention. */
static bool is_threshold_sane(const struct bg_seal *seal)
{
	if (seal->threshold < 1 || seal->threshold > seal->custodian_count ||
		seal->custodian_count > BG_CUSTODIANS_MAX)
		return false;
	return seal->threshold > 1 || seal->custodian_count == 1;
}

enum bg_verdict bg_tally_verdict(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_tally *tally)
{
	size_t count = 0;
	bool is_whole = false;

	if (crypto == NULL || !is_threshold_sane(seal))
		return BG_DENIED;
	if (tally->has_response && seal->policy.remote_combine)
		is_whole = verify_response(crypto, seal, digest, tally->exposed, tally->response) ==
			   BG_OK;
	if (!is_whole && bg_tally_count(crypto, seal, digest, tally, &count) == BG_OK)
		is_whole = count >= seal->threshold;
	return is_whole ? BG_SATISFIED : BG_DENIED;
}

static bool is_in_response(const struct bg_tally *tally, const struct bg_custodian *custodian)
{
	return tally->has_response && (tally->exposed >> custodian->index & 1) != 0;
}

void bg_tally_names(const struct bg_seal *seal, const struct bg_tally *tally, char *ret, size_t len)
{
	bool is_picked[BG_CUSTODIANS_MAX];

	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++)
		is_picked[i] = tally->approvals[i].how != BG_HOW_NONE ||
			       is_in_response(tally, &seal->custodians[i]);
	bg_seal_custodian_names(seal, is_picked, ret, len);
}

void bg_tally_exposed(const struct bg_seal *seal, const struct bg_tally *tally, bool is_here,
	char *ret, size_t len)
{
	bool is_picked[BG_CUSTODIANS_MAX];

	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++)
		is_picked[i] = is_here ? tally->approvals[i].how == BG_HOW_TYPED_HERE
				       : is_in_response(tally, &seal->custodians[i]);
	bg_seal_custodian_names(seal, is_picked, ret, len);
}

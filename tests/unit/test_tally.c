/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "unit.h"

#include <breakglass/tally.h>

struct world {
	struct bg_crypto *crypto;
	struct seal_fixture f, other;
	uint8_t digest[BG_SHA256_LEN];
	uint8_t sig[3][BG_ED25519_SIG_LEN], response[BG_ED25519_SIG_LEN];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	w->crypto = bg_crypto_open();
	memset(w->digest, 0xd1, sizeof(w->digest));
	if (w->crypto == NULL || seal_fixture_plan(&w->f, 1) != 0 ||
		seal_fixture_seal(w->crypto, &w->f, NULL, NULL) != BG_OK ||
		seal_fixture_plan(&w->other, 2) != 0 ||
		seal_fixture_seal(w->crypto, &w->other, NULL, NULL) != BG_OK)
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (bg_approval_sign(w->crypto, &w->f.seeds[i], w->digest, w->sig[i]) != BG_OK)
			return -1;
	return bg_response_sign(w->crypto, &w->f.quorum.sign_seed, w->digest, 0x3, w->response) ==
			       BG_OK
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_fixture_free(&w->f);
	seal_fixture_free(&w->other);
	bg_crypto_close(w->crypto);
	free(w);
	return 0;
}

static enum bg_err add(struct world *w, size_t i, struct bg_tally *tally)
{
	return bg_tally_add(w->crypto, &w->f.seal, w->digest, i,
		i == 0 ? BG_HOW_TYPED_HERE : BG_HOW_REMOTE, w->sig[i], tally);
}

static enum bg_verdict verdict(struct world *w, const struct bg_tally *tally)
{
	return bg_tally_verdict(w->crypto, &w->f.seal, w->digest, tally);
}

static void tally_threshold_of_different_custodians_satisfies(void **state)
{
	struct world *w = *state;
	size_t count = 99;

	for (size_t i = 0; i < 3; i++) {
		struct bg_tally tally = { 0 };

		assert_int_equal(verdict(w, &tally), BG_DENIED);
		assert_int_equal(add(w, i, &tally), BG_OK);
		assert_int_equal(verdict(w, &tally), BG_DENIED);
		assert_int_equal(add(w, i, &tally), BG_ERR_DUPLICATE);
		assert_int_equal(verdict(w, &tally), BG_DENIED);
		assert_int_equal(add(w, (i + 1) % 3, &tally), BG_OK);
		assert_int_equal(verdict(w, &tally), BG_SATISFIED);
		assert_int_equal(add(w, (i + 2) % 3, &tally), BG_OK);
		assert_int_equal(verdict(w, &tally), BG_SATISFIED);
		assert_int_equal(
			bg_tally_count(w->crypto, &w->f.seal, w->digest, &tally, &count), BG_OK);
		assert_int_equal(count, 3);
	}
}

/* S13: a bad one costs nothing that was good. */
static void tally_S13_a_bad_approval_costs_only_itself(void **state)
{
	struct world *w = *state;
	struct bg_tally tally = { 0 };

	assert_int_equal(add(w, 0, &tally), BG_OK);
	assert_int_equal(
		bg_tally_add(w->crypto, &w->f.seal, w->digest, 1, BG_HOW_REMOTE, w->sig[2], &tally),
		BG_ERR_SIGNATURE);
	assert_int_equal(
		bg_tally_add(w->crypto, &w->f.seal, w->digest, 3, BG_HOW_REMOTE, w->sig[2], &tally),
		BG_ERR_ARGUMENT);
	assert_int_equal(add(w, 1, &tally), BG_OK);
	assert_int_equal(verdict(w, &tally), BG_SATISFIED);
}

static void tally_P17_approval_of_another_request_or_seal_refused(void **state)
{
	struct world *w = *state;
	struct bg_tally tally = { 0 };
	uint8_t digest[BG_SHA256_LEN];

	memcpy(digest, w->digest, sizeof(digest));
	digest[31] ^= 1;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(bg_tally_add(w->crypto, &w->f.seal, digest, i, BG_HOW_REMOTE,
					 w->sig[i], &tally),
			BG_ERR_SIGNATURE);
		assert_int_equal(bg_tally_add(w->crypto, &w->other.seal, w->digest, i,
					 BG_HOW_REMOTE, w->sig[i], &tally),
			BG_ERR_SIGNATURE);
	}
	assert_int_equal(
		bg_tally_add_response(w->crypto, &w->f.seal, digest, 0x3, w->response, &tally),
		BG_ERR_SIGNATURE);
	assert_int_equal(bg_tally_add_response(
				 w->crypto, &w->other.seal, w->digest, 0x3, w->response, &tally),
		BG_ERR_SIGNATURE);
	/* satisfied for one request, nothing for any other */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(add(w, i, &tally), BG_OK);
	assert_int_equal(
		bg_tally_add_response(w->crypto, &w->f.seal, w->digest, 0x3, w->response, &tally),
		BG_OK);
	assert_int_equal(verdict(w, &tally), BG_SATISFIED);
	assert_int_equal(bg_tally_verdict(w->crypto, &w->f.seal, digest, &tally), BG_DENIED);
	assert_int_equal(bg_tally_verdict(w->crypto, &w->other.seal, w->digest, &tally), BG_DENIED);
}

static void tally_P17_refusal_is_one_custodians_of_one_request_and_counts_for_nothing(void **state)
{
	struct world *w = *state;
	const struct bg_custodian *who = w->f.seal.custodians;
	uint8_t sig[BG_ED25519_SIG_LEN], digest[BG_SHA256_LEN];
	struct bg_tally tally = { 0 };

	assert_int_equal(bg_refusal_sign(w->crypto, &w->f.seeds[1], w->digest, sig), BG_OK);
	assert_int_equal(bg_refusal_verify(w->crypto, &who[1], w->digest, sig), BG_OK);
	assert_int_equal(bg_refusal_verify(w->crypto, &who[0], w->digest, sig), BG_ERR_SIGNATURE);
	assert_int_equal(bg_refusal_verify(w->crypto, &w->other.seal.custodians[1], w->digest, sig),
		BG_ERR_SIGNATURE);
	assert_int_equal(
		bg_refusal_verify(w->crypto, &who[1], w->digest, w->sig[1]), BG_ERR_SIGNATURE);
	assert_int_equal(
		bg_tally_add(w->crypto, &w->f.seal, w->digest, 1, BG_HOW_REMOTE, sig, &tally),
		BG_ERR_SIGNATURE);
	memcpy(digest, w->digest, sizeof(digest));
	for (size_t i = 0; i < sizeof(digest); i++) {
		digest[i] ^= 1;
		assert_int_equal(
			bg_refusal_verify(w->crypto, &who[1], digest, sig), BG_ERR_SIGNATURE);
		digest[i] ^= 1;
	}
}

/* One signature for each context with one seed; only its own verifier takes it. */
static void tally_P17_no_verifier_takes_anothers_context(void **state)
{
	struct world *w = *state;
	const struct bg_secret *seed = &w->f.quorum.sign_seed;
	struct bg_seal seal = w->f.seal;
	uint8_t sigs[BG_CTX_COUNT][BG_ED25519_SIG_LEN], exposed[BG_CTX_COUNT][BG_ED25519_SIG_LEN];
	static const char body[] = "[seal]\n";
	uint8_t digest[BG_SHA256_LEN];

	/* one and the same key in every role, and a digest that is also the body's */
	memcpy(seal.custodians[0].pub, seal.quorum_pub, BG_ED25519_PUB_LEN);
	assert_int_equal(bg_sha256(w->crypto, body, 7, digest), BG_OK);
	for (int c = 0; c < BG_CTX_COUNT; c++) {
		uint8_t frame[128];
		struct bg_writer out = { .p = frame, .cap = sizeof(frame) };

		bg_frame_begin(&out, (enum bg_context)c);
		bg_frame_field(&out, digest, sizeof(digest));
		assert_int_equal(bg_ed25519_sign(w->crypto, seed, frame, out.len, sigs[c]), BG_OK);
		bg_frame_u32(&out, 0x3); /* a response has a field more */
		assert_int_equal(
			bg_ed25519_sign(w->crypto, seed, frame, out.len, exposed[c]), BG_OK);
	}
	for (int c = 0; c < BG_CTX_COUNT; c++) {
		struct bg_tally tally = { 0 };

		assert_int_equal(
			bg_tally_add(w->crypto, &seal, digest, 0, BG_HOW_REMOTE, sigs[c], &tally),
			c == BG_CTX_APPROVAL ? BG_OK : BG_ERR_SIGNATURE);
		assert_int_equal(
			bg_tally_add_response(w->crypto, &seal, digest, 0x3, sigs[c], &tally),
			BG_ERR_SIGNATURE);
		assert_int_equal(
			bg_tally_add_response(w->crypto, &seal, digest, 0x3, exposed[c], &tally),
			c == BG_CTX_RESPONSE ? BG_OK : BG_ERR_SIGNATURE);
		assert_int_equal(bg_refusal_verify(w->crypto, &seal.custodians[0], digest, sigs[c]),
			c == BG_CTX_REFUSAL ? BG_OK : BG_ERR_SIGNATURE);
		assert_int_equal(
			bg_seal_verify(w->crypto, BG_CTX_SEAL, seal.quorum_pub, body, 7, sigs[c]),
			c == BG_CTX_SEAL ? BG_OK : BG_ERR_SIGNATURE);
		assert_int_equal(bg_seal_verify(w->crypto, BG_CTX_SUCCESSION_QUORUM,
					 seal.quorum_pub, body, 7, sigs[c]),
			c == BG_CTX_SUCCESSION_QUORUM ? BG_OK : BG_ERR_SIGNATURE);
		if (c != BG_CTX_SEAL && c != BG_CTX_SUCCESSION_QUORUM)
			assert_int_equal(bg_seal_verify(w->crypto, (enum bg_context)c,
						 seal.quorum_pub, body, 7, sigs[c]),
				BG_ERR_ARGUMENT);
	}
}

static void tally_response_satisfies_alone(void **state)
{
	struct world *w = *state;
	struct bg_tally tally = { 0 };

	assert_int_equal(
		bg_tally_add_response(w->crypto, &w->f.seal, w->digest, 0x3, w->response, &tally),
		BG_OK);
	assert_int_equal(verdict(w, &tally), BG_SATISFIED);
	tally.exposed ^= 1; /* what the response says of exposure is signed */
	assert_int_equal(bg_tally_verdict(w->crypto, &w->f.seal, w->digest, &tally), BG_DENIED);
	tally.exposed ^= 1;
	tally.response[3] ^= 1;
	assert_int_equal(verdict(w, &tally), BG_DENIED);
}

static void tally_forged_file_opens_nothing(void **state)
{
	struct world *w = *state;
	struct bg_tally tally;

	memset(&tally, 0xff, sizeof(tally));
	tally.has_response = true;
	assert_int_equal(verdict(w, &tally), BG_DENIED);
	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++) {
		tally.approvals[i].how = BG_HOW_TYPED_HERE;
		memcpy(tally.approvals[i].sig, w->sig[0], BG_ED25519_SIG_LEN);
	}
	assert_int_equal(verdict(w, &tally), BG_DENIED);
	memset(&tally, 0, sizeof(tally));
	assert_int_equal(verdict(w, &tally), BG_DENIED);
	assert_int_equal(bg_tally_verdict(NULL, &w->f.seal, w->digest, &tally), BG_DENIED);
}

static void tally_S16_senseless_thresholds_deny(void **state)
{
	struct world *w = *state;
	static const struct {
		uint8_t threshold;
		size_t count;
		enum bg_verdict verdict;
	} rows[] = { { 0, 3, BG_DENIED }, { 1, 3, BG_DENIED }, { 1, 2, BG_DENIED },
		{ 4, 3, BG_DENIED }, { 0, 0, BG_DENIED }, { 1, 0, BG_DENIED }, { 2, 17, BG_DENIED },
		{ 3, 3, BG_SATISFIED }, { 1, 1, BG_SATISFIED } };
	struct bg_tally tally = { 0 };

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(add(w, i, &tally), BG_OK);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_seal seal = w->f.seal;

		seal.threshold = rows[i].threshold;
		seal.custodian_count = rows[i].count;
		assert_int_equal(
			bg_tally_verdict(w->crypto, &seal, w->digest, &tally), rows[i].verdict);
	}
}

static void tally_policy_without_remote_counts_only_what_was_typed_here(void **state)
{
	struct world *w = *state;
	struct bg_seal seal = w->f.seal;
	struct bg_tally tally = { 0 };

	seal.policy.remote_approve = seal.policy.remote_combine = false;
	assert_int_equal(
		bg_tally_add(w->crypto, &seal, w->digest, 1, BG_HOW_REMOTE, w->sig[1], &tally),
		BG_ERR_STATE);
	assert_int_equal(
		bg_tally_add_response(w->crypto, &seal, w->digest, 0x3, w->response, &tally),
		BG_ERR_STATE);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(add(w, i, &tally), BG_OK);
	assert_int_equal(
		bg_tally_add_response(w->crypto, &w->f.seal, w->digest, 0x3, w->response, &tally),
		BG_OK);
	assert_int_equal(verdict(w, &tally), BG_SATISFIED);
	assert_int_equal(bg_tally_verdict(w->crypto, &seal, w->digest, &tally), BG_DENIED);
	tally.approvals[1].how = BG_HOW_TYPED_HERE;
	assert_int_equal(bg_tally_verdict(w->crypto, &seal, w->digest, &tally), BG_SATISFIED);
}

static void tally_names_in_the_seals_order(void **state)
{
	struct world *w = *state;
	struct bg_tally tally = { 0 };
	char text[32];

	bg_tally_names(&w->f.seal, &tally, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(add(w, 2, &tally), BG_OK);
	assert_int_equal(add(w, 1, &tally), BG_OK);
	bg_tally_names(&w->f.seal, &tally, text, sizeof(text));
	assert_string_equal(text, "dba, audit");
	bg_tally_names(&w->f.seal, &tally, text, 7);
	assert_string_equal(text, "dba, a");
	bg_tally_names(&w->f.seal, &tally, text, 1);
	assert_string_equal(text, "");
	bg_tally_exposed(&w->f.seal, &tally, true, text, sizeof(text));
	assert_string_equal(text, ""); /* remote ones expose nothing to this host */
	tally.approvals[1].how = BG_HOW_TYPED_HERE;
	bg_tally_exposed(&w->f.seal, &tally, true, text, sizeof(text));
	assert_string_equal(text, "dba");
	tally.exposed = (uint16_t)(1u << w->f.seal.custodians[0].index);
	bg_tally_exposed(&w->f.seal, &tally, false, text, sizeof(text));
	assert_string_equal(text, ""); /* no response, nothing that it could have exposed */
	tally.has_response = true;
	bg_tally_exposed(&w->f.seal, &tally, false, text, sizeof(text));
	assert_string_equal(text, "ops");
	bg_tally_names(&w->f.seal, &tally, text, sizeof(text));
	assert_string_equal(text, "ops, dba, audit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tally_threshold_of_different_custodians_satisfies),
		cmocka_unit_test(tally_S13_a_bad_approval_costs_only_itself),
		cmocka_unit_test(tally_P17_approval_of_another_request_or_seal_refused),
		cmocka_unit_test(
			tally_P17_refusal_is_one_custodians_of_one_request_and_counts_for_nothing),
		cmocka_unit_test(tally_P17_no_verifier_takes_anothers_context),
		cmocka_unit_test(tally_response_satisfies_alone),
		cmocka_unit_test(tally_forged_file_opens_nothing),
		cmocka_unit_test(tally_S16_senseless_thresholds_deny),
		cmocka_unit_test(tally_policy_without_remote_counts_only_what_was_typed_here),
		cmocka_unit_test(tally_names_in_the_seals_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "unit.h"

#include <breakglass/challenge.h>
#include <breakglass/code.h>

struct world {
	struct bg_crypto *crypto;
	struct seal_fixture f, other;
	struct bg_request request;
	struct bg_request_challenge challenge;
};

static void text_fill(char *ret, size_t len, char c)
{
	memset(ret, c, len);
	ret[len] = '\0';
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct bg_request *r = &w->request;

	*state = w;
	w->crypto = bg_crypto_open();
	if (w->crypto == NULL || seal_fixture_plan(&w->f, 1) != 0 ||
		seal_fixture_seal(w->crypto, &w->f, NULL, NULL) != BG_OK ||
		seal_fixture_plan(&w->other, 2) != 0 ||
		seal_fixture_seal(w->crypto, &w->other, NULL, NULL) != BG_OK)
		return -1;
	r->purpose = BG_PURPOSE_EMERGENCY;
	memcpy(r->seal_digest, w->f.seal.digest, BG_SHA256_LEN);
	text_fill(r->host_label, BG_HOST_LABEL_LEN, 'h');
	text_fill(r->account, BG_ACCOUNT_LEN, 'a');
	text_fill(r->key, BG_NAME_LEN, 'k');
	text_fill(r->holder, BG_HOLDER_LEN, 'o');
	text_fill(r->reason, BG_REASON_LEN, 'r');
	text_fill(r->service, BG_SERVICE_LEN, 's');
	text_fill(r->origin, BG_ORIGIN_LEN, '2');
	memset(r->nonce, 0x5a, sizeof(r->nonce));
	r->uid = 990;
	r->session_secs = 14400;
	return bg_request_challenge_make(w->crypto, r, &w->f.seal, &w->challenge) == BG_OK ? 0 : -1;
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

/* The longest request of 16 custodians fits a code; what comes back has the same digest. */
static void challenge_the_longest_request_fits_and_comes_back_whole(void **state)
{
	struct world *w = *state;
	struct bg_request_challenge longest = w->challenge, back;
	uint8_t buf[BG_CODE_MAX_LEN], before[BG_SHA256_LEN], after[BG_SHA256_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

	longest.custodian_count = BG_CUSTODIANS_MAX;
	longest.threshold = BG_CUSTODIANS_MAX;
	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++)
		longest.custodians[i].index = (uint8_t)i;
	assert_int_equal(bg_request_challenge_write(&longest, &out), BG_OK);
	assert_int_equal(bg_request_challenge_read(buf, out.len, &back), BG_OK);
	assert_memory_equal(&back.request, &longest.request, sizeof(back.request));
	assert_memory_equal(back.custodians, longest.custodians, sizeof(back.custodians));
	assert_int_equal(bg_request_digest(w->crypto, &longest.request, before), BG_OK);
	assert_int_equal(bg_request_digest(w->crypto, &back.request, after), BG_OK);
	assert_memory_equal(before, after, sizeof(before));
}

static void challenge_each_truncation_is_refused(void **state)
{
	struct world *w = *state;
	struct bg_request_challenge back;
	uint8_t buf[BG_CODE_MAX_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

	assert_int_equal(bg_request_challenge_write(&w->challenge, &out), BG_OK);
	for (size_t len = 0; len < out.len; len++)
		assert_int_not_equal(bg_request_challenge_read(buf, len, &back), BG_OK);
	assert_int_not_equal(bg_request_challenge_read(buf, out.len + 1, &back), BG_OK);
}

/* What differs in one bit is refused or is another request: never the same digest. */
static void challenge_S15_each_bit_is_in_the_digest_or_refused(void **state)
{
	struct world *w = *state;
	uint8_t buf[BG_CODE_MAX_LEN], digest[BG_SHA256_LEN], other[BG_SHA256_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };
	struct bg_request_challenge back;
	size_t request_len;

	assert_int_equal(bg_request_challenge_write(&w->challenge, &out), BG_OK);
	assert_int_equal(bg_request_digest(w->crypto, &w->request, digest), BG_OK);
	/* behind the request: set, epoch, strength, identifier, threshold, count, three custodians
	 */
	request_len = out.len - (BG_SET_ID_LEN + 4 + 2 + 2 + 2 + 3 * (1 + BG_KEY_HASH_LEN));
	for (size_t bit = 0; bit < request_len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bg_request_challenge_read(buf, out.len, &back) == BG_OK) {
			assert_int_equal(bg_request_digest(w->crypto, &back.request, other), BG_OK);
			assert_memory_not_equal(digest, other, sizeof(digest));
		}
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void challenge_a_senseless_quorum_is_refused(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *name;
		uint8_t threshold, count;
	} rows[] = {
		{ "S16 threshold 0", 0, 3 },
		{ "S16 threshold 1 of 3", 1, 3 },
		{ "S16 threshold 4 of 3", 4, 3 },
		{ "S16 nobody", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bg_request_challenge bad = w->challenge, back;
		uint8_t buf[BG_CODE_MAX_LEN];
		struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

		bad.threshold = rows[i].threshold;
		bad.custodian_count = rows[i].count;
		assert_int_equal(bg_request_challenge_write(&bad, &out), BG_OK);
		if (bg_request_challenge_read(buf, out.len, &back) == BG_OK)
			fail_msg("%s was taken", rows[i].name);
	}
}

static void challenge_names_a_share_of_the_set_and_no_other(void **state)
{
	struct world *w = *state;
	struct bg_secret seed;
	int id = w->f.seal.slip39_id;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(bg_request_challenge_share(w->crypto, &w->challenge, id,
					 w->f.seal.custodians[i].index, &w->f.values[i], &seed),
			BG_OK);
		assert_memory_equal(seed.bytes, w->f.seeds[i].bytes, 32);
	}
	assert_int_equal(
		bg_request_challenge_share(w->crypto, &w->challenge, -1, 0, &w->f.values[0], &seed),
		BG_OK);
	assert_int_equal(
		bg_request_challenge_share(w->crypto, &w->challenge, id, 1, &w->f.values[0], &seed),
		BG_ERR_NOT_A_SHARE);
	assert_int_equal(bg_request_challenge_share(
				 w->crypto, &w->challenge, -1, 0, &w->other.values[0], &seed),
		BG_ERR_NOT_A_SHARE);
	assert_int_equal(bg_request_challenge_share(
				 w->crypto, &w->challenge, id ^ 1, 0, &w->f.values[0], &seed),
		BG_ERR_OTHER_SET);
}

static void touch_challenge(struct world *w, struct bg_touch_challenge *ret)
{
	memset(ret, 0, sizeof(*ret));
	memset(ret->touch.nonce, 7, sizeof(ret->touch.nonce));
	memcpy(ret->touch.seal_digest, w->f.seal.digest, BG_SHA256_LEN);
	strcpy(ret->zone, "db");
	strcpy(ret->touch.host_label, "db1");
	strcpy(ret->touch.account, "breakglass");
	strcpy(ret->touch.service, "login");
	strcpy(ret->touch.origin, "/dev/ttyS0");
}

/* Challenge to the laptop, assertion there, answer back: the host verifies what it made itself. */
static void challenge_touch_goes_there_and_back(void **state)
{
	struct world *w = *state;
	struct bg_touch_challenge challenge, there;
	struct bg_touch_answer answer, back;
	struct bg_assertion made, seen;
	uint8_t buf[BG_CODE_MAX_LEN], digest[BG_SHA256_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

	touch_challenge(w, &challenge);
	assert_int_equal(bg_touch_challenge_write(&challenge, &out), BG_OK);
	assert_int_equal(bg_touch_challenge_read(buf, out.len, &there), BG_OK);
	assert_memory_equal(&there, &challenge, sizeof(there));
	assert_int_equal(bg_touch_digest(w->crypto, &there.touch, digest), BG_OK);
	for (size_t key = 0; key < 2; key++) {
		const struct bg_key *k = &w->f.seal.keys[key];

		assert_int_equal(seal_fixture_assert(&w->f, key, w->f.seal.rp_id, digest,
					 SEAL_UP | SEAL_UV, &made),
			0);
		memcpy(made.credential, k->credential, k->credential_len);
		made.credential_len = k->credential_len;
		assert_int_equal(bg_touch_answer_make(w->crypto, digest, &made, &answer), BG_OK);
		out.len = 0;
		assert_int_equal(bg_touch_answer_write(&answer, &out), BG_OK);
		assert_int_equal(bg_touch_answer_read(buf, out.len, &back), BG_OK);
		assert_int_equal(
			bg_touch_answer_assertion(w->crypto, &back, w->f.seal.rp_id, &seen), BG_OK);
		assert_int_equal(
			bg_assertion_verify(w->crypto, k, w->f.seal.rp_id, digest, &seen, NULL),
			BG_OK);
		assert_int_not_equal(bg_assertion_verify(w->crypto, &w->f.seal.keys[1 - key],
					     w->f.seal.rp_id, digest, &seen, NULL),
			BG_OK);
		digest[0] ^= 1;
		assert_int_not_equal(
			bg_assertion_verify(w->crypto, k, w->f.seal.rp_id, digest, &seen, NULL),
			BG_OK);
		digest[0] ^= 1;
	}
}

static void challenge_approval_refusal_and_response_come_back(void **state)
{
	struct bg_approval approval = { .index = 2, .epoch = 3 }, approval_back;
	struct bg_refusal refusal = { .index = 15, .epoch = 3 }, refusal_back;
	struct bg_response response = { .epoch = 3, .exposed = 0x6 }, response_back;
	uint8_t buf[BG_CODE_MAX_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

	(void)state;
	memset(approval.sig, 9, sizeof(approval.sig));
	memset(response.sig, 8, sizeof(response.sig));
	assert_int_equal(bg_approval_write(&approval, &out), BG_OK);
	assert_int_equal(bg_approval_read(buf, out.len, &approval_back), BG_OK);
	assert_memory_equal(&approval, &approval_back, sizeof(approval));
	assert_int_not_equal(bg_approval_read(buf, out.len - 1, &approval_back), BG_OK);
	out.len = 0;
	memset(refusal.sig, 7, sizeof(refusal.sig));
	assert_int_equal(bg_refusal_write(&refusal, &out), BG_OK);
	assert_int_equal(bg_refusal_read(buf, out.len, &refusal_back), BG_OK);
	assert_memory_equal(&refusal, &refusal_back, sizeof(refusal));
	assert_int_not_equal(bg_refusal_read(buf, out.len - 1, &refusal_back), BG_OK);
	buf[5] = 16; /* the member index */
	assert_int_not_equal(bg_refusal_read(buf, out.len, &refusal_back), BG_OK);
	out.len = 0;
	assert_int_equal(bg_response_write(&response, &out), BG_OK);
	assert_int_equal(bg_response_read(buf, out.len, &response_back), BG_OK);
	assert_memory_equal(response.sig, response_back.sig, sizeof(response.sig));
	assert_int_equal(response_back.exposed, 0x6);
	assert_int_not_equal(bg_response_read(buf, out.len + 1, &response_back), BG_OK);
}

/* P20: nothing that could write on a terminal comes out of a challenge. */
static void challenge_P20_control_characters_are_refused(void **state)
{
	struct world *w = *state;
	struct bg_touch_challenge challenge, back;
	uint8_t buf[BG_CODE_MAX_LEN];
	struct bg_writer out = { .p = buf, .cap = sizeof(buf) };

	touch_challenge(w, &challenge);
	strcpy(challenge.touch.origin, "\033[2Jhere");
	assert_int_equal(bg_touch_challenge_write(&challenge, &out), BG_OK);
	assert_int_equal(bg_touch_challenge_read(buf, out.len, &back), BG_ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			challenge_the_longest_request_fits_and_comes_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_each_truncation_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_S15_each_bit_is_in_the_digest_or_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_a_senseless_quorum_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_names_a_share_of_the_set_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_touch_goes_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_approval_refusal_and_response_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			challenge_P20_control_characters_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

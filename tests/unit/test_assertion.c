/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "unit.h"

struct world {
	struct bg_crypto *crypto;
	struct seal_fixture f;
	uint8_t challenge[BG_SHA256_LEN];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	w->crypto = bg_crypto_open();
	memset(w->challenge, 0xc4, sizeof(w->challenge));
	return w->crypto != NULL && seal_fixture_plan(&w->f, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_fixture_free(&w->f);
	bg_crypto_close(w->crypto);
	free(w);
	return 0;
}

static struct bg_assertion make(struct world *w, size_t key, uint8_t flags)
{
	struct bg_assertion a;

	assert_int_equal(
		seal_fixture_assert(&w->f, key, w->f.seal.rp_id, w->challenge, flags, &a), 0);
	return a;
}

static enum bg_err verify(struct world *w, size_t key, const struct bg_assertion *a)
{
	return bg_assertion_verify(
		w->crypto, &w->f.seal.keys[key], w->f.seal.rp_id, w->challenge, a, NULL);
}

static void assertion_of_both_algorithms_accepted(void **state)
{
	struct world *w = *state;

	for (size_t key = 0; key < 2; key++) {
		struct bg_assertion a = make(w, key, SEAL_UP | SEAL_UV);

		assert_int_equal(verify(w, key, &a), BG_OK);
		a.credential_len = 0; /* a key asked for one credential need not name it */
		assert_int_equal(verify(w, key, &a), BG_OK);
	}
}

static void assertion_P03_flags_are_required(void **state)
{
	struct world *w = *state;
	static const uint8_t bad[] = { 0, SEAL_UP, SEAL_UV, SEAL_AT, SEAL_UP | SEAL_UV | SEAL_AT,
		SEAL_UP | SEAL_UV | SEAL_ED };

	for (size_t key = 0; key < 2; key++) {
		for (size_t i = 0; i < LEN(bad); i++) {
			struct bg_assertion a = make(w, key, bad[i]);

			assert_int_equal(verify(w, key, &a), BG_ERR_ASSERTION);
		}
	}
}

static void assertion_P03_rp_id_hash_is_required(void **state)
{
	struct world *w = *state;

	for (size_t key = 0; key < 2; key++) {
		struct bg_assertion a;

		assert_int_equal(seal_fixture_assert(&w->f, key, "breakglass:web", w->challenge,
					 SEAL_UP | SEAL_UV, &a),
			0);
		assert_int_equal(verify(w, key, &a), BG_ERR_ASSERTION);
	}
}

static void assertion_P03_algorithm_is_the_enrolled_one(void **state)
{
	struct world *w = *state;

	for (size_t key = 0; key < 2; key++) {
		struct bg_assertion a = make(w, key, SEAL_UP | SEAL_UV);
		struct bg_key wrong = w->f.seal.keys[key];

		wrong.alg = BG_ALG_NONE;
		assert_int_equal(bg_assertion_verify(w->crypto, &wrong, w->f.seal.rp_id,
					 w->challenge, &a, NULL),
			BG_ERR_ASSERTION);
		wrong.alg = key == 0 ? BG_ALG_EDDSA : BG_ALG_ES256;
		assert_int_not_equal(bg_assertion_verify(w->crypto, &wrong, w->f.seal.rp_id,
					     w->challenge, &a, NULL),
			BG_OK);
		wrong.alg = (enum bg_alg) - 257; /* RS256 */
		assert_int_equal(bg_assertion_verify(w->crypto, &wrong, w->f.seal.rp_id,
					 w->challenge, &a, NULL),
			BG_ERR_ASSERTION);
	}
}

static void assertion_P03_credential_is_the_enrolled_one(void **state)
{
	struct world *w = *state;
	struct bg_assertion a = make(w, 0, SEAL_UP | SEAL_UV);
	struct bg_key none = w->f.seal.keys[0];

	a.credential[0] ^= 1;
	assert_int_equal(verify(w, 0, &a), BG_ERR_ASSERTION);
	a.credential[0] ^= 1;
	a.credential_len--;
	assert_int_equal(verify(w, 0, &a), BG_ERR_ASSERTION);
	a.credential_len = SIZE_MAX;
	assert_int_equal(verify(w, 0, &a), BG_ERR_ASSERTION);
	a = make(w, 0, SEAL_UP | SEAL_UV);
	assert_int_equal(verify(w, 1, &a), BG_ERR_ASSERTION);
	none.credential_len = 0;
	assert_int_equal(
		bg_assertion_verify(w->crypto, &none, w->f.seal.rp_id, w->challenge, &a, NULL),
		BG_ERR_ASSERTION);
}

static void assertion_P03_signature_is_the_keys(void **state)
{
	struct world *w = *state;

	for (size_t key = 0; key < 2; key++) {
		struct bg_assertion good = make(w, key, SEAL_UP | SEAL_UV), a = good;

		for (size_t i = 0; i < 8 * good.sig_len; i++) {
			a.sig[i / 8] ^= (uint8_t)(1 << i % 8);
			assert_int_equal(verify(w, key, &a), BG_ERR_SIGNATURE);
			a.sig[i / 8] = good.sig[i / 8];
		}
		for (size_t i = 33 * 8; i < 37 * 8; i++) {
			a.authdata[i / 8] ^= (uint8_t)(1 << i % 8);
			assert_int_equal(verify(w, key, &a), BG_ERR_SIGNATURE);
			a.authdata[i / 8] = good.authdata[i / 8];
		}
		w->challenge[31] ^= 1;
		assert_int_equal(verify(w, key, &good), BG_ERR_SIGNATURE);
		w->challenge[31] ^= 1;
		w->f.seal.keys[key].pub[7] ^= 1;
		assert_int_not_equal(verify(w, key, &good), BG_OK);
		w->f.seal.keys[key].pub[7] ^= 1;
		assert_int_equal(verify(w, key, &good), BG_OK);
	}
}

static void assertion_P03_lengths_are_checked(void **state)
{
	struct world *w = *state;

	for (size_t key = 0; key < 2; key++) {
		struct bg_assertion good = make(w, key, SEAL_UP | SEAL_UV), a = good;

		for (size_t len = 0; len <= BG_AUTHDATA_MAX_LEN + 2; len++) {
			a.authdata_len = len;
			assert_int_equal(verify(w, key, &a), len == 37 ? BG_OK : BG_ERR_ASSERTION);
		}
		a = good;
		for (size_t len = 0; len <= BG_ASSERTION_SIG_MAX_LEN + 2; len++) {
			a.sig_len = len;
			if (len != good.sig_len)
				assert_int_not_equal(verify(w, key, &a), BG_OK);
		}
		a.sig_len = a.authdata_len = SIZE_MAX;
		assert_int_equal(verify(w, key, &a), BG_ERR_ASSERTION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assertion_of_both_algorithms_accepted),
		cmocka_unit_test(assertion_P03_flags_are_required),
		cmocka_unit_test(assertion_P03_rp_id_hash_is_required),
		cmocka_unit_test(assertion_P03_algorithm_is_the_enrolled_one),
		cmocka_unit_test(assertion_P03_credential_is_the_enrolled_one),
		cmocka_unit_test(assertion_P03_signature_is_the_keys),
		cmocka_unit_test(assertion_P03_lengths_are_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

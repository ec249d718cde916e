/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RULES S08 and S12 need a library that is broken or watched. slip39_split.c and
 * slip39_cipher.c are compiled here a second time with one call replaced, so the
 * program takes them, and everything else from the library itself.
 */
#include "unit.h"

#include "rng.h"
#include "../../lib/core/slip39_internal.h"

static unsigned int pbkdf2_calls;

static enum bg_err counted_pbkdf2(struct bg_crypto *crypto, const void *password,
	size_t password_len, const void *salt, size_t salt_len, uint32_t rounds, void *ret,
	size_t ret_len)
{
	pbkdf2_calls++;
	return bg_pbkdf2_sha256(
		crypto, password, password_len, salt, salt_len, rounds, ret, ret_len);
}

#define bg_pbkdf2_sha256 counted_pbkdf2
#include "../../lib/core/slip39_cipher.c"
#undef bg_pbkdf2_sha256

static struct {
	unsigned int calls;
	unsigned int break_at; /* the interpolation (from 1) that comes out wrong; 0: none */
	unsigned int bit;
} dealer;

static enum bg_err broken_interpolate(
	const struct bg_slip39_point *points, size_t n, uint8_t x, struct bg_secret *ret)
{
	enum bg_err err = bg_slip39_interpolate(points, n, x, ret);

	if (++dealer.calls == dealer.break_at)
		ret->bytes[dealer.bit / 8 % ret->len] ^= (uint8_t)(1U << dealer.bit % 8);
	return err;
}

#define bg_slip39_interpolate broken_interpolate
#include "../../lib/core/slip39_split.c"
#undef bg_slip39_interpolate

static int setup(void **state)
{
	*state = bg_crypto_open();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	bg_crypto_close(*state);
	return 0;
}

static enum bg_err split(
	struct bg_crypto *crypto, uint8_t k, uint8_t n, struct bg_slip39_share ret[static 16])
{
	static const struct bg_secret master = { .len = 16, .bytes = { 1, 2, 3 } };
	const struct bg_slip39_deal how = { k, n, 5 };
	struct rng rng = { .state = 4 };

	dealer.calls = 0;
	memset(ret, 0x77, 16 * sizeof(*ret));
	return bg_slip39_split(crypto, &how, &master, rng_fill, &rng, ret);
}

static void slip39_S08_broken_splitter_shows_nothing(void **state)
{
	static const struct {
		uint8_t k, n;
	} deals[] = { { 2, 2 }, { 2, 3 }, { 3, 5 }, { 15, 16 }, { 16, 16 }, { 8, 16 } };
	struct bg_slip39_share shares[16], untouched[16];

	memset(untouched, 0x77, sizeof(untouched));
	for (size_t d = 0; d < LEN(deals); d++) {
		unsigned int calls;

		dealer.break_at = 0;
		assert_int_equal(split(*state, deals[d].k, deals[d].n, shares), BG_OK);
		calls = dealer.calls;
		assert_int_equal(calls, deals[d].n - deals[d].k + 2);
		for (dealer.break_at = 1; dealer.break_at <= calls; dealer.break_at++) {
			for (dealer.bit = 0; dealer.bit < 128; dealer.bit += 31) {
				assert_int_equal(split(*state, deals[d].k, deals[d].n, shares),
					BG_ERR_DIGEST);
				assert_memory_equal(shares, untouched, sizeof(shares));
			}
		}
	}
}

static void slip39_S12_exponent_is_refused_before_pbkdf2(void **state)
{
	struct bg_slip39_share shares[16];
	struct bg_secret got = { .len = 77 };

	dealer.break_at = 0;
	assert_int_equal(split(*state, 2, 3, shares), BG_OK);
	pbkdf2_calls = 0;
	for (unsigned int e = 5; e <= 255; e++) {
		struct bg_diag diag = { 0 };

		shares[0].exponent = shares[1].exponent = (uint8_t)e;
		assert_int_equal(
			bg_slip39_combine(*state, shares, 2, "", &got, &diag), BG_ERR_EXPONENT);
		assert_int_equal(diag.index, 1);
		assert_int_equal(bg_slip39_decrypt(*state, &shares[0], "", &shares[0].value, &got),
			BG_ERR_EXPONENT);
	}
	assert_int_equal(pbkdf2_calls, 0);
	assert_int_equal(got.len, 77);
	/* the same with an exponent that is allowed reaches it: the count counts */
	shares[0].exponent = shares[1].exponent = 4;
	assert_int_equal(bg_slip39_combine(*state, shares, 2, "", &got, NULL), BG_OK);
	assert_int_equal(pbkdf2_calls, 4);
}

static void slip39_S10_refused_shares_never_reach_pbkdf2(void **state)
{
	struct bg_slip39_share shares[16];
	struct bg_secret got = { .len = 77 };

	dealer.break_at = 0;
	assert_int_equal(split(*state, 3, 5, shares), BG_OK);
	pbkdf2_calls = 0;
	assert_int_equal(bg_slip39_combine(*state, shares, 2, "", &got, NULL), BG_ERR_TOO_FEW);
	shares[1].value.bytes[0] ^= 1;
	assert_int_equal(bg_slip39_combine(*state, shares, 3, "", &got, NULL), BG_ERR_DIGEST);
	assert_int_equal(bg_slip39_combine(*state, shares, 5, "", &got, NULL), BG_ERR_POLYNOMIAL);
	assert_int_equal(pbkdf2_calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slip39_S08_broken_splitter_shows_nothing),
		cmocka_unit_test(slip39_S12_exponent_is_refused_before_pbkdf2),
		cmocka_unit_test(slip39_S10_refused_shares_never_reach_pbkdf2),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

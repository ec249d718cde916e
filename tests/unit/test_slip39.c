/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors, words and the extremes; randomness is in test_slip39_uniform.c, what needs a broken
   library in test_slip39_seams.c. */
#include "unit.h"

#include "rng.h"
#include "vectors.h"

#include <time.h>

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

static enum bg_err combine_vector(struct bg_crypto *crypto, const struct vector *v,
	const char *passphrase, struct bg_secret *ret)
{
	struct bg_slip39_share shares[VECTOR_SHARES];
	struct bg_diag diag = { 0 };

	for (size_t i = 0; i < v->count; i++) {
		enum bg_err err = vectors_share(v->mnemonic[i], &shares[i]);

		if (err)
			return err;
	}
	return bg_slip39_combine(crypto, shares, v->count, passphrase, ret, &diag);
}

static void assert_secret(const struct vector *v, const struct bg_secret *got)
{
	uint8_t want[32];

	assert_int_equal(got->len, strlen(v->secret) / 2);
	hex(v->secret, want, got->len);
	assert_memory_equal(got->bytes, want, got->len);
}

/* Why each of the official invalid ones is refused, by a word of its name. */
static enum bg_err official_reason(const char *name)
{
	static const struct {
		const char *part;
		enum bg_err err;
	} reasons[] = {
		{ "invalid checksum", BG_ERR_CHECKSUM },
		{ "invalid padding", BG_ERR_PADDING },
		{ "Basic sharing 2-of-3", BG_ERR_TOO_FEW },
		{ "nsufficient number of", BG_ERR_TOO_FEW },
		{ "duplicate", BG_ERR_DUPLICATE },
		{ "invalid digest", BG_ERR_DIGEST },
		{ "greater group threshold", BG_ERR_RANGE },
		{ "length", BG_ERR_RANGE },
		{ "different", BG_ERR_MISMATCH },
		{ "mismatching", BG_ERR_MISMATCH },
	};

	for (size_t i = 0; i < LEN(reasons); i++)
		if (strstr(name, reasons[i].part))
			return reasons[i].err;
	return BG_OK;
}

static void slip39_official_vectors_all_45(void **state)
{
	char *text = vectors_read("slip39.json");
	const char *p = text;
	struct vector v;
	int valid = 0, invalid = 0;

	while (vectors_next(&p, &v)) {
		struct bg_secret got = { .len = 77 };
		enum bg_err err = combine_vector(*state, &v, "TREZOR", &got);

		if (v.secret[0]) {
			assert_int_equal(err, BG_OK);
			assert_secret(&v, &got);
			valid++;
			continue;
		}
		invalid++;
		assert_int_equal(got.len, 77);
		if (err != official_reason(v.name))
			fail_msg("%s: %s", v.name, bg_err_text(err));
		assert_int_not_equal(err, BG_OK);
	}
	free(text);
	assert_int_equal(valid + invalid, 45);
	assert_true(valid >= 10 && invalid >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slip39_official_vectors_all_45),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

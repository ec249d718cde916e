/* SPDX-License-Identifier: BSD-2-Clause */
/* The derivations' vectors are tests/vectors/keys.json (ctest vectors.protocol). */
#include "unit.h"

#include <breakglass/keys.h>

static int setup(void **state)
{
	*state = bg_crypto_open();
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	bg_crypto_close(*state);
	return 0;
}

/* Every input separates: value, set, epoch, member index, and custodian from quorum. */
static void keys_every_input_separates(void **state)
{
	struct bg_secret a = { .bytes = { 1 }, .len = 16 }, b = { .bytes = { 2 }, .len = 16 };
	struct bg_secret seeds[8];
	struct bg_quorum q;
	uint8_t set[BG_SET_ID_LEN] = { 1 }, other[BG_SET_ID_LEN] = { 2 };

	assert_int_equal(bg_custodian_seed(*state, &a, set, 1, 0, &seeds[0]), BG_OK);
	assert_int_equal(bg_custodian_seed(*state, &b, set, 1, 0, &seeds[1]), BG_OK);
	assert_int_equal(bg_custodian_seed(*state, &a, other, 1, 0, &seeds[2]), BG_OK);
	assert_int_equal(bg_custodian_seed(*state, &a, set, 2, 0, &seeds[3]), BG_OK);
	assert_int_equal(bg_custodian_seed(*state, &a, set, 1, 1, &seeds[4]), BG_OK);
	a.len = 32;
	assert_int_equal(bg_custodian_seed(*state, &a, set, 1, 0, &seeds[5]), BG_OK);
	a.len = 16;
	assert_int_equal(bg_quorum_derive(*state, &a, set, 1, &q), BG_OK);
	seeds[6] = q.sign_seed;
	seeds[7] = q.envelope;
	for (size_t i = 0; i < LEN(seeds); i++) {
		assert_int_equal(seeds[i].len, 32);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seeds[i].bytes, seeds[j].bytes, 32);
	}
}

static void keys_of_other_lengths_refused(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 17, 31 };
	uint8_t set[BG_SET_ID_LEN] = { 1 };

	for (size_t i = 0; i < LEN(lens); i++) {
		struct bg_secret value = { .len = lens[i] }, seed = { .len = 7 };
		struct bg_quorum q = { .sign_pub = { 7 } };

		assert_int_equal(
			bg_custodian_seed(*state, &value, set, 1, 0, &seed), BG_ERR_ARGUMENT);
		assert_int_equal(bg_quorum_derive(*state, &value, set, 1, &q), BG_ERR_ARGUMENT);
		assert_int_equal(seed.len, 7);
		assert_int_equal(q.sign_pub[0], 7);
	}
}

/* Its checksum is checked in Python (vectors.protocol). */
static void keys_recipient_has_its_shape(void **state)
{
	static const char *const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	char text[BG_AGE_RECIPIENT_LEN + 1];
	uint8_t pub[BG_X25519_PUB_LEN];

	(void)state;
	for (int fill = 0; fill < 256; fill++) {
		memset(pub, fill, sizeof(pub));
		bg_age_recipient(pub, text);
		assert_int_equal(strlen(text), BG_AGE_RECIPIENT_LEN);
		assert_memory_equal(text, "age1", 4);
		assert_int_equal(strspn(text + 4, alphabet), BG_AGE_RECIPIENT_LEN - 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_every_input_separates),
		cmocka_unit_test(keys_of_other_lengths_refused),
		cmocka_unit_test(keys_recipient_has_its_shape),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/gf256.h>

/* Schoolbook: product of polynomials, then division by 0x11b. */
static uint8_t slow_mul(unsigned int a, unsigned int b)
{
	unsigned int product = 0;

	for (int i = 0; i < 8; i++)
		if (b >> i & 1)
			product ^= a << i;
	for (int i = 14; i >= 8; i--)
		if (product >> i & 1)
			product ^= 0x11bU << (i - 8);
	return (uint8_t)product;
}

static void gf256_S09_field_is_pinned(void **state)
{
	(void)state;
	assert_int_equal(bg_gf256_mul(0x57, 0x83), 0xc1); /* FIPS 197; 0x31 under 0x11d */
	assert_int_equal(bg_gf256_mul(0x57, 0x13), 0xfe);
	assert_int_equal(bg_gf256_mul(0x80, 2), 0x1b);
	for (unsigned int a = 0; a < 256; a++)
		for (unsigned int b = 0; b < 256; b++)
			assert_int_equal(bg_gf256_mul((uint8_t)a, (uint8_t)b), slow_mul(a, b));
}

static void gf256_inverse_times_itself_is_one(void **state)
{
	(void)state;
	assert_int_equal(bg_gf256_inv(0), 0);
	for (unsigned int a = 1; a < 256; a++)
		assert_int_equal(slow_mul(a, bg_gf256_inv((uint8_t)a)), 1);
}

static void gf256_mul_add_is_mul_at_every_length(void **state)
{
	uint8_t p[40], acc[40];

	(void)state;
	for (size_t len = 0; len <= 33; len++) {
		for (unsigned int weight = 0; weight < 256; weight++) {
			for (size_t i = 0; i < sizeof(p); i++) {
				p[i] = (uint8_t)(i * 37 + weight * 3);
				acc[i] = (uint8_t)(i * 11);
			}
			bg_gf256_mul_add(acc, p, len, (uint8_t)weight);
			for (size_t i = 0; i < sizeof(p); i++) {
				uint8_t was = (uint8_t)(i * 11);
				uint8_t want = i < len ? was ^ slow_mul(p[i], weight) : was;

				assert_int_equal(acc[i], want);
			}
		}
	}
}

static void gf256_weights_interpolate_a_known_polynomial(void **state)
{
	static const uint8_t c[4] = { 0x1d, 0xe7, 0x02, 0x9a };
	uint8_t xs[4] = { 0, 9, 3, 254 }, w[4], y;

	(void)state;
	for (unsigned int x = 0; x < 256; x++) {
		uint8_t want = 0, got = 0;

		assert_int_equal(bg_gf256_weights(xs, 4, (uint8_t)x, w), BG_OK);
		for (int d = 3; d >= 0; d--)
			want = slow_mul(want, x) ^ c[d];
		for (int i = 0; i < 4; i++) {
			y = 0;
			for (int d = 3; d >= 0; d--)
				y = slow_mul(y, xs[i]) ^ c[d];
			got ^= slow_mul(y, w[i]);
		}
		assert_int_equal(got, want);
	}
}

static void gf256_S06_weights_refuse_duplicates_and_bad_counts(void **state)
{
	uint8_t xs[17] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }, w[17];

	(void)state;
	assert_int_equal(bg_gf256_weights(xs, 0, 255, w), BG_ERR_ARGUMENT);
	assert_int_equal(bg_gf256_weights(xs, 17, 255, w), BG_ERR_ARGUMENT);
	assert_int_equal(bg_gf256_weights(xs, 16, 255, w), BG_OK);
	xs[15] = 0;
	assert_int_equal(bg_gf256_weights(xs, 16, 255, w), BG_ERR_DUPLICATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gf256_S09_field_is_pinned),
		cmocka_unit_test(gf256_inverse_times_itself_is_one),
		cmocka_unit_test(gf256_mul_add_is_mul_at_every_length),
		cmocka_unit_test(gf256_weights_interpolate_a_known_polynomial),
		cmocka_unit_test(gf256_S06_weights_refuse_duplicates_and_bad_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

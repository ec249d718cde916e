/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RULES S03 and S04: statistics over many deals, from fixed seeds so that they
 * come out the same at each run. Chi-square with 255 degrees of freedom: 256 ± 23;
 * the bounds are seven deviations away, a constant or derived byte is thousands.
 */
#include "unit.h"

#include "rng.h"

#include <breakglass/gf256.h>
#include <breakglass/slip39.h>

/* The cipher is compiled here once more with a single round of PBKDF2, or this would take a
   minute; it stands before the dealing, whose statistics are taken. */
static enum bg_err one_round(struct bg_crypto *crypto, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t rounds, void *ret, size_t ret_len)
{
	(void)rounds;
	return bg_pbkdf2_sha256(crypto, password, password_len, salt, salt_len, 1, ret, ret_len);
}
#define bg_pbkdf2_sha256 one_round
#include "../../lib/core/slip39_cipher.c"
#undef bg_pbkdf2_sha256

#define K	4
#define N	5
#define DEALS	6000
#define LENGTH	16
#define CHI_MIN 130.0
#define CHI_MAX 420.0

/* The polynomials' coefficients, byte by byte, of each deal of one and the same secret. */
static uint8_t coefficient[DEALS][K][LENGTH];
static uint8_t value[DEALS][N][LENGTH];

/* From k points to coefficients: solve by adding up the Lagrange basis polynomials. */
static void coefficients(const struct bg_slip39_share *shares, uint8_t ret[K][LENGTH])
{
	memset(ret, 0, (size_t)K * LENGTH);
	for (uint8_t i = 0; i < K; i++) {
		uint8_t basis[K] = { 1 }, under = 1, degree = 0;

		for (uint8_t j = 0; j < K; j++) {
			if (j == i)
				continue;
			degree++;
			for (uint8_t d = degree; d > 0; d--)
				basis[d] = basis[d - 1] ^ bg_gf256_mul(basis[d], j);
			basis[0] = bg_gf256_mul(basis[0], j);
			under = bg_gf256_mul(under, i ^ j);
		}
		for (uint8_t d = 0; d < K; d++)
			bg_gf256_mul_add(ret[d], shares[i].value.bytes, LENGTH,
				bg_gf256_mul(basis[d], bg_gf256_inv(under)));
	}
}

static int deal_many(void **state)
{
	struct bg_crypto *crypto = bg_crypto_open();
	struct bg_secret master = { .len = LENGTH };
	struct bg_slip39_deal how = { K, N, 1 };
	struct rng rng = { .state = 20 };

	(void)state;
	for (size_t i = 0; crypto && i < DEALS; i++) {
		struct bg_slip39_share shares[N];

		if (bg_slip39_split(crypto, &how, &master, rng_fill, &rng, shares))
			return -1;
		coefficients(shares, coefficient[i]);
		for (size_t s = 0; s < N; s++)
			memcpy(value[i][s], shares[s].value.bytes, LENGTH);
	}
	bg_crypto_close(crypto);
	return crypto ? 0 : -1;
}

/* One byte of each deal, `stride` apart; XORed with another one, if given. */
static double chi_square(const uint8_t *p, const uint8_t *other, size_t stride)
{
	unsigned int count[256] = { 0 };
	const double expected = DEALS / 256.0;
	double sum = 0;

	for (size_t i = 0; i < DEALS; i++)
		count[p[i * stride] ^ (other ? other[i * stride] : 0)]++;
	for (size_t i = 0; i < 256; i++)
		sum += (count[i] - expected) * (count[i] - expected) / expected;
	return sum;
}

static void assert_uniform(const uint8_t *p, const uint8_t *other, size_t stride)
{
	double chi = chi_square(p, other, stride);

	assert_true(chi > CHI_MIN && chi < CHI_MAX);
}

static void slip39_S03_every_coefficient_is_uniform_the_top_one_included(void **state)
{
	(void)state;
	for (size_t d = 0; d < K; d++)
		for (size_t b = 0; b < LENGTH; b++)
			assert_uniform(&coefficient[0][d][b], NULL, sizeof(coefficient[0]));
}

/* With 6,000 deals each top coefficient's byte is 0 some 23 times: never 0 is a bias. */
static void slip39_S03_top_coefficient_is_zero_as_often_as_anything(void **state)
{
	(void)state;
	for (size_t b = 0; b < LENGTH; b++) {
		unsigned int zeroes = 0;

		for (size_t i = 0; i < DEALS; i++)
			zeroes += coefficient[i][K - 1][b] == 0;
		assert_in_range(zeroes, 3, 60);
	}
}

static void slip39_S04_fewer_than_k_shares_look_uniform_together(void **state)
{
	(void)state;
	for (size_t s = 0; s < N; s++) {
		for (size_t b = 0; b < LENGTH; b++) {
			assert_uniform(&value[0][s][b], NULL, sizeof(value[0]));
			for (size_t t = 0; t < s; t++)
				assert_uniform(&value[0][s][b], &value[0][t][b], sizeof(value[0]));
			for (size_t c = 0; c < b; c++)
				assert_uniform(&value[0][s][b], &value[0][s][c], sizeof(value[0]));
		}
	}
}

#define BITS ((K - 1) * LENGTH * 8)

/* The rank over GF(2) of a row a deal, made of all shares' bits but one's: any share or part
   of it that follows linearly from others, or from the secret, would lower it. */
static void slip39_S04_rank_of_k_minus_1_shares_is_full(void **state)
{
	static uint8_t rows[2 * BITS][BITS / 8];
	size_t rank = 0;

	(void)state;
	for (size_t i = 0; i < 2 * BITS; i++)
		for (size_t s = 0; s < K - 1; s++)
			memcpy(rows[i] + s * LENGTH, value[i][s + 1], LENGTH);
	for (size_t bit = 0; bit < BITS; bit++) {
		size_t pivot = rank;
		uint8_t swap[BITS / 8];

		while (pivot < 2 * BITS && !(rows[pivot][bit / 8] >> bit % 8 & 1))
			pivot++;
		if (pivot == 2 * BITS)
			continue;
		memcpy(swap, rows[pivot], sizeof(swap));
		memcpy(rows[pivot], rows[rank], sizeof(swap));
		memcpy(rows[rank], swap, sizeof(swap));
		for (size_t i = rank + 1; i < 2 * BITS; i++)
			if (rows[i][bit / 8] >> bit % 8 & 1)
				for (size_t b = 0; b < sizeof(swap); b++)
					rows[i][b] ^= swap[b];
		rank++;
	}
	assert_int_equal(rank, BITS);
}

/* Two secrets dealt with the same randomness: what is drawn does not depend on the secret. */
static void slip39_S04_drawn_shares_do_not_derive_from_the_secret(void **state)
{
	struct bg_crypto *crypto = bg_crypto_open();
	struct bg_slip39_deal how = { K, N, 1 };
	struct bg_slip39_share a[N], b[N];
	struct bg_secret master = { .len = LENGTH };
	struct rng rng = { .state = 8 };

	(void)state;
	assert_int_equal(bg_slip39_split(crypto, &how, &master, rng_fill, &rng, a), BG_OK);
	rng = (struct rng){ .state = 8 };
	master.bytes[0] = 1;
	assert_int_equal(bg_slip39_split(crypto, &how, &master, rng_fill, &rng, b), BG_OK);
	for (size_t s = 0; s < K - 2; s++)
		assert_memory_equal(a[s].value.bytes, b[s].value.bytes, LENGTH);
	for (size_t s = K - 2; s < N; s++)
		assert_memory_not_equal(a[s].value.bytes, b[s].value.bytes, LENGTH);
	bg_crypto_close(crypto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slip39_S03_every_coefficient_is_uniform_the_top_one_included),
		cmocka_unit_test(slip39_S03_top_coefficient_is_zero_as_often_as_anything),
		cmocka_unit_test(slip39_S04_fewer_than_k_shares_look_uniform_together),
		cmocka_unit_test(slip39_S04_rank_of_k_minus_1_shares_is_full),
		cmocka_unit_test(slip39_S04_drawn_shares_do_not_derive_from_the_secret),
	};

	return cmocka_run_group_tests(tests, deal_many, NULL);
}

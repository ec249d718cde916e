/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/gf256.h>

#include <string.h>

#define POINTS_MAX 16
#define ONES	   UINT64_C(0x0101010101010101)

/* Eight field elements side by side, one a byte, each times the polynomial x. */
static uint64_t times_x(uint64_t v)
{
	uint64_t carries = v >> 7 & ONES;

	return (v & UINT64_C(0x7f7f7f7f7f7f7f7f)) << 1 ^ carries * 0x1b;
}

/* Each of the eight times its factor. */
static uint64_t times(uint64_t v, uint64_t factors)
{
	uint64_t product = 0;

	for (unsigned int bit = 0; bit < 8; bit++) {
		product ^= v & (factors >> bit & ONES) * 0xff;
		v = times_x(v);
	}
	return product;
}

/* a^254: 254 = 2 + 4 + ... + 128 */
static uint64_t inverse(uint64_t power)
{
	uint64_t product = ONES;

	for (int i = 0; i < 7; i++) {
		power = times(power, power);
		product = times(product, power);
	}
	return product;
}

uint8_t bg_gf256_mul(uint8_t a, uint8_t b)
{
	return (uint8_t)times(a, b);
}

uint8_t bg_gf256_inv(uint8_t a)
{
	return (uint8_t)inverse(a);
}

void bg_gf256_mul_add(uint8_t *acc, const uint8_t *p, size_t len, uint8_t weight)
{
	for (size_t i = 0; i < len; i += 8) {
		size_t n = len - i < 8 ? len - i : 8;
		uint64_t sum = 0, v = 0;

		memcpy(&sum, acc + i, n);
		memcpy(&v, p + i, n);
		sum ^= times(v, weight * ONES);
		memcpy(acc + i, &sum, n);
	}
}

/* The weights of up to eight points, those from `first` on, side by side. */
static void eight_weights(const uint8_t *xs, size_t n, uint8_t x, size_t first, uint8_t *ret)
{
	uint64_t over = ONES, under = ONES;
	size_t count = n - first < 8 ? n - first : 8;

	for (size_t j = 0; j < n; j++) {
		uint8_t to_x[8], apart[8];
		uint64_t factors;

		memset(to_x, x ^ xs[j], sizeof(to_x));
		memset(apart, 1, sizeof(apart));
		for (size_t i = 0; i < count; i++)
			apart[i] = xs[first + i] ^ xs[j];
		/* a point is no factor of its own weight */
		if (j >= first && j < first + count)
			to_x[j - first] = apart[j - first] = 1;
		memcpy(&factors, to_x, sizeof(factors));
		over = times(over, factors);
		memcpy(&factors, apart, sizeof(factors));
		under = times(under, factors);
	}
	over = times(over, inverse(under));
	memcpy(ret + first, &over, count);
}

enum bg_err bg_gf256_weights(const uint8_t *xs, size_t n, uint8_t x, uint8_t *ret)
{
	if (!n || n > POINTS_MAX)
		return BG_ERR_ARGUMENT;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (xs[i] == xs[j])
				return BG_ERR_DUPLICATE;
	for (size_t i = 0; i < n; i += 8)
		eight_weights(xs, n, x, i, ret);
	return BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/gf256.h>

#include <string.h>

#define POINTS_MAX 16

/* Eight field elements side by side, one a byte, each times the polynomial x. */
static uint64_t times_x(uint64_t v)
{
	uint64_t carries = (v >> 7) & UINT64_C(0x0101010101010101);

	return (v & UINT64_C(0x7f7f7f7f7f7f7f7f)) << 1 ^ carries * 0x1b;
}

static uint64_t times(uint64_t v, uint8_t factor)
{
	uint64_t product = 0;

	for (unsigned int bit = 0; bit < 8; bit++) {
		product ^= v & -(uint64_t)(factor >> bit & 1);
		v = times_x(v);
	}
	return product;
}

uint8_t bg_gf256_mul(uint8_t a, uint8_t b)
{
	return (uint8_t)times(a, b);
}

uint8_t bg_gf256_inv(uint8_t a)
{
	uint8_t power = a, inverse = 1;

	/* 254 = 2 + 4 + ... + 128 */
	for (int i = 0; i < 7; i++) {
		power = bg_gf256_mul(power, power);
		inverse = bg_gf256_mul(inverse, power);
	}
	return inverse;
}

void bg_gf256_mul_add(uint8_t *acc, const uint8_t *p, size_t len, uint8_t weight)
{
	for (size_t i = 0; i < len; i += 8) {
		size_t n = len - i < 8 ? len - i : 8;
		uint64_t sum = 0, v = 0;

		memcpy(&sum, acc + i, n);
		memcpy(&v, p + i, n);
		sum ^= times(v, weight);
		memcpy(acc + i, &sum, n);
	}
}

enum bg_err bg_gf256_weights(const uint8_t *xs, size_t n, uint8_t x, uint8_t *ret)
{
	if (!n || n > POINTS_MAX)
		return BG_ERR_ARGUMENT;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (xs[i] == xs[j])
				return BG_ERR_DUPLICATE;
	for (size_t i = 0; i < n; i++) {
		uint8_t over = 1, under = 1;

		for (size_t j = 0; j < n; j++) {
			if (j == i)
				continue;
			over = bg_gf256_mul(over, x ^ xs[j]);
			under = bg_gf256_mul(under, xs[i] ^ xs[j]);
		}
		ret[i] = bg_gf256_mul(over, bg_gf256_inv(under));
	}
	return BG_OK;
}

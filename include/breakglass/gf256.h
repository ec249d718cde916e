/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (0x11b, SLIP-0039 and FIPS 197).
 * Constant-time in both operands: no table, no branch on a value (RULES S01, S09).
 */
#ifndef BREAKGLASS_GF256_H
#define BREAKGLASS_GF256_H

#include <breakglass/err.h>
#include <stddef.h>
#include <stdint.h>

/* a times b. */
uint8_t bg_gf256_mul(uint8_t a, uint8_t b);
/* a^254, which is 1/a for a != 0 and 0 for 0. */
uint8_t bg_gf256_inv(uint8_t a);

/* acc[i] += weight * p[i] for len bytes, eight at a time; in secret-independent time. */
void bg_gf256_mul_add(uint8_t *acc, const uint8_t *p, size_t len, uint8_t weight);

/* The Lagrange weights at x of the n distinct points xs. Public input only.
   BG_ERR_ARGUMENT: n is 0 or above 16; BG_ERR_DUPLICATE: two points are equal. */
BG_CHECKED enum bg_err bg_gf256_weights(const uint8_t *xs, size_t n, uint8_t x, uint8_t *ret);

#endif

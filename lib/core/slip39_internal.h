/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of SLIP-39 share with each other and with nobody else. */
#ifndef BG_LIB_SLIP39_INTERNAL_H
#define BG_LIB_SLIP39_INTERNAL_H

#include <breakglass/slip39.h>

#define BG_SLIP39_SECRET_X   255
#define BG_SLIP39_DIGEST_X   254
#define BG_SLIP39_DIGEST_LEN 4

/* A point of the polynomials, one a byte of the value; the value is the caller's. */
struct bg_slip39_point {
	uint8_t x;
	const struct bg_secret *value;
};

/* The values at x of the polynomials through n points of equal length. */
BG_CHECKED enum bg_err bg_slip39_interpolate(
	const struct bg_slip39_point *points, size_t n, uint8_t x, struct bg_secret *ret);

/* The value at BG_SLIP39_DIGEST_X: HMAC-SHA256(key, secret) cut to 4 bytes, then key, which is
   4 bytes shorter than the secret. */
BG_CHECKED enum bg_err bg_slip39_digest_value(struct bg_crypto *crypto,
	const struct bg_secret *secret, const uint8_t *key, struct bg_secret *ret);

/* The value at BG_SLIP39_SECRET_X of exactly a threshold's n points, checked by the digest;
   a threshold of 1 has none. BG_ERR_DIGEST. */
BG_CHECKED enum bg_err bg_slip39_recover(struct bg_crypto *crypto,
	const struct bg_slip39_point *points, size_t n, struct bg_secret *ret);

/* The four Feistel rounds there and back; of head only identifier, is_extendable and exponent
   count. The passphrase was checked: BG_SLIP39_MAX_PASSPHRASE bytes at most. */
BG_CHECKED enum bg_err bg_slip39_encrypt(struct bg_crypto *crypto,
	const struct bg_slip39_share *head, const char *passphrase, const struct bg_secret *master,
	struct bg_secret *ret);
BG_CHECKED enum bg_err bg_slip39_decrypt(struct bg_crypto *crypto,
	const struct bg_slip39_share *head, const char *passphrase,
	const struct bg_secret *encrypted, struct bg_secret *ret);

#endif

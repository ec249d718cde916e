/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLIP-39's arithmetic. The points are public, so are the weights; each product is
 * a public weight times a secret byte.
 */
#include <breakglass/gf256.h>

#include "slip39_internal.h"

enum bg_err bg_slip39_interpolate(
	const struct bg_slip39_point *points, size_t n, uint8_t x, struct bg_secret *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret sum = { 0 };
	uint8_t xs[BG_SLIP39_MAX_SHARES], weights[BG_SLIP39_MAX_SHARES];
	enum bg_err err;

	if (!n || n > BG_SLIP39_MAX_SHARES)
		return BG_ERR_ARGUMENT;
	sum.len = points[0].value->len;
	for (size_t i = 0; i < n; i++) {
		if (points[i].value->len != sum.len || sum.len > BG_SECRET_MAX_LEN)
			return BG_ERR_ARGUMENT;
		xs[i] = points[i].x;
	}
	err = bg_gf256_weights(xs, n, x, weights);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		bg_gf256_mul_add(sum.bytes, points[i].value->bytes, sum.len, weights[i]);
	*ret = sum;
	return BG_OK;
}

enum bg_err bg_slip39_digest_value(struct bg_crypto *crypto, const struct bg_secret *secret,
	const uint8_t *key, struct bg_secret *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret mac = { .len = BG_SHA256_LEN };
	size_t key_len = secret->len - BG_SLIP39_DIGEST_LEN;
	enum bg_err err;

	err = bg_hmac_sha256(crypto, key, key_len, secret->bytes, secret->len, mac.bytes);
	if (err)
		return err;
	memmove(ret->bytes + BG_SLIP39_DIGEST_LEN, key, key_len);
	memcpy(ret->bytes, mac.bytes, BG_SLIP39_DIGEST_LEN);
	ret->len = secret->len;
	return BG_OK;
}

enum bg_err bg_slip39_recover(struct bg_crypto *crypto, const struct bg_slip39_point *points,
	size_t n, struct bg_secret *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret secret = { 0 };
	BG_WIPE(bg_secret_wipe) struct bg_secret digest = { 0 };
	BG_WIPE(bg_secret_wipe) struct bg_secret want = { 0 };
	enum bg_err err;

	err = bg_slip39_interpolate(points, n, BG_SLIP39_SECRET_X, &secret);
	if (err)
		return err;
	if (n > 1) {
		err = bg_slip39_interpolate(points, n, BG_SLIP39_DIGEST_X, &digest);
		if (!err)
			err = bg_slip39_digest_value(
				crypto, &secret, digest.bytes + BG_SLIP39_DIGEST_LEN, &want);
		if (err)
			return err;
		if (!bg_equal(digest.bytes, want.bytes, BG_SLIP39_DIGEST_LEN))
			return BG_ERR_DIGEST;
	}
	*ret = secret;
	return BG_OK;
}

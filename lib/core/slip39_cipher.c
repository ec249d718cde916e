/* SPDX-License-Identifier: BSD-2-Clause */
/* SLIP-0039, "Encryption of the master secret": four Feistel rounds of PBKDF2. */
#include "slip39_internal.h"

#define ROUNDS	       4
#define ITERATIONS     2500U /* a round; 10,000 in all */
#define HALF_MAX_LEN   (BG_SECRET_MAX_LEN / 2)
#define SALT_LABEL     "shamir"
#define SALT_LABEL_LEN 6

struct rounds {
	uint8_t left[HALF_MAX_LEN];
	uint8_t right[HALF_MAX_LEN];
	uint8_t f[HALF_MAX_LEN];
	uint8_t password[1 + BG_SLIP39_MAX_PASSPHRASE];
	uint8_t salt[SALT_LABEL_LEN + 2 + HALF_MAX_LEN];
};

static void rounds_wipe(struct rounds *r)
{
	explicit_bzero(r, sizeof(*r));
}

static size_t salt_prefix(const struct bg_slip39_share *head, uint8_t *ret)
{
	if (head->is_extendable)
		return 0;
	memcpy(ret, SALT_LABEL, SALT_LABEL_LEN);
	ret[SALT_LABEL_LEN] = (uint8_t)(head->identifier >> 8);
	ret[SALT_LABEL_LEN + 1] = (uint8_t)head->identifier;
	return SALT_LABEL_LEN + 2;
}

/* The last line of defence of RULES S12: no exponent above 4 ever reaches PBKDF2. */
static enum bg_err feistel(struct bg_crypto *crypto, const struct bg_slip39_share *head,
	const char *passphrase, bool is_backwards, const struct bg_secret *in,
	struct bg_secret *ret)
{
	BG_WIPE(rounds_wipe) struct rounds r = { 0 };
	size_t half = in->len / 2, password_len = strlen(passphrase);
	size_t prefix_len = salt_prefix(head, r.salt);

	if (head->exponent > BG_SLIP39_MAX_EXPONENT)
		return BG_ERR_EXPONENT;
	if (!half || half > HALF_MAX_LEN || in->len % 2 || password_len > BG_SLIP39_MAX_PASSPHRASE)
		return BG_ERR_ARGUMENT;
	memcpy(r.password + 1, passphrase, password_len);
	memcpy(r.left, in->bytes, half);
	memcpy(r.right, in->bytes + half, half);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		enum bg_err err;

		r.password[0] = (uint8_t)(is_backwards ? ROUNDS - 1 - i : i);
		memcpy(r.salt + prefix_len, r.right, half);
		err = bg_pbkdf2_sha256(crypto, r.password, 1 + password_len, r.salt,
			prefix_len + half, ITERATIONS << head->exponent, r.f, half);
		if (err)
			return err;
		for (size_t b = 0; b < half; b++)
			r.f[b] ^= r.left[b];
		memcpy(r.left, r.right, half);
		memcpy(r.right, r.f, half);
	}
	memcpy(ret->bytes, r.right, half);
	memcpy(ret->bytes + half, r.left, half);
	ret->len = 2 * half;
	return BG_OK;
}

enum bg_err bg_slip39_encrypt(struct bg_crypto *crypto, const struct bg_slip39_share *head,
	const char *passphrase, const struct bg_secret *master, struct bg_secret *ret)
{
	return feistel(crypto, head, passphrase, false, master, ret);
}

enum bg_err bg_slip39_decrypt(struct bg_crypto *crypto, const struct bg_slip39_share *head,
	const char *passphrase, const struct bg_secret *encrypted, struct bg_secret *ret)
{
	return feistel(crypto, head, passphrase, true, encrypted, ret);
}

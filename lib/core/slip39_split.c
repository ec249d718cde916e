/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dealing. Nothing leaves this file before every subset that must open has opened
 * (RULES S08), by the same code that will one day be asked to.
 */
#include "slip39_internal.h"

#define SUBSETS_MAX 1000 /* where there are more, so many random ones are tried */

struct dealt {
	struct bg_slip39_share shares[BG_SLIP39_MAX_SHARES];
	struct bg_secret master;
	struct bg_secret encrypted;
	struct bg_secret digest;
};

static void dealt_wipe(struct dealt *dealt)
{
	explicit_bzero(dealt, sizeof(*dealt));
}

/* Shares 0 to k-3 are random, the digest's and the secret's points make up the threshold, and
   every further share is the value there of the polynomials through these. */
static enum bg_err deal_values(struct bg_crypto *crypto, const struct bg_slip39_deal *deal,
	bg_random_fn *random, void *random_arg, struct dealt *dealt)
{
	struct bg_slip39_point points[BG_SLIP39_MAX_SHARES];
	size_t free_shares = deal->threshold - 2U, len = dealt->encrypted.len;
	uint8_t *key = dealt->digest.bytes + BG_SLIP39_DIGEST_LEN;
	enum bg_err err;

	for (size_t i = 0; i < free_shares; i++) {
		struct bg_secret *value = &dealt->shares[i].value;

		if (random(random_arg, value->bytes, len))
			return BG_ERR_RANDOM;
		value->len = len;
		points[i] = (struct bg_slip39_point){ (uint8_t)i, value };
	}
	if (random(random_arg, key, len - BG_SLIP39_DIGEST_LEN))
		return BG_ERR_RANDOM;
	err = bg_slip39_digest_value(crypto, &dealt->encrypted, key, &dealt->digest);
	points[free_shares] = (struct bg_slip39_point){ BG_SLIP39_DIGEST_X, &dealt->digest };
	points[free_shares + 1] = (struct bg_slip39_point){ BG_SLIP39_SECRET_X, &dealt->encrypted };
	for (size_t i = free_shares; i < deal->count && !err; i++)
		err = bg_slip39_interpolate(
			points, deal->threshold, (uint8_t)i, &dealt->shares[i].value);
	return err;
}

static enum bg_err deal_shares(struct bg_crypto *crypto, const struct bg_slip39_deal *deal,
	bg_random_fn *random, void *random_arg, struct dealt *dealt)
{
	enum bg_err err;

	for (uint8_t i = 0; i < deal->count; i++) {
		struct bg_slip39_share *share = &dealt->shares[i];

		share->identifier = deal->identifier;
		share->is_extendable = true;
		share->group_threshold = 1;
		share->group_count = 1;
		share->member_index = i;
		share->member_threshold = deal->threshold;
	}
	err = bg_slip39_encrypt(crypto, &dealt->shares[0], "", &dealt->master, &dealt->encrypted);
	if (err)
		return err;
	if (deal->threshold == 1) {
		dealt->shares[0].value = dealt->encrypted;
		return BG_OK;
	}
	return deal_values(crypto, deal, random, random_arg, dealt);
}

/* The shares whose bits are set in subset give the encrypted secret. */
static enum bg_err check_subset(
	struct bg_crypto *crypto, const struct dealt *dealt, size_t count, uint32_t subset)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret got = { 0 };
	struct bg_slip39_point points[BG_SLIP39_MAX_SHARES];
	enum bg_err err;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (subset >> i & 1)
			points[n++] = (struct bg_slip39_point){ dealt->shares[i].member_index,
				&dealt->shares[i].value };
	err = bg_slip39_recover(crypto, points, n, &got);
	if (err)
		return err;
	if (got.len != dealt->encrypted.len ||
		!bg_equal(got.bytes, dealt->encrypted.bytes, got.len))
		return BG_ERR_DIGEST;
	return BG_OK;
}

/* k of n as set bits; which ones need be random, not secret. */
static enum bg_err random_subset(
	const struct bg_slip39_deal *deal, bg_random_fn *random, void *random_arg, uint32_t *ret)
{
	uint8_t left[BG_SLIP39_MAX_SHARES], picks[BG_SLIP39_MAX_SHARES];
	uint32_t subset = 0;

	if (random(random_arg, picks, deal->threshold))
		return BG_ERR_RANDOM;
	for (uint8_t i = 0; i < deal->count; i++)
		left[i] = i;
	for (size_t i = 0; i < deal->threshold && i < deal->count; i++) {
		size_t pick = picks[i] % (deal->count - i);

		subset |= UINT32_C(1) << left[pick];
		left[pick] = left[deal->count - i - 1];
	}
	*ret = subset;
	return BG_OK;
}

static enum bg_err check_subsets(struct bg_crypto *crypto, const struct bg_slip39_deal *deal,
	bg_random_fn *random, void *random_arg, const struct dealt *dealt)
{
	uint32_t all = UINT32_C(1) << deal->count, subset, subsets = 0;
	enum bg_err err = BG_OK;

	for (subset = 0; subset < all; subset++)
		subsets += __builtin_popcount(subset) == deal->threshold;
	if (subsets > SUBSETS_MAX) {
		for (int i = 0; i < SUBSETS_MAX && !err; i++) {
			err = random_subset(deal, random, random_arg, &subset);
			if (!err)
				err = check_subset(crypto, dealt, deal->count, subset);
		}
		return err;
	}
	for (subset = 0; subset < all && !err; subset++)
		if (__builtin_popcount(subset) == deal->threshold)
			err = check_subset(crypto, dealt, deal->count, subset);
	return err;
}

/* What is shown are words: all shares go through them, and the last k all the way back to the
   master secret. */
static enum bg_err check_words(
	struct bg_crypto *crypto, const struct bg_slip39_deal *deal, const struct dealt *dealt)
{
	BG_WIPE(dealt_wipe) struct dealt back = { 0 };
	BG_WIPE(bg_slip39_words_wipe) struct bg_slip39_words words = { 0 };
	enum bg_err err = BG_OK;

	for (size_t i = 0; i < deal->count && !err; i++) {
		err = bg_slip39_encode(&dealt->shares[i], &words);
		if (!err)
			err = bg_slip39_decode(&words, &back.shares[i]);
	}
	if (!err)
		err = bg_slip39_combine(crypto, back.shares + deal->count - deal->threshold,
			deal->threshold, "", &back.master, NULL);
	if (err)
		return err;
	if (back.master.len != dealt->master.len ||
		!bg_equal(back.master.bytes, dealt->master.bytes, back.master.len))
		return BG_ERR_DIGEST;
	return BG_OK;
}

enum bg_err bg_slip39_split(struct bg_crypto *crypto, const struct bg_slip39_deal *deal,
	const struct bg_secret *master, bg_random_fn *random, void *random_arg,
	struct bg_slip39_share *ret)
{
	BG_WIPE(dealt_wipe) struct dealt dealt = { 0 };
	enum bg_err err;

	if (master->len != 16 && master->len != 32)
		return BG_ERR_ARGUMENT;
	if (deal->count < 1 || deal->count > BG_SLIP39_MAX_SHARES || deal->threshold < 1 ||
		deal->threshold > deal->count || deal->identifier >= 0x8000)
		return BG_ERR_ARGUMENT;
	if (deal->threshold == 1 && deal->count != 1)
		return BG_ERR_ARGUMENT;
	dealt.master = *master;
	err = deal_shares(crypto, deal, random, random_arg, &dealt);
	if (!err)
		err = check_subsets(crypto, deal, random, random_arg, &dealt);
	if (!err)
		err = check_words(crypto, deal, &dealt);
	if (err == BG_OK)
		memcpy(ret, dealt.shares, deal->count * sizeof(*ret));
	return err == BG_OK || err == BG_ERR_RANDOM || err == BG_ERR_CRYPTO ? err : BG_ERR_DIGEST;
}

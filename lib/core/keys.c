/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/framing.h>
#include <breakglass/keys.h>

#include <string.h>

#define SEED_LEN 32
#define INFO_LEN 64

/* HKDF of value with frame(context; epoch[; member index]); member_index NULL: the quorum's. */
static enum bg_err derive(struct bg_crypto *crypto, enum bg_context context,
	const struct bg_secret *value, const uint8_t set_id[static BG_SET_ID_LEN], uint32_t epoch,
	const uint8_t *member_index, struct bg_secret *ret)
{
	uint8_t info[INFO_LEN];
	struct bg_writer w = { .p = info, .cap = sizeof(info) };
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { .len = SEED_LEN };
	enum bg_err err;

	if (value->len != 16 && value->len != 32)
		return BG_ERR_ARGUMENT;
	bg_frame_begin(&w, context);
	bg_frame_u32(&w, epoch);
	if (member_index != NULL)
		bg_frame_u32(&w, *member_index);
	if (w.is_full)
		return BG_ERR_TOO_BIG;
	err = bg_hkdf_sha256(crypto, value->bytes, value->len, set_id, BG_SET_ID_LEN, info, w.len,
		seed.bytes, seed.len);
	if (err == BG_OK)
		*ret = seed;
	return err;
}

enum bg_err bg_custodian_seed(struct bg_crypto *crypto, const struct bg_secret *value,
	const uint8_t set_id[static BG_SET_ID_LEN], uint32_t epoch, uint8_t member_index,
	struct bg_secret *ret)
{
	return derive(crypto, BG_CTX_CUSTODIAN_KEY, value, set_id, epoch, &member_index, ret);
}

void bg_quorum_wipe(struct bg_quorum *quorum)
{
	bg_wipe(quorum, sizeof(*quorum));
}

enum bg_err bg_quorum_derive(struct bg_crypto *crypto, const struct bg_secret *secret,
	const uint8_t set_id[static BG_SET_ID_LEN], uint32_t epoch, struct bg_quorum *ret)
{
	BG_WIPE(bg_quorum_wipe) struct bg_quorum q = { 0 };
	enum bg_err err;

	err = derive(crypto, BG_CTX_QUORUM_KEY, secret, set_id, epoch, NULL, &q.sign_seed);
	if (err == BG_OK)
		err = derive(crypto, BG_CTX_ENVELOPE_KEY, secret, set_id, epoch, NULL, &q.envelope);
	if (err == BG_OK)
		err = bg_ed25519_public(crypto, &q.sign_seed, q.sign_pub);
	if (err == BG_OK)
		err = bg_x25519_public(crypto, &q.envelope, q.envelope_pub);
	if (err == BG_OK)
		*ret = q;
	return err;
}

/* Bech32 (BIP 173): the checksum so far, and where the next character goes. An identity is a
   secret, so no table is looked into and no branch taken by its bits (RULES S01). */
struct bech32 {
	uint32_t sum;
	const char *alphabet;
	char *out;
};

static void bech32_sum(struct bech32 *b, uint8_t v)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
		0x2a1462b3 };
	uint32_t top = b->sum >> 25;

	b->sum = (b->sum & 0x1ffffff) << 5 ^ v;
	for (unsigned int i = 0; i < 5; i++)
		b->sum ^= generator[i] & (0U - (top >> i & 1));
}

static void bech32_put(struct bech32 *b, uint32_t group)
{
	uint32_t c = 0;

	for (uint32_t i = 0; i < 32; i++) {
		uint32_t differs = (i ^ (group & 31)) + 0x1f; /* 0x1f: the same; else above */

		c |= (uint8_t)b->alphabet[i] & ((differs >> 5) - 1U);
	}
	*b->out++ = (char)c;
	*b->out = '\0';
}

/* prefix in lower case, as the checksum wants it; shown: as it is written. */
static void bech32_begin(struct bech32 *b, const char *prefix, const char *shown)
{
	b->sum = 1;
	for (const char *p = prefix; *p != '\0'; p++)
		bech32_sum(b, (uint8_t)(*p >> 5));
	bech32_sum(b, 0);
	for (const char *p = prefix; *p != '\0'; p++) {
		bech32_sum(b, *p & 31);
		*b->out++ = *shown++;
	}
	*b->out++ = '1';
}

/* The 32 bytes of a key, and the checksum. */
static void bech32_key(struct bech32 *b, const uint8_t *key)
{
	/* Groups of five bits; the last one has one bit and four zeroes. */
	for (unsigned int bit = 0; bit < 8 * BG_X25519_PUB_LEN; bit += 5) {
		unsigned int pair = (unsigned int)key[bit / 8] << 8;
		uint8_t group;

		if (bit / 8 + 1 < BG_X25519_PUB_LEN)
			pair |= key[bit / 8 + 1];
		group = pair >> (11 - bit % 8) & 31;
		bech32_sum(b, group);
		bech32_put(b, group);
	}
	for (unsigned int i = 0; i < 6; i++)
		bech32_sum(b, 0);
	b->sum ^= 1;
	for (unsigned int i = 0; i < 6; i++)
		bech32_put(b, b->sum >> (25 - 5 * i));
}

void bg_age_recipient(
	const uint8_t pub[static BG_X25519_PUB_LEN], char ret[static BG_AGE_RECIPIENT_LEN + 1])
{
	struct bech32 b = { .alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", .out = ret };

	bech32_begin(&b, "age", "age");
	bech32_key(&b, pub);
}

enum bg_err bg_age_identity(
	const struct bg_secret *envelope, char ret[static BG_AGE_IDENTITY_LEN + 1])
{
	struct bech32 b = { .alphabet = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", .out = ret };

	if (envelope->len != BG_X25519_PUB_LEN)
		return BG_ERR_ARGUMENT;
	bech32_begin(&b, "age-secret-key-", "AGE-SECRET-KEY-");
	bech32_key(&b, envelope->bytes);
	return BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* SLIP-0039, "Format of the share mnemonic": a share as words, its RS1024 checksum. */
#include <breakglass/slip39.h>
#include <breakglass/words.h>

#define WORD_BITS      10
#define WORD_MASK      1023U
#define HEAD_WORDS     BG_SLIP39_HEAD_WORDS
#define CHECKSUM_WORDS 3

void bg_slip39_share_wipe(struct bg_slip39_share *share)
{
	explicit_bzero(share, sizeof(*share));
}

void bg_slip39_words_wipe(struct bg_slip39_words *words)
{
	explicit_bzero(words, sizeof(*words));
}

static size_t words_of(size_t value_len)
{
	return value_len == 16 ? BG_SLIP39_WORDS_128 : value_len == 32 ? BG_SLIP39_WORDS_256 : 0;
}

/* One step of the checksum's polynomial; masks, not branches: the words are secret. */
static uint32_t rs1024_step(uint32_t sum, uint32_t word)
{
	static const uint32_t generator[WORD_BITS] = { 0x00e0e040, 0x01c1c080, 0x03838100,
		0x07070200, 0x0e0e0009, 0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890,
		0x03f3f120 };
	uint32_t top = sum >> 20;

	sum = (sum & 0xfffff) << WORD_BITS ^ word;
	for (unsigned int bit = 0; bit < WORD_BITS; bit++)
		sum ^= generator[bit] & -(top >> bit & 1);
	return sum;
}

static uint32_t rs1024(const uint16_t *words, size_t count, bool is_extendable)
{
	const char *label = is_extendable ? "shamir_extendable" : "shamir";
	uint32_t sum = 1;

	for (; *label; label++)
		sum = rs1024_step(sum, (unsigned char)*label);
	for (size_t i = 0; i < count; i++)
		sum = rs1024_step(sum, words[i]);
	return sum;
}

static bool is_encodable(const struct bg_slip39_share *s)
{
	return s->identifier < 0x8000 && s->exponent < 16 && s->group_index < 16 &&
	       s->group_count >= 1 && s->group_count <= 16 && s->group_threshold >= 1 &&
	       s->group_threshold <= s->group_count && s->member_index < 16 &&
	       s->member_threshold >= 1 && s->member_threshold <= 16;
}

/* The value's bits, right-aligned in ten-bit words. */
static void put_value(const struct bg_secret *value, uint16_t *ret, size_t count)
{
	uint32_t bits = 0;
	size_t have = count * WORD_BITS - value->len * 8, n = 0;

	for (size_t i = 0; i < value->len; i++) {
		bits = (bits << 8 | value->bytes[i]) & 0xffffff;
		have += 8;
		if (have >= WORD_BITS) {
			have -= WORD_BITS;
			ret[n++] = (uint16_t)(bits >> have & WORD_MASK);
		}
	}
	bg_wipe(&bits, sizeof(bits));
}

enum bg_err bg_slip39_encode(const struct bg_slip39_share *share, struct bg_slip39_words *ret)
{
	size_t count = words_of(share->value.len);
	uint16_t *words = ret->index;
	uint32_t sum;

	if (!count || !is_encodable(share))
		return BG_ERR_RANGE;
	words[0] = (uint16_t)(share->identifier >> 5);
	words[1] = (uint16_t)((share->identifier & 31) << 5 | share->is_extendable << 4 |
			      share->exponent);
	words[2] = (uint16_t)(share->group_index << 6 | (share->group_threshold - 1) << 2 |
			      (share->group_count - 1) >> 2);
	words[3] = (uint16_t)(((share->group_count - 1) & 3) << 8 | share->member_index << 4 |
			      (share->member_threshold - 1));
	put_value(&share->value, words + HEAD_WORDS, count - HEAD_WORDS - CHECKSUM_WORDS);
	memset(words + count - CHECKSUM_WORDS, 0, CHECKSUM_WORDS * sizeof(*words));
	sum = rs1024(words, count, share->is_extendable) ^ 1;
	for (size_t i = 0; i < CHECKSUM_WORDS; i++)
		words[count - 1 - i] = (uint16_t)(sum >> WORD_BITS * i & WORD_MASK);
	ret->count = count;
	return BG_OK;
}

void bg_slip39_decode_head(
	const uint16_t words[static BG_SLIP39_HEAD_WORDS], struct bg_slip39_share *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->identifier = (uint16_t)((words[0] & WORD_MASK) << 5 | (words[1] >> 5 & 31));
	ret->is_extendable = words[1] >> 4 & 1;
	ret->exponent = words[1] & 15;
	ret->group_index = words[2] >> 6 & 15;
	ret->group_threshold = (uint8_t)((words[2] >> 2 & 15) + 1);
	ret->group_count = (uint8_t)(((words[2] & 3) << 2 | (words[3] >> 8 & 3)) + 1);
	ret->member_index = words[3] >> 4 & 15;
	ret->member_threshold = (uint8_t)((words[3] & 15) + 1);
}

/* The reverse of put_value; the padding, the bits before the value, must be zero. */
static enum bg_err take_value(const uint16_t *words, size_t count, struct bg_secret *ret)
{
	size_t padding = count * WORD_BITS % 16, have = 0, n = 0;
	uint32_t bits = 0;

	if (words[0] >> (WORD_BITS - padding))
		return BG_ERR_PADDING;
	for (size_t i = 0; i < count; i++) {
		bits = bits << WORD_BITS | words[i];
		have += i ? WORD_BITS : WORD_BITS - padding;
		for (; have >= 8; have -= 8)
			ret->bytes[n++] = (uint8_t)(bits >> (have - 8));
	}
	ret->len = n;
	bg_wipe(&bits, sizeof(bits));
	return BG_OK;
}

enum bg_err bg_slip39_decode(const struct bg_slip39_words *words, struct bg_slip39_share *ret)
{
	BG_WIPE(bg_slip39_share_wipe) struct bg_slip39_share share = { 0 };
	unsigned int beyond = 0;
	enum bg_err err;

	if (words->count != BG_SLIP39_WORDS_128 && words->count != BG_SLIP39_WORDS_256)
		return BG_ERR_RANGE;
	for (size_t i = 0; i < words->count; i++)
		beyond |= words->index[i] & ~WORD_MASK;
	if (beyond)
		return BG_ERR_RANGE;
	bg_slip39_decode_head(words->index, &share);
	if (rs1024(words->index, words->count, share.is_extendable) != 1)
		return BG_ERR_CHECKSUM;
	if (share.group_threshold > share.group_count)
		return BG_ERR_RANGE;
	err = take_value(words->index + HEAD_WORDS, words->count - HEAD_WORDS - CHECKSUM_WORDS,
		&share.value);
	if (err)
		return err;
	*ret = share;
	return BG_OK;
}

unsigned int bg_slip39_suspect(const struct bg_slip39_words *words)
{
	bool is_extendable = words->index[1] >> 4 & 1;
	uint32_t residue = rs1024(words->index, words->count, is_extendable) ^ 1;
	unsigned int suspect = 0;

	/* The code is linear: a word that is off by d at one place adds d's own image there. */
	for (uint32_t d = 1; residue && d <= WORD_MASK; d++) {
		uint32_t image = d;

		for (size_t place = words->count; place > 0; place--) {
			if (image == residue)
				suspect = (unsigned int)place;
			image = rs1024_step(image, 0);
		}
	}
	return suspect;
}

void bg_slip39_words_text(const struct bg_slip39_words *words, char ret[static BG_SLIP39_TEXT_LEN])
{
	char word[BG_WORD_MAX_LEN + 1];
	size_t len = 0;

	for (size_t i = 0; i < words->count && i < BG_SLIP39_MAX_WORDS; i++) {
		if (i)
			ret[len++] = ' ';
		bg_words_text(words->index[i], word);
		memcpy(ret + len, word, strlen(word));
		len += strlen(word);
	}
	ret[len] = '\0';
	bg_wipe(word, sizeof(word));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mnemonics, one a line: what decodes encodes to the same words, all that decode
 * are combined. Then the same with shares made from the bytes, behind the checksum.
 */
#include <breakglass/slip39.h>
#include <breakglass/words.h>
#include <stdlib.h>

#define SHARES_MAX 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bg_crypto *crypto;
static struct bg_slip39_share shares[SHARES_MAX];

static void combine(size_t count)
{
	struct bg_secret secret = { .len = 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err;

	for (size_t i = 0; i < count; i++)
		if (shares[i].exponent > 0 && shares[i].exponent <= BG_SLIP39_MAX_EXPONENT)
			return; /* slow, and no other way through the code */
	err = bg_slip39_combine(crypto, shares, count, "", &secret, &diag);
	if (diag.index > count || (err == BG_OK) != (secret.len != 0))
		abort();
}

static size_t read_words(const char *p, size_t len, struct bg_slip39_words *ret)
{
	size_t i = 0;

	ret->count = 0;
	while (i < len && ret->count < BG_SLIP39_MAX_WORDS) {
		size_t start = i;

		while (i < len && p[i] != ' ')
			i++;
		if (bg_words_find(p + start, i - start, &ret->index[ret->count]))
			break;
		ret->count++;
		i++;
	}
	return ret->count;
}

static bool take_line(const char *p, size_t len, struct bg_slip39_share *ret)
{
	struct bg_slip39_words words, again;

	if (!read_words(p, len, &words) || bg_slip39_decode(&words, ret))
		return false;
	if (bg_slip39_encode(ret, &again) || again.count != words.count ||
		memcmp(again.index, words.index, words.count * sizeof(*words.index)))
		abort();
	return true;
}

static struct bg_slip39_share from_bytes(const uint8_t b[static 8])
{
	struct bg_slip39_share share = { .identifier = b[0] & 1,
		.is_extendable = !(b[0] & 2),
		.exponent = b[0] >> 4 == 5 ? 5 : 0,
		.group_index = b[1],
		.group_threshold = b[2],
		.group_count = b[3],
		.member_index = b[4],
		.member_threshold = b[5],
		.value = { .len = b[6] & 1 ? 32 : 16 } };

	memset(share.value.bytes, b[7], share.value.len);
	return share;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t left = size, count = 0;

	if (!crypto)
		crypto = bg_crypto_open();
	while (left && count < SHARES_MAX) {
		const char *end = memchr(p, '\n', left);
		size_t len = end ? (size_t)(end - p) : left;

		count += take_line(p, len, &shares[count]);
		len += end != NULL;
		p += len;
		left -= len;
	}
	if (count)
		combine(count);
	for (count = 0; count < SHARES_MAX && (count + 1) * 8 <= size; count++)
		shares[count] = from_bytes(data + count * 8);
	if (count)
		combine(count);
	return 0;
}

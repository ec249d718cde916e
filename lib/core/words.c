/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list is SLIP-0039's (https://github.com/satoshilabs/slips, slip-0039/wordlist.txt; as in
 * trezor/python-shamir-mnemonic, MIT licence). The table is made from data/slip39-words.txt when
 * the build is configured.
 */
#include <breakglass/words.h>

#include <breakglass/secret.h>
#include <string.h>

/* Eight letters, or fewer and zeroes: a word is one integer, compared in one go. */
static const char table[BG_WORDS_COUNT][BG_WORD_MAX_LEN] = {
#include "words_table.h"
};
_Static_assert(BG_WORD_MAX_LEN == sizeof(uint64_t), "a word is one integer");

static uint64_t word_at(unsigned int i)
{
	uint64_t word;

	memcpy(&word, table[i], sizeof(word));
	return word;
}

/* All bits set if a is 0, else none. */
static uint64_t mask_if_zero(uint64_t a)
{
	uint64_t mask = ((a | -a) >> 63) - 1;

	/* A compiler that knows it to be all or nothing makes a branch of it (clang 14 does). */
	__asm__("" : "+r"(mask));
	return mask;
}

void bg_words_text(uint16_t index, char ret[static BG_WORD_MAX_LEN + 1])
{
	uint64_t word = 0;

	for (unsigned int i = 0; i < BG_WORDS_COUNT; i++)
		word |= word_at(i) & mask_if_zero(i ^ index);
	memcpy(ret, &word, sizeof(word));
	ret[BG_WORD_MAX_LEN] = '\0';
	bg_wipe(&word, sizeof(word));
}

/* text in lower case into ret, zero padded; 0 if it is letters only. */
static unsigned int pack(const char *text, size_t len, uint64_t *ret)
{
	unsigned char letters[BG_WORD_MAX_LEN] = { 0 };
	unsigned int is_bad = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned int lower = (unsigned char)text[i] | 0x20U;

		is_bad |= (lower - 'a') >> 31 | ('z' - lower) >> 31;
		letters[i] = (unsigned char)lower;
	}
	memcpy(ret, letters, sizeof(*ret));
	bg_wipe(letters, sizeof(letters));
	return is_bad;
}

enum bg_err bg_words_find(const char *text, size_t len, uint16_t *ret)
{
	unsigned char given[BG_WORD_MAX_LEN] = { 0 };
	uint64_t typed, compared, found = 0, index = 0;
	unsigned int is_bad;

	if (len < BG_WORD_MIN_LEN || len > BG_WORD_MAX_LEN)
		return BG_ERR_WORD;
	is_bad = pack(text, len, &typed);
	memset(given, 0xff, len);
	memcpy(&compared, given, sizeof(compared));
	for (unsigned int i = 0; i < BG_WORDS_COUNT; i++) {
		uint64_t is_it = mask_if_zero((word_at(i) & compared) ^ typed);

		found |= is_it;
		index |= is_it & i;
	}
	bg_wipe(&typed, sizeof(typed));
	if (is_bad || !found)
		return BG_ERR_WORD;
	*ret = (uint16_t)index;
	bg_wipe(&index, sizeof(index));
	return BG_OK;
}

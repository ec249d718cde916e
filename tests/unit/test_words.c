/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/words.h>
#include <ctype.h>

static char list[BG_WORDS_COUNT][BG_WORD_MAX_LEN + 1];

static int read_list(void **state)
{
	FILE *f = fopen(BG_VECTORS "/../../data/slip39-words.txt", "re");
	char line[32];
	size_t n = 0;

	(void)state;
	if (!f)
		return -1;
	while (n <= BG_WORDS_COUNT && fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, "\n");

		if (n == BG_WORDS_COUNT || len < BG_WORD_MIN_LEN || len > BG_WORD_MAX_LEN)
			return -1;
		memset(list[n], 0, sizeof(list[n]));
		memcpy(list[n++], line, len);
	}
	(void)fclose(f);
	return n == BG_WORDS_COUNT ? 0 : -1;
}

static void words_table_is_the_list(void **state)
{
	char word[BG_WORD_MAX_LEN + 1];

	(void)state;
	for (unsigned int i = 0; i < BG_WORDS_COUNT; i++) {
		bg_words_text((uint16_t)i, word);
		assert_string_equal(word, list[i]);
	}
	bg_words_text(BG_WORDS_COUNT, word);
	assert_string_equal(word, "");
	bg_words_text(UINT16_MAX, word);
	assert_string_equal(word, "");
}

static void words_are_found_in_full_and_by_every_prefix_of_four_letters(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < BG_WORDS_COUNT; i++) {
		char upper[BG_WORD_MAX_LEN + 1] = { 0 };
		uint16_t index;

		for (size_t len = BG_WORD_MIN_LEN; len <= strlen(list[i]); len++) {
			for (size_t c = 0; c < len; c++)
				upper[c] = (char)toupper(list[i][c]);
			assert_int_equal(bg_words_find(list[i], len, &index), BG_OK);
			assert_int_equal(index, i);
			assert_int_equal(bg_words_find(upper, len, &index), BG_OK);
			assert_int_equal(index, i);
		}
	}
}

static void words_others_are_refused_and_nothing_is_written(void **state)
{
	static const char *const bad[] = { "", "a", "bik", "acidd", "academics", "academia",
		"academicc", "flme", "aca", "ac1d", "bik e", "acid ", " acid", "{cid", "AC@D",
		("\xc3\x81"
		 "cid"),
		"zzzz", "0000", "acid\xff", "[cid", "`cid", "BIK\x05" };
	uint16_t index = 4711;

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		assert_int_equal(bg_words_find(bad[i], strlen(bad[i]), &index), BG_ERR_WORD);
		assert_int_equal(index, 4711);
	}
	assert_int_equal(bg_words_find("acid\0", 5, &index), BG_ERR_WORD);
	assert_int_equal(bg_words_find("academic", (size_t)-1, &index), BG_ERR_WORD);
}

/* Every word with one letter changed: refused, or another word of the list. */
static void words_one_letter_changed_is_never_corrected(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < BG_WORDS_COUNT; i++) {
		size_t len = strlen(list[i]);

		for (size_t at = 0; at < len; at++) {
			for (char c = 'a'; c <= 'z'; c++) {
				char word[BG_WORD_MAX_LEN + 1];
				uint16_t index;

				memcpy(word, list[i], sizeof(word));
				word[at] = c;
				if (bg_words_find(word, len, &index) == BG_OK)
					assert_memory_equal(list[index], word, len);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_table_is_the_list),
		cmocka_unit_test(words_are_found_in_full_and_by_every_prefix_of_four_letters),
		cmocka_unit_test(words_others_are_refused_and_nothing_is_written),
		cmocka_unit_test(words_one_letter_changed_is_never_corrected),
	};

	return cmocka_run_group_tests(tests, read_list, NULL);
}

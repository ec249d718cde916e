/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "rng.h"

#include <breakglass/entry.h>
#include <ctype.h>

/* One share of each strength, as words and compact; made once. */
static struct fixture {
	char words[2][BG_SLIP39_TEXT_LEN];
	char compact[2][BG_COMPACT_TEXT_LEN];
	struct bg_slip39_share share[2];
} f;

static const size_t counts[2] = { 20, 33 };

static int make(void **state)
{
	struct bg_crypto *crypto = bg_crypto_open();

	(void)state;
	for (size_t i = 0; crypto && i < 2; i++) {
		struct bg_secret master = { .len = i ? 32 : 16, .bytes = { 7 } };
		struct bg_slip39_deal how = { 2, 3, 0x1abc };
		struct rng rng = { .state = 77 };
		struct bg_slip39_share shares[3];
		struct bg_slip39_words words;
		struct bg_compact compact;

		if (bg_slip39_split(crypto, &how, &master, rng_fill, &rng, shares) ||
			bg_slip39_encode(&shares[1], &words))
			return -1;
		f.share[i] = shares[1];
		bg_slip39_words_text(&words, f.words[i]);
		compact.member_index = 1;
		compact.value = shares[1].value;
		if (bg_compact_encode(&compact, f.compact[i]))
			return -1;
	}
	bg_crypto_close(crypto);
	return crypto ? 0 : -1;
}

static void add(struct bg_entry *e, const char *text)
{
	bg_entry_add(e, text, strlen(text), 0);
}

static void assert_mnemonic(const struct bg_entry *e, size_t i)
{
	assert_int_equal(e->state, BG_ENTRY_MNEMONIC);
	assert_int_equal(e->share.member_index, 1);
	assert_int_equal(e->share.identifier, 0x1abc);
	assert_int_equal(e->share.value.len, f.share[i].value.len);
	assert_memory_equal(e->share.value.bytes, f.share[i].value.bytes, f.share[i].value.len);
	assert_int_equal(e->expected, counts[i]);
}

static void assert_compact(const struct bg_entry *e, size_t i)
{
	assert_int_equal(e->state, BG_ENTRY_COMPACT);
	assert_int_equal(e->compact.member_index, 1);
	assert_memory_equal(e->compact.value.bytes, f.share[i].value.bytes, f.share[i].value.len);
}

/* Word number n (from 0) of text, at most `letters` of it. */
static size_t word_of(const char *text, size_t n, size_t letters, char *ret)
{
	size_t len;

	for (; n; n--)
		text = strchr(text, ' ') + 1;
	len = strcspn(text, " ");
	len = len < letters ? len : letters;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return len;
}

/* The share with each word put through format, which has %s and may have %zu after it. */
static void formatted(size_t i, size_t letters, const char *before, const char *between, char *ret)
{
	*ret = '\0';
	for (size_t n = 0; n < counts[i]; n++) {
		char number[32] = "", word[9];

		if (strstr(before, "N"))
			(void)snprintf(number, sizeof(number), "%02zu%s", n + 1, before + 1);
		else
			(void)snprintf(number, sizeof(number), "%s", before);
		word_of(f.words[i], n, letters, word);
		strcat(ret, number);
		strcat(ret, word);
		strcat(ret, between);
	}
}

static void entry_takes_words_as_people_write_them(void **state)
{
	static const struct {
		const char *before, *between;
	} ways[] = { { "", " " }, { "", "\n" }, { "", "\r\n" }, { "", "\t" }, { "", ", " },
		{ "", "," }, { "", "\xc2\xa0" }, { "", "\xe2\x80\xaf" }, { "", " - " }, { "", ";" },
		{ "\xef\xbb\xbf", " " }, { "\xe2\x80\x8b", " " }, { "N ", " " }, { "N. ", "\n" },
		{ "N.", " " }, { "N: ", "\n" }, { "N) ", "  " }, { "N", " " },
		{ "N.\xc2\xa0", "\r" }, { "", ". " }, { "", "\xe2\x80\x83" } };
	static char text[4096];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t w = 0; w < LEN(ways); w++) {
			for (size_t letters = 4; letters <= 8; letters += 4) {
				for (size_t expected = 0; expected <= 33; expected += counts[i]) {
					struct bg_entry e = { 0 };

					formatted(
						i, letters, ways[w].before, ways[w].between, text);
					bg_entry_add(&e, text, strlen(text), expected);
					assert_mnemonic(&e, i);
					bg_entry_wipe(&e);
					for (char *c = text; *c; c++)
						*c = (char)toupper((unsigned char)*c);
					bg_entry_add(&e, text, strlen(text), expected);
					assert_mnemonic(&e, i);
				}
			}
		}
	}
}

static void entry_takes_words_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t step = 1; step < counts[i]; step++) {
			struct bg_entry e = { 0 };

			for (size_t n = 0; n < counts[i]; n += step) {
				char piece[400] = "", word[9];

				for (size_t m = n; m < n + step && m < counts[i]; m++) {
					word_of(f.words[i], m, 8, word);
					strcat(strcat(piece, word), " ");
				}
				assert_int_equal(e.state, n ? BG_ENTRY_MORE : BG_ENTRY_EMPTY);
				assert_int_equal(e.words.count, n);
				add(&e, "");
				add(&e, " \r\n");
				add(&e, piece);
			}
			assert_mnemonic(&e, i);
		}
	}
}

static void entry_wrong_word_costs_that_word(void **state)
{
	static const struct {
		const char *typed, *shown;
	} bad[] = { { "flme", "flme" }, { "hnut", "hnut" }, { "abc", "abc" }, { "q", "q" },
		{ "aca\x01", "aca\\x01" }, { "caf\xc3\xa9", "caf\\xc3\\xa9" }, { "\"", "\\x22" },
		{ "\x1b[A", "\\x1b[A" }, { "acidacidacidacid", "acid..." }, { "a\\b", "a\\x5cb" },
		{ "\x01\x02\x03\x04\x05\x06\x07", "\\x01\\x02\\x03\\x04\\x05..." },
		{ "hunter2", "..." }, { "a123456", "..." }, { "acidacidacidacid1", "..." },
		{ "cccccccccccccccccccccccccccccccccccccccccccc", "cccc..." } };
	char text[BG_SLIP39_TEXT_LEN + 64], rest[BG_SLIP39_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		for (size_t at = 0; at < 19; at += 3) {
			struct bg_entry e = { 0 };
			const char *p = f.words[0];

			for (size_t n = 0; n < at; n++)
				p = strchr(p, ' ') + 1;
			(void)snprintf(text, sizeof(text), "%.*s%s %s", (int)(p - f.words[0]),
				f.words[0], bad[i].typed, "acid acid acid");
			(void)snprintf(rest, sizeof(rest), "%s", p);
			add(&e, text);
			assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
			assert_int_equal(e.bad_number, at + 1);
			assert_string_equal(e.bad_text, bad[i].shown);
			assert_int_equal(e.words.count, at);
			add(&e, " ");
			assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
			add(&e, rest);
			assert_mnemonic(&e, 0);
			assert_int_equal(e.bad_number, 0);
			assert_string_equal(e.bad_text, "");
		}
	}
}

/* Word `at` of the share in `text` put as `bad`. */
static void with_wrong(const char *text, size_t at, const char *bad, char *ret)
{
	size_t words = 1;

	for (const char *p = text; *p; p++)
		words += *p == ' ';
	*ret = '\0';
	for (size_t n = 0; n < words; n++) {
		char word[9];

		word_of(text, n, 8, word);
		strcat(strcat(ret, n == at ? bad : word), " ");
	}
}

static void entry_wrong_word_keeps_what_follows(void **state)
{
	char text[BG_SLIP39_TEXT_LEN + 64], twice[BG_SLIP39_TEXT_LEN + 64], word[9];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t at = 0; at < counts[i]; at++) {
			size_t other = counts[i] - 1 - at;
			struct bg_entry e = { 0 };

			with_wrong(f.words[i], at, "flme", text);
			bg_entry_add(&e, text, strlen(text), counts[i]);
			assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
			assert_int_equal(e.bad_number, at + 1);
			assert_int_equal(bg_entry_wants_one(&e), at + 1 < counts[i]);
			bg_entry_add(&e, "flme", 4, counts[i]);
			assert_int_equal(e.bad_number, at + 1);
			word_of(f.words[i], at, 4, word);
			bg_entry_add(&e, word, strlen(word), counts[i]);
			assert_mnemonic(&e, i);
			assert_int_equal(e.rest_len, 0);
			bg_entry_wipe(&e);
			if (other <= at)
				continue;
			with_wrong(text, other, "hnut", twice);
			bg_entry_add(&e, twice, strlen(twice) - 1, counts[i]);
			bg_entry_add(&e, word, strlen(word), counts[i]);
			assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
			assert_int_equal(e.bad_number, other + 1);
			word_of(f.words[i], other, 8, word);
			bg_entry_add(&e, word, strlen(word), counts[i]);
			assert_mnemonic(&e, i);
		}
	}
}

static void entry_more_than_the_wrong_word_goes_on_from_it(void **state)
{
	char text[BG_SLIP39_TEXT_LEN + 64];
	struct bg_entry e = { 0 };
	const char *third = strchr(strchr(f.words[0], ' ') + 1, ' ') + 1;

	(void)state;
	with_wrong(f.words[0], 2, "flme", text);
	bg_entry_add(&e, text, strlen(text), 20);
	bg_entry_add(&e, third, strlen(third), 20);
	assert_mnemonic(&e, 0);
	/* the whole share again */
	bg_entry_wipe(&e);
	bg_entry_add(&e, text, strlen(text), 20);
	bg_entry_add(&e, f.words[0], strlen(f.words[0]), 20);
	assert_mnemonic(&e, 0);
	/* a torn word: what followed it cannot be trusted */
	bg_entry_wipe(&e);
	with_wrong(f.words[0], 2, "fl ame", text);
	bg_entry_add(&e, text, strlen(text), 20);
	assert_int_equal(e.bad_number, 3);
	assert_false(bg_entry_wants_one(&e));
}

static void entry_misread_word_costs_that_word(void **state)
{
	char text[BG_SLIP39_TEXT_LEN + 64], word[9];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t at = 5; at < counts[i]; at++) {
			struct bg_entry e = { 0 };

			word_of(f.words[i], at, 8, word);
			with_wrong(f.words[i], at, strcmp(word, "acid") ? "acid" : "acne", text);
			bg_entry_add(&e, text, strlen(text), counts[i]);
			assert_int_equal(e.state, BG_ENTRY_REFUSED);
			assert_true(bg_entry_wants_one(&e));
			bg_entry_add(&e, "flme", 4, counts[i]);
			assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
			assert_int_equal(e.bad_number, at + 1);
			bg_entry_add(&e, word, strlen(word), counts[i]);
			assert_mnemonic(&e, i);
			bg_entry_wipe(&e);
			bg_entry_add(&e, text, strlen(text), counts[i]);
			bg_entry_add(&e, f.words[i], strlen(f.words[i]), counts[i]);
			assert_mnemonic(&e, i);
		}
	}
}

static void entry_head_is_known_from_word_4_on(void **state)
{
	struct bg_entry e = { 0 };
	struct bg_slip39_share head;

	(void)state;
	for (size_t n = 0; n < 20; n++) {
		char word[9];

		assert_int_equal(bg_entry_head(&e, &head), n >= 4);
		if (n >= 4) {
			assert_int_equal(head.identifier, 0x1abc);
			assert_int_equal(head.member_index, 1);
			assert_int_equal(head.member_threshold, 2);
			assert_int_equal(head.value.len, 0);
		}
		word_of(f.words[0], n, 4, word);
		add(&e, word);
	}
	assert_true(bg_entry_head(&e, &head));
}

static void entry_takes_modhex_in_any_shape(void **state)
{
	static const size_t groups[] = { 2, 3, 4, 5, 8, 16, 37, 38, 70 };
	static const char *const blanks[] = { " ", "\n", "-", "\xc2\xa0", ", " };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t g = 0; g < LEN(groups); g++) {
			for (size_t b = 0; b < LEN(blanks); b++) {
				char text[400] = "";
				struct bg_entry e = { 0 };

				for (size_t n = 0; n < strlen(f.compact[i]); n += groups[g]) {
					strncat(text, f.compact[i] + n, groups[g]);
					strcat(text, blanks[b]);
				}
				add(&e, text);
				assert_compact(&e, i);
				bg_entry_wipe(&e);
				for (char *c = text; *c; c++)
					*c = (char)toupper((unsigned char)*c);
				add(&e, text);
				assert_compact(&e, i);
			}
		}
	}
}

static void entry_takes_modhex_in_pieces_once_it_is_clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(f.compact[i]);

		for (size_t cut = 9; cut < len; cut++) {
			struct bg_entry e = { 0 };

			bg_entry_add(&e, f.compact[i], cut, 0);
			assert_int_equal(e.state, BG_ENTRY_MORE);
			assert_int_equal(e.modhex_len, cut);
			add(&e, "\r");
			bg_entry_add(&e, f.compact[i] + cut, len - cut, 20);
			assert_compact(&e, i);
		}
	}
}

static void entry_whole_compact_share_replaces_words(void **state)
{
	struct bg_entry e = { 0 };

	(void)state;
	add(&e, "acid acne adapt");
	assert_int_equal(e.words.count, 3);
	add(&e, f.compact[0]);
	assert_compact(&e, 0);
	assert_int_equal(e.words.count, 0);
	/* a wrong one does not cost the words */
	bg_entry_wipe(&e);
	add(&e, "acid acne");
	add(&e, "bccccccccccccccccccccccccccccccccccccc");
	assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
	assert_int_equal(e.words.count, 2);
	assert_int_equal(e.bad_number, 3);
}

static void entry_words_of_modhex_letters_are_words(void **state)
{
	struct bg_entry e = { 0 };

	(void)state;
	/* 38 letters, all modhex, all words */
	add(&e, "building building building building client");
	assert_int_equal(e.state, BG_ENTRY_MORE);
	assert_int_equal(e.words.count, 5);
	assert_int_equal(e.modhex_len, 0);
	bg_entry_wipe(&e);
	add(&e, "hunt herd");
	assert_int_equal(e.words.count, 2);
	add(&e, "hnut");
	assert_int_equal(e.state, BG_ENTRY_BAD_WORD);
	assert_string_equal(e.bad_text, "hnut");
}

static void entry_other_modhex_is_refused_as_what_it_is(void **state)
{
	static const struct {
		const char *text, *more;
		enum bg_err err;
	} rows[] = {
		{ "ccccccbbbbbbddddddeeeeeeffffffgggggghhhhhhii", NULL, BG_ERR_WRONG_KIND },
		{ "bccccccccccccccccccccccccccccccccccccc", NULL, BG_ERR_CHECKSUM },
		{ "bcccccccccccccccccccccccccccccccccccccc", NULL, BG_ERR_RANGE },
		{ "dccccccccccccccccccc", "dccccccccccccccccccccccccccccccccccccccccccccccccccc",
			BG_ERR_RANGE },
		{ "bccccccccccc", "acid", BG_ERR_SYNTAX },
		{ "bccccccccccc",
			"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
			"cccccccccccccccccccccccccccccc",
			BG_ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_entry e = { 0 };

		add(&e, rows[i].text);
		if (rows[i].more) {
			assert_int_equal(e.state, BG_ENTRY_MORE);
			add(&e, rows[i].more);
		}
		assert_int_equal(e.state, BG_ENTRY_REFUSED);
		assert_int_equal(e.err, rows[i].err);
		add(&e, f.words[0]);
		assert_mnemonic(&e, 0);
	}
}

static void entry_bad_checksum_points_at_the_word(void **state)
{
	(void)state;
	for (size_t at = 5; at < 20; at++) {
		struct bg_entry e = { 0 };
		char text[BG_SLIP39_TEXT_LEN] = "", word[9];

		for (size_t n = 0; n < 20; n++) {
			word_of(f.words[0], n, 8, word);
			strcat(strcat(text,
				       n == at ? strcmp(word, "acid") ? "acid" : "acne" : word),
				" ");
		}
		bg_entry_add(&e, text, strlen(text), 20);
		assert_int_equal(e.state, BG_ENTRY_REFUSED);
		assert_int_equal(e.err, BG_ERR_CHECKSUM);
		assert_int_equal(e.bad_number, at + 1);
		bg_entry_wipe(&e);
		/* of unknown strength it may be the start of 33 words */
		bg_entry_add(&e, text, strlen(text), 0);
		assert_int_equal(e.state, BG_ENTRY_MORE);
		assert_int_equal(e.expected, 33);
	}
}

static void entry_words_are_told_from_what_only_looks_so(void **state)
{
	static const struct {
		const char *text;
		bool is_words;
	} rows[] = { { "benefit", true }, { "7. CIVIL", true }, { "bene civi unki", true },
		{ "benefit ccjc", false }, { "fccc kvcb cbvg ungh", false }, { "", false },
		{ " 7. ", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bg_entry_is_words(rows[i].text, strlen(rows[i].text)) != rows[i].is_words)
			fail_msg("%s", rows[i].text);
}

static void entry_too_many_words_are_refused(void **state)
{
	char text[2 * BG_SLIP39_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t expected = 0; expected <= counts[i]; expected += counts[i]) {
			struct bg_entry e = { 0 };

			(void)snprintf(text, sizeof(text), "%s acid", f.words[i]);
			bg_entry_add(&e, text, strlen(text), expected);
			assert_int_equal(e.state, BG_ENTRY_REFUSED);
			assert_int_equal(e.err, BG_ERR_RANGE);
			assert_int_equal(e.share.value.len, 0);
		}
	}
}

/* Whoever calls with another number of words each time gets no overrun. */
static void entry_expected_may_change_on_the_way(void **state)
{
	struct bg_entry e = { 0 };

	(void)state;
	for (size_t n = 0; n < 33; n++) {
		assert_int_equal(e.words.count, n);
		bg_entry_add(&e, "acid", 4, n == 24 ? 20 : n % 3 ? 33 : 99);
	}
	assert_int_equal(e.state, BG_ENTRY_REFUSED);
	assert_int_equal(e.err, BG_ERR_CHECKSUM);
}

static void entry_P15_overlong_pieces_are_refused_not_cut(void **state)
{
	static const size_t lengths[] = { 511, 512, 1023, 4095, 4096, 1 << 20 };
	char *text = malloc(1 << 20);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < LEN(lengths); i++) {
		struct bg_entry e = { 0 };

		memset(text, ' ', lengths[i]);
		memcpy(text, f.words[1], strlen(f.words[1]));
		bg_entry_add(&e, text, lengths[i], 33);
		if (lengths[i] <= 4095) {
			assert_mnemonic(&e, 1);
		} else {
			assert_int_equal(e.state, BG_ENTRY_REFUSED);
			assert_int_equal(e.err, BG_ERR_TOO_BIG);
		}
		bg_entry_wipe(&e);
		memset(text, 'b', lengths[i]);
		bg_entry_add(&e, text, lengths[i], 20);
		assert_true(e.state == BG_ENTRY_REFUSED || e.state == BG_ENTRY_BAD_WORD);
	}
	free(text);
}

static void entry_wipe_leaves_nothing(void **state)
{
	struct bg_entry e = { 0 };
	const struct bg_entry none = { 0 };

	(void)state;
	add(&e, f.words[0]);
	assert_memory_not_equal(&e, &none, sizeof(e));
	bg_entry_wipe(&e);
	assert_memory_equal(&e, &none, sizeof(e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_takes_words_as_people_write_them),
		cmocka_unit_test(entry_takes_words_in_any_pieces),
		cmocka_unit_test(entry_wrong_word_costs_that_word),
		cmocka_unit_test(entry_wrong_word_keeps_what_follows),
		cmocka_unit_test(entry_more_than_the_wrong_word_goes_on_from_it),
		cmocka_unit_test(entry_misread_word_costs_that_word),
		cmocka_unit_test(entry_head_is_known_from_word_4_on),
		cmocka_unit_test(entry_takes_modhex_in_any_shape),
		cmocka_unit_test(entry_takes_modhex_in_pieces_once_it_is_clear),
		cmocka_unit_test(entry_whole_compact_share_replaces_words),
		cmocka_unit_test(entry_words_of_modhex_letters_are_words),
		cmocka_unit_test(entry_other_modhex_is_refused_as_what_it_is),
		cmocka_unit_test(entry_bad_checksum_points_at_the_word),
		cmocka_unit_test(entry_words_are_told_from_what_only_looks_so),
		cmocka_unit_test(entry_too_many_words_are_refused),
		cmocka_unit_test(entry_expected_may_change_on_the_way),
		cmocka_unit_test(entry_P15_overlong_pieces_are_refused_not_cut),
		cmocka_unit_test(entry_wipe_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/code_text.h>
#include <ctype.h>

#define WANTED	 (BG_WANTED(BG_CODE_APPROVAL) | BG_WANTED(BG_CODE_RESPONSE))
#define BODY_LEN 74 /* an approval's: 6 lines */
#define LINES	 6

/* What one person has of one code: its lines, each terminated. */
struct lines {
	char text[BG_CODE_TEXT_LEN];
	char line[BG_CODE_MAX_LINES][BG_CODE_LINE_CHARS + 1];
	uint8_t body[BODY_LEN];
};

static struct lines lines_of(enum bg_code_kind kind, uint8_t seed)
{
	struct lines lines = { 0 };

	for (size_t i = 0; i < BODY_LEN; i++)
		lines.body[i] = (uint8_t)(i * 7 + seed);
	assert_int_equal(
		bg_code_encode_plain(kind, lines.body, BODY_LEN, lines.text, sizeof(lines.text)),
		BG_OK);
	for (size_t i = 0; i < LINES; i++)
		memcpy(lines.line[i], lines.text + i * 33, BG_CODE_LINE_CHARS);
	return lines;
}

static enum bg_code_took take(struct bg_code *code, const char *text, struct bg_code_problem *ret)
{
	return bg_code_take(code, WANTED, text, strlen(text), ret);
}

static void assert_body(const struct bg_code *code, const struct lines *lines)
{
	const uint8_t *body;
	size_t len;

	assert_true(bg_code_is_whole(code, &body, &len));
	assert_int_equal(len, BODY_LEN);
	assert_memory_equal(body, lines->body, len);
}

/* Text with a blank, hyphen, dot or line end after each so many characters, in upper case. */
static void group(const char *text, size_t size, char *ret)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			continue;
		*ret++ = (char)toupper((unsigned char)*text);
		if (++n % size == 0)
			*ret++ = " -.\n\t,"[n / size % 6];
	}
	strcpy(ret, "\r\n");
}

static void code_text_whole_in_any_grouping(void **state)
{
	const struct lines lines = lines_of(BG_CODE_APPROVAL, 1);
	char text[BG_CODE_TEXT_LEN * 2];

	(void)state;
	for (size_t size = 1; size <= 200; size++) {
		struct bg_code code = { 0 };
		struct bg_code_problem problem;

		group(lines.text, size, text);
		assert_int_equal(take(&code, text, &problem), BG_TOOK_WHOLE);
		assert_body(&code, &lines);
		assert_int_equal(problem.total, LINES);
		assert_int_equal(problem.kind, BG_CODE_APPROVAL);
	}
}

static void code_text_line_by_line_in_any_order(void **state)
{
	static const unsigned int orders[][LINES] = { { 0, 1, 2, 3, 4, 5 }, { 5, 4, 3, 2, 1, 0 },
		{ 3, 0, 5, 1, 4, 2 } };
	const struct lines lines = lines_of(BG_CODE_APPROVAL, 2);

	(void)state;
	for (size_t o = 0; o < LEN(orders); o++) {
		struct bg_code code = { 0 };
		struct bg_code_problem problem;

		for (size_t i = 0; i < LINES; i++) {
			enum bg_code_took took = take(&code, lines.line[orders[o][i]], &problem);

			assert_int_equal(took, i < LINES - 1 ? BG_TOOK_MORE : BG_TOOK_WHOLE);
			if (i < LINES - 1)
				assert_int_equal(problem.line, bg_code_missing(&code) + 1);
		}
		assert_body(&code, &lines);
	}
}

/* Wherever a paste is cut, the rest of it, or all of the line again, completes the code. */
static void code_text_cut_anywhere_goes_on(void **state)
{
	const struct lines lines = lines_of(BG_CODE_RESPONSE, 3);
	char text[LINES * BG_CODE_LINE_CHARS + 1], part[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		strcpy(text + i * BG_CODE_LINE_CHARS, lines.line[i]);
	for (size_t cut = 1; cut < strlen(text); cut++) {
		struct bg_code code = { 0 };
		struct bg_code_problem problem;
		enum bg_code_took took;

		(void)snprintf(part, sizeof(part), "%.*s", (int)cut, text);
		took = take(&code, part, &problem);
		assert_int_equal(took, cut < BG_CODE_LINE_CHARS ? BG_TOOK_NOTHING : BG_TOOK_MORE);
		if (took == BG_TOOK_NOTHING)
			continue;
		assert_int_equal(problem.line, cut / BG_CODE_LINE_CHARS + 1);
		assert_int_equal(problem.total, LINES);
		took = take(&code, text + cut, &problem);
		if (cut % BG_CODE_LINE_CHARS != 0) {
			/* the rest has no whole line where the cut was in the last */
			assert_int_not_equal(took, BG_TOOK_WHOLE);
			assert_int_equal(problem.line, cut / BG_CODE_LINE_CHARS + 1);
			took = take(&code, lines.line[problem.line - 1], &problem);
		}
		assert_int_equal(took, BG_TOOK_WHOLE);
		assert_body(&code, &lines);
	}
}

/* One character changed or dropped: its line is named, and it alone is wanted again. */
static void code_text_a_misread_line_is_named(void **state)
{
	const struct lines lines = lines_of(BG_CODE_APPROVAL, 4);

	(void)state;
	for (size_t at = 0; at < LINES * 33; at++) {
		for (size_t c = 0; c < 2; c++) {
			struct bg_code code = { 0 };
			struct bg_code_problem problem;
			char text[BG_CODE_TEXT_LEN + 2];
			char other = lines.text[at] == 'c' ? 'b' : 'c';
			enum bg_code_took took;

			if (lines.text[at] == '\n')
				continue;
			(void)snprintf(text, sizeof(text), "%.*s", (int)at, lines.text);
			if (c == 0)
				(void)snprintf(text + at, sizeof(text) - at, "%c%s", other,
					lines.text + at + 1);
			else
				(void)snprintf(
					text + at, sizeof(text) - at, "%s", lines.text + at + 1);
			took = take(&code, text, &problem);
			/* a character too few at the very end is a cut paste */
			if (c == 1 && at / 33 == LINES - 1 && took == BG_TOOK_MORE)
				took = BG_TOOK_BAD_LINE;
			assert_int_equal(took, BG_TOOK_BAD_LINE);
			assert_int_equal(problem.line, at / 33 + 1);
			assert_int_equal(take(&code, lines.line[at / 33], &problem), BG_TOOK_WHOLE);
			assert_body(&code, &lines);
		}
	}
}

static void code_text_several_misread_lines_are_named_one_after_the_other(void **state)
{
	struct lines lines = lines_of(BG_CODE_APPROVAL, 5);
	char text[BG_CODE_TEXT_LEN];
	struct bg_code code = { 0 };
	struct bg_code_problem problem;

	(void)state;
	strcpy(text, lines.text);
	text[33 + 4] = 'x';	/* line 2 */
	text[2 * 33 + 4] = '0'; /* line 3 */
	text[5 * 33] = '?';	/* line 6 */
	assert_int_equal(take(&code, text, &problem), BG_TOOK_BAD_LINE);
	assert_int_equal(problem.line, 2);
	assert_int_equal(take(&code, lines.line[1], &problem), BG_TOOK_MORE);
	assert_int_equal(problem.line, 3);
	text[2 * 33 + 33] = '\0';
	assert_int_equal(take(&code, text + 2 * 33, &problem), BG_TOOK_BAD_LINE);
	assert_int_equal(problem.line, 3);
	assert_int_equal(take(&code, lines.line[2], &problem), BG_TOOK_MORE);
	assert_int_equal(problem.line, 6);
	assert_int_equal(take(&code, lines.line[5], &problem), BG_TOOK_WHOLE);
	assert_body(&code, &lines);
}

/* Typed wrong, then right, in one text: nothing is left to complain about. */
static void code_text_a_line_given_right_further_on_is_good(void **state)
{
	const struct lines lines = lines_of(BG_CODE_APPROVAL, 13);
	char text[3 * BG_CODE_TEXT_LEN];
	struct bg_code code = { 0 };
	struct bg_code_problem problem;

	(void)state;
	(void)snprintf(text, sizeof(text), "%s %s %.20sxxxxxxxxxxxx %s %s", lines.line[0],
		lines.line[1], lines.line[2], lines.line[3], lines.line[2]);
	assert_int_equal(take(&code, text, &problem), BG_TOOK_MORE);
	assert_int_equal(problem.line, 5);
}

static void code_text_other_kinds_are_named(void **state)
{
	const struct lines wanted = lines_of(BG_CODE_APPROVAL, 6);

	(void)state;
	for (unsigned int kind = 0; kind < BG_CODE_KIND_COUNT; kind++) {
		const struct lines lines = lines_of((enum bg_code_kind)kind, 7);
		struct bg_code code = { 0 }, empty = { 0 };
		struct bg_code_problem problem;
		enum bg_code_took took = take(&code, lines.text, &problem);

		assert_int_equal(problem.kind, kind);
		if (WANTED >> kind & 1) {
			assert_int_equal(took, BG_TOOK_WHOLE);
			continue;
		}
		assert_int_equal(took, BG_TOOK_OTHER_KIND);
		assert_memory_equal(&code, &empty, sizeof(code));
		assert_int_equal(take(&code, wanted.line[0], &problem), BG_TOOK_MORE);
		assert_int_equal(take(&code, lines.line[1], &problem), BG_TOOK_OTHER_KIND);
		assert_int_equal(problem.kind, kind);
		assert_int_equal(problem.line, 2);
	}
}

static void code_text_lines_of_two_codes_are_mixed(void **state)
{
	const struct lines one = lines_of(BG_CODE_APPROVAL, 8), two = lines_of(BG_CODE_APPROVAL, 9);
	struct bg_code code = { 0 }, before;
	struct bg_code_problem problem;

	(void)state;
	assert_int_equal(take(&code, one.line[0], &problem), BG_TOOK_MORE);
	assert_int_equal(take(&code, one.line[0], &problem), BG_TOOK_MORE);
	assert_int_equal(take(&code, one.line[1], &problem), BG_TOOK_MORE);
	before = code;
	assert_int_equal(take(&code, two.line[1], &problem), BG_TOOK_MIXED);
	assert_memory_equal(&code, &before, sizeof(code));
	/* a whole one takes the place of what was begun */
	assert_int_equal(take(&code, two.text, &problem), BG_TOOK_WHOLE);
	assert_body(&code, &two);
}

/* Two approvals in one paste: the first, then what is left. */
static void code_text_tells_where_the_next_code_begins(void **state)
{
	const struct lines one = lines_of(BG_CODE_APPROVAL, 10),
			   two = lines_of(BG_CODE_RESPONSE, 11);
	struct bg_code code = { 0 }, next = { 0 };
	struct bg_code_problem problem;
	char text[3 * BG_CODE_TEXT_LEN];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s%s", one.text, two.text);
	assert_int_equal(take(&code, text, &problem), BG_TOOK_WHOLE);
	assert_body(&code, &one);
	assert_int_equal(take(&next, text + problem.used, &problem), BG_TOOK_WHOLE);
	assert_body(&next, &two);
	/* the first one's last lines, then the second */
	code = (struct bg_code){ 0 };
	(void)snprintf(text, sizeof(text), "%s%s", one.text + 3 * 33, two.text);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(take(&code, one.line[i], &problem), BG_TOOK_MORE);
	assert_int_equal(take(&code, text, &problem), BG_TOOK_WHOLE);
	assert_body(&code, &one);
}

static void code_text_what_is_no_code_is_nothing(void **state)
{
	static const char *const rows[] = { "", " \n-- ", "touch", "?", "123456",
		"correct horse battery",
		"bdcccbcdcecfcgchcicjckclcncrctcucvlegr", /* a compact share */
		"cccccccccccccccccccccccccccccccc", "\xc3\xa9\xff\xfe",
		"hunting tricycle leader research acid academic both ceiling busy deal" };
	const struct lines lines = lines_of(BG_CODE_APPROVAL, 12);

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_code code = { 0 }, empty = { 0 };
		struct bg_code_problem problem;
		bool is_modhex = strspn(rows[i], "cbdefghijklnrtuv") >= 32;

		assert_int_equal(take(&code, rows[i], &problem), BG_TOOK_NOTHING);
		assert_memory_equal(&code, &empty, sizeof(code));
		assert_int_equal(take(&code, lines.line[0], &problem), BG_TOOK_MORE);
		assert_int_equal(take(&code, rows[i], &problem),
			is_modhex ? BG_TOOK_BAD_LINE : BG_TOOK_NOTHING);
		assert_int_equal(problem.line, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_text_whole_in_any_grouping),
		cmocka_unit_test(code_text_line_by_line_in_any_order),
		cmocka_unit_test(code_text_cut_anywhere_goes_on),
		cmocka_unit_test(code_text_a_misread_line_is_named),
		cmocka_unit_test(code_text_several_misread_lines_are_named_one_after_the_other),
		cmocka_unit_test(code_text_a_line_given_right_further_on_is_good),
		cmocka_unit_test(code_text_other_kinds_are_named),
		cmocka_unit_test(code_text_lines_of_two_codes_are_mixed),
		cmocka_unit_test(code_text_tells_where_the_next_code_begins),
		cmocka_unit_test(code_text_what_is_no_code_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

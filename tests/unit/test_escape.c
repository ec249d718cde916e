/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/escape.h>

typedef void escape_fn(struct bg_writer *w, const char *text, size_t max_len);

static uint8_t out[1 << 20];

static const char *escaped(escape_fn *fn, const char *text, size_t max_len)
{
	struct bg_writer w = { .p = out, .cap = sizeof(out) - 1 };

	fn(&w, text, max_len);
	assert_false(w.is_full);
	out[w.len] = '\0';
	return (const char *)out;
}

struct row {
	const char *name, *text, *json, *kv, *terminal;
};

static const struct row rows[] = {
	{ "plain", "audit", "audit", "audit", "audit" },
	{ "empty", "", "", "\"\"", "" },
	{ "blank", "a b", "a b", "\"a b\"", "a b" },
	{ "equals sign", "a=b", "a=b", "\"a=b\"", "a=b" },
	{ "P20 newline", "a\nb", "a\\nb", "\"a\\x0ab\"", "a?b" },
	{ "P20 carriage return", "a\rb", "a\\u000db", "\"a\\x0db\"", "a?b" },
	{ "P20 ESC", "\x1b[2J", "\\u001b[2J", "\"\\x1b[2J\"", "?[2J" },
	{ "P20 format", "%n%s", "%n%s", "%n%s", "%n%s" },
	{ "P20 quote", "a\"b", "a\\\"b", "\"a\\\"b\"", "a\"b" },
	{ "P20 backslash", "a\\b", "a\\\\b", "\"a\\\\b\"", "a\\b" },
	{ "P20 sshd's password for unknown users", "\b\n\r\177INCORRECT",
		"\\u0008\\n\\u000d\\u007fINCORRECT", "\"\\x08\\x0a\\x0d\\x7fINCORRECT\"",
		"????INCORRECT" },
	{ "P20 C1 control", "\xc2\x9b", "\\u009b", "\"\\xc2\\x9b\"", "?" },
	{ "P20 bidi override", "\xe2\x80\xae", "\\u202e", "\"\\xe2\\x80\\xae\"", "?" },
	{ "P20 bidi isolate", "\xe2\x81\xa6", "\\u2066", "\"\\xe2\\x81\\xa6\"", "?" },
	{ "P20 zero width", "\xe2\x80\x8b", "\\u200b", "\"\\xe2\\x80\\x8b\"", "?" },
	{ "P20 line separator", "\xe2\x80\xa8", "\\u2028", "\"\\xe2\\x80\\xa8\"", "?" },
	{ "P20 tag", "\xf3\xa0\x81\x81", "\\udb40\\udc41", "\"\\xf3\\xa0\\x81\\x81\"", "?" },
	{ "P20 invalid UTF-8", "\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\xff\\xc3\"", "??" },
	{ "P20 overlong UTF-8", "\xc0\x8a", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\xc0\\x8a\"", "??" },
	{ "UTF-8", "J\xc3\xb6rg", "J\xc3\xb6rg", "J\xc3\xb6rg", "J\xc3\xb6rg" },
};

static void escape_P20_each_kind_of_text_comes_out_harmless(void **state)
{
	char terminal[64];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_string_equal(escaped(bg_escape_json, rows[i].text, 64), rows[i].json);
		assert_string_equal(escaped(bg_escape_kv, rows[i].text, 64), rows[i].kv);
		bg_escape_terminal(terminal, sizeof(terminal), rows[i].text);
		assert_string_equal(terminal, rows[i].terminal);
	}
}

static void escape_P20_no_byte_below_32_or_127_survives(void **state)
{
	char text[2] = "", terminal[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		text[0] = (char)c;
		bg_escape_terminal(terminal, sizeof(terminal), text);
		for (int way = 0; way < 3; way++) {
			const char *p = way == 0   ? terminal
					: way == 1 ? escaped(bg_escape_json, text, 4)
						   : escaped(bg_escape_kv, text, 4);

			for (; *p; p++)
				assert_true((uint8_t)*p >= 0x20 && *p != 0x7f);
		}
	}
}

static void escape_P20_64_KiB_are_cut_and_the_cut_shows(void **state)
{
	static char big[65537];
	char terminal[10];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_string_equal(escaped(bg_escape_json, big, 4), "xxxx\xe2\x80\xa6");
	assert_string_equal(escaped(bg_escape_kv, big, 4), "xxxx\xe2\x80\xa6");
	assert_string_equal(escaped(bg_escape_kv, big, 0), "\xe2\x80\xa6");
	bg_escape_terminal(terminal, sizeof(terminal), big);
	assert_string_equal(terminal, "xxxxxxxxx");
}

static void escape_cuts_between_characters(void **state)
{
	char terminal[3];

	(void)state;
	assert_string_equal(escaped(bg_escape_json, "a\xc3\xb6", 2), "a\xe2\x80\xa6");
	assert_string_equal(escaped(bg_escape_json, "a\xc3\xb6", 3), "a\xc3\xb6");
	assert_string_equal(escaped(bg_escape_kv, "a\xe2\x82\xac", 3), "a\xe2\x80\xa6");
	bg_escape_terminal(terminal, sizeof(terminal), "a\xc3\xb6");
	assert_string_equal(terminal, "a");
	bg_escape_terminal(terminal, 0, "a");
	assert_string_equal(terminal, "a");
}

static void escape_full_writer_stays_within_its_room(void **state)
{
	uint8_t buf[9];
	struct bg_writer w = { .p = buf, .cap = 8 };

	(void)state;
	buf[8] = 0x5a;
	bg_escape_kv(&w, "\x1b\x1b\x1b\x1b", 64);
	assert_true(w.is_full);
	assert_true(w.len <= 8);
	assert_int_equal(buf[8], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_P20_each_kind_of_text_comes_out_harmless),
		cmocka_unit_test(escape_P20_no_byte_below_32_or_127_survives),
		cmocka_unit_test(escape_P20_64_KiB_are_cut_and_the_cut_shows),
		cmocka_unit_test(escape_cuts_between_characters),
		cmocka_unit_test(escape_full_writer_stays_within_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

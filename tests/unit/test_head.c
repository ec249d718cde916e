/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/head.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *name, *line;
	uint64_t seq; /* 0: no head */
} rows[] = {
	{ "alone", "7:" HASH, 7 },
	{ "alone, with blanks behind", "7:" HASH " \r\n", 7 },
	{ "at the end of syslog's text", "pam_breakglass[1]: GRANTED host=db1 chain=12:" HASH, 12 },
	{ "the greatest number", "18446744073709551615:" HASH, UINT64_MAX },
	{ "one more", "18446744073709551616:" HASH, 0 },
	{ "number nought", "0:" HASH, 0 },
	{ "leading nought", "07:" HASH, 0 },
	{ "no number", ":" HASH, 0 },
	{ "sign", "-7:" HASH, 0 },
	{ "quoted foreign text", "ATTEMPT reason=\"x chain=7:" HASH "\"", 0 },
	{ "not the last word", "chain=7:" HASH " chain=8", 0 },
	{ "another field", "GRANTED xchain=7:" HASH, 0 },
	{ "a word before it", "x 7:" HASH, 0 },
	{ "upper case", "7:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 0 },
	{ "a digit short", "7:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0 },
	{ "a digit more", "7:" HASH "0", 0 },
	{ "nothing", "", 0 },
	{ "blanks", "  ", 0 },
	{ "the mark alone", " chain=", 0 },
};

static void head_rows_are_read_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_head head = { .seq = 99 };
		bool is_head = bg_head_find(rows[i].line, strlen(rows[i].line), &head);

		print_message("%s\n", rows[i].name);
		assert_int_equal(is_head, rows[i].seq != 0);
		assert_true(head.seq == (is_head ? rows[i].seq : 99));
		if (is_head)
			assert_int_equal(head.hash[1], 0x23);
	}
}

static void head_each_truncation_is_none(void **state)
{
	static const char line[] = "x chain=12:" HASH;
	struct bg_head head;

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(line); len++)
		assert_false(bg_head_find(line, len, &head));
	assert_true(bg_head_find(line, sizeof(line) - 1, &head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_rows_are_read_as_told),
		cmocka_unit_test(head_each_truncation_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

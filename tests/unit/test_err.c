/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/err.h>
#include <errno.h>

static void err_every_code_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < BG_ERR_COUNT; i++) {
		const char *text = bg_err_text((enum bg_err)i);

		assert_string_not_equal(text, "unknown error");
		assert_true(strlen(text) > 3 && strlen(text) < 64);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(text, bg_err_text((enum bg_err)j));
	}
	assert_string_equal(bg_err_text(BG_ERR_COUNT), "unknown error");
	assert_string_equal(bg_err_text((enum bg_err) - 1), "unknown error");
}

static void err_diag_is_set_cut_and_returned(void **state)
{
	struct bg_diag diag = { 0 };
	char big[400];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(bg_diag_set(NULL, BG_ERR_PIN, "a", "b"), BG_ERR_PIN);
	assert_int_equal(
		bg_diag_set(&diag, BG_ERR_RANGE, "file", "%d of %s", 3, "4"), BG_ERR_RANGE);
	assert_string_equal(diag.where, "file");
	assert_string_equal(diag.what, "3 of 4");
	assert_int_equal(bg_diag_set(&diag, BG_ERR_RANGE, NULL, NULL), BG_ERR_RANGE);
	assert_string_equal(diag.where, "file");
	assert_int_equal(bg_diag_set(&diag, BG_ERR_RANGE, big, "%s", big), BG_ERR_RANGE);
	assert_int_equal(strlen(diag.where), BG_DIAG_WHERE_LEN - 1);
	assert_int_equal(strlen(diag.what), BG_DIAG_WHAT_LEN - 1);
}

static void err_format_leaves_out_what_is_not_known(void **state)
{
	struct bg_diag diag = { 0 };
	char buf[400], small[9];

	(void)state;
	bg_diag_format(NULL, BG_ERR_PIN, buf, sizeof(buf));
	assert_string_equal(buf, "wrong PIN");
	bg_diag_format(&diag, BG_ERR_PIN, buf, sizeof(buf));
	assert_string_equal(buf, "wrong PIN");
	(void)bg_diag_set(&diag, BG_ERR_SYNTAX, "a.seal", "expected key = value");
	diag.line = 7;
	diag.sys_errno = ENOENT;
	bg_diag_format(&diag, BG_ERR_SYNTAX, buf, sizeof(buf));
	assert_string_equal(
		buf, "a.seal:7: expected key = value: malformed (No such file or directory)");
	bg_diag_format(&diag, BG_ERR_SYNTAX, small, sizeof(small));
	assert_string_equal(small, "a.seal:7");
	bg_diag_format(&diag, BG_ERR_SYNTAX, small, 1);
	assert_string_equal(small, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_every_code_has_a_text_of_its_own),
		cmocka_unit_test(err_diag_is_set_cut_and_returned),
		cmocka_unit_test(err_format_leaves_out_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/ini.h>
#include <breakglass/utf8.h>

struct got {
	char log[512];
};

static enum bg_err set(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct got *got = object;
	size_t used = strlen(got->log);

	if (strcmp(v->text, "bad") == 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "not bad");
	snprintf(got->log + used, sizeof(got->log) - used, "%s%s%s.%s=%.20s@%u",
		used > 0 ? " " : "", v->name[0] != '\0' ? v->name : "",
		v->name[0] != '\0' ? "" : "-", v->key, v->text, v->line);
	assert_int_equal(strlen(v->text), v->len);
	return BG_OK;
}

static enum bg_err open_section(
	void *object, const char *section, const char *name, struct bg_diag *diag)
{
	(void)object;
	assert_string_equal(section, "part");
	return strcmp(name, "no") == 0 ? bg_diag_set(diag, BG_ERR_RANGE, NULL, "no") : BG_OK;
}

static enum bg_err go_on(
	void *object, enum bg_err err, const struct bg_ini_value *value, const struct bg_diag *diag)
{
	struct got *got = object;
	size_t used = strlen(got->log);

	snprintf(got->log + used, sizeof(got->log) - used, "%s!%u@%u%s", used > 0 ? " " : "", err,
		diag->line, value != NULL ? value->key : "");
	return BG_OK;
}

static const struct bg_ini_rule rules[] = {
	{ "top", false, "must", true, false, set },
	{ "top", false, "may", false, true, set },
	{ "part", true, "must", true, false, set },
	{ "part", true, "may", false, false, set },
	{ "last", false, "may", false, false, set },
};

static enum bg_err parse(
	const char *text, size_t len, bool is_ordered, struct got *got, struct bg_diag *diag)
{
	const struct bg_ini_schema schema = { .rules = rules,
		.rule_count = LEN(rules),
		.is_ordered = is_ordered,
		.on_section = open_section };

	memset(got, 0, sizeof(*got));
	memset(diag, 0, sizeof(*diag));
	return bg_ini_parse(text, len, "x.conf", &schema, got, diag);
}

static void ini_good_files_are_read(void **state)
{
	static const struct {
		const char *text, *log;
	} rows[] = {
		{ "[top]\nmust = a b\n", "-.must=a b@2" },
		{ "# c\n\n[top]\nmust=1\nmay =\n", "-.must=1@4 -.may=@5" },
		{ "[top]\nmust   =   x   \nmay = = y # z\n", "-.must=x@2 -.may== y # z@3" },
		{ "[part a]\nmust = 1\n[top]\nmust = 2\n[part b]\nmust = 3\nmay = 4\n",
			"a.must=1@2 -.must=2@4 b.must=3@6 b.may=4@7" },
		{ "[top]\nmust = \xc3\xa9\n[last]\n", "-.must=\xc3\xa9@2" },
	};
	struct got got;
	struct bg_diag diag;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		assert_int_equal(
			parse(rows[i].text, strlen(rows[i].text), false, &got, &diag), BG_OK);
		assert_string_equal(got.log, rows[i].log);
	}
}

static void ini_bad_files_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text;
		enum bg_err err;
		unsigned int line;
	} rows[] = {
		{ "", BG_ERR_MISSING, 0 },
		{ "# only\n", BG_ERR_MISSING, 1 },
		{ "[top]\n", BG_ERR_MISSING, 1 },
		{ "[top]\nmay = 1\n[last]\n", BG_ERR_MISSING, 1 },
		{ "[top]\nmust = 1\n[part a]\nmay = 1\n", BG_ERR_MISSING, 3 },
		{ "[top]\nmust =\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\nmust = bad\n", BG_ERR_RANGE, 2 },
		{ "[top]\nmust\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\n= 1\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\n must = 1\n", BG_ERR_SYNTAX, 2 },
		{ "must = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[top]\nmust = 1", BG_ERR_SYNTAX, 2 },
		{ "[top]\nmusd = 1\n", BG_ERR_UNKNOWN_KEY, 2 },
		{ "[top]\nMust = 1\n", BG_ERR_UNKNOWN_KEY, 2 },
		{ "[tob]\nmust = 1\n", BG_ERR_UNKNOWN_KEY, 1 },
		{ "[top]\nmust = 1\nmust = 1\n", BG_ERR_DUPLICATE, 3 },
		{ "[top]\nmust = 1\n[top]\nmust = 1\n", BG_ERR_DUPLICATE, 3 },
		{ "[part a]\nmust = 1\n[part a]\n", BG_ERR_DUPLICATE, 3 },
		{ "[top x]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[part]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[part ]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[part a b]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[part  a]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[part no]\nmust = 1\n", BG_ERR_RANGE, 1 },
		{ "[]\n", BG_ERR_SYNTAX, 1 },
		{ "[top\n", BG_ERR_SYNTAX, 1 },
		{ "[top] \n", BG_ERR_SYNTAX, 1 },
		{ "[[top]]\n", BG_ERR_SYNTAX, 1 },
		{ "\n[top]\nmust = a\tb\n", BG_ERR_SYNTAX, 3 },
		{ "[top]\r\nmust = 1\r\n", BG_ERR_SYNTAX, 1 },
		{ "\xef\xbb\xbf[top]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "# \xef\xbb\xbf\n[top]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "# \xff\n[top]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
		{ "[top]\nmust = \xed\xa0\x80\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\nmust = \xc0\xaf\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\nmust = \xf4\x90\x80\x80\n", BG_ERR_SYNTAX, 2 },
		{ "[top]\nmust = \x7f\n", BG_ERR_SYNTAX, 2 },
		{ "; comment\n[top]\nmust = 1\n", BG_ERR_SYNTAX, 1 },
	};
	struct got got;
	struct bg_diag diag;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		enum bg_err err = parse(rows[i].text, strlen(rows[i].text), false, &got, &diag);

		if (err != rows[i].err || diag.line != rows[i].line)
			print_error("row %zu: %u line %u\n", i, err, diag.line);
		assert_int_equal(err, rows[i].err);
		assert_int_equal(diag.line, rows[i].line);
		assert_string_equal(diag.where, "x.conf");
		assert_true(diag.what[0] != '\0');
	}
}

static void ini_nul_is_refused(void **state)
{
	static const char text[] = "[top]\nmust = a\0b\n";
	struct got got;
	struct bg_diag diag;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, false, &got, &diag), BG_ERR_SYNTAX);
	assert_int_equal(diag.line, 2);
}

static void ini_order_is_kept_where_asked_for(void **state)
{
	static const char good[] =
		"[top]\nmust = 1\n[part a]\nmust = 1\n[part b]\nmust = 1\n[last]\n";
	static const char bad[] = "[top]\nmust = 1\n[last]\n[part a]\nmust = 1\n";
	struct got got;
	struct bg_diag diag;

	(void)state;
	assert_int_equal(parse(good, strlen(good), true, &got, &diag), BG_OK);
	assert_int_equal(parse(bad, strlen(bad), false, &got, &diag), BG_OK);
	assert_int_equal(parse(bad, strlen(bad), true, &got, &diag), BG_ERR_SYNTAX);
	assert_int_equal(diag.line, 4);
}

static void ini_limits_are_exact(void **state)
{
	static char text[BG_INI_FILE_LEN + 2];
	struct got got;
	struct bg_diag diag;
	size_t at = 0;

	(void)state;
	/* lines of 2,048 bytes and LF */
	memset(text, 'x', sizeof(text));
	memcpy(text, "[top]\nmust = ", 13);
	text[6 + BG_INI_LINE_LEN] = '\n';
	assert_int_equal(parse(text, 7 + BG_INI_LINE_LEN, false, &got, &diag), BG_OK);
	text[6 + BG_INI_LINE_LEN] = 'x';
	text[7 + BG_INI_LINE_LEN] = '\n';
	assert_int_equal(parse(text, 8 + BG_INI_LINE_LEN, false, &got, &diag), BG_ERR_TOO_BIG);
	assert_int_equal(diag.line, 2);
	/* 64 KiB */
	memcpy(text, "[top]\nmust = 1\n", 15);
	for (at = 15; at < sizeof(text); at++)
		text[at] = at % 64 == 63 ? '\n' : '#';
	text[BG_INI_FILE_LEN - 1] = '\n';
	assert_int_equal(parse(text, BG_INI_FILE_LEN, false, &got, &diag), BG_OK);
	assert_int_equal(parse(text, BG_INI_FILE_LEN + 1, false, &got, &diag), BG_ERR_TOO_BIG);
	/* 64 sections */
	at = (size_t)snprintf(text, sizeof(text), "[top]\nmust = 1\n");
	for (int i = 0; i < 63; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "[part s%d]\nmust = bad%d\n", i, i);
	memset(&got, 0, sizeof(got));
	assert_int_equal(parse(text, at, false, &got, &diag), BG_OK);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "[part t]\nmust = 1\n");
	assert_int_equal(parse(text, at, false, &got, &diag), BG_ERR_TOO_BIG);
}

static void ini_lenient_goes_on_without_what_is_wrong(void **state)
{
	static const char text[] =
		"stray\n[nope]\nmust = 1\nx\n[top]\nmust = bad\nmay = 1\nmay = 2\n"
		"oops = 1\n[part]\nmust = 9\n[last]\nmay = 3\ncut";
	const struct bg_ini_schema schema = { .rules = rules,
		.rule_count = LEN(rules),
		.on_section = open_section,
		.on_error = go_on };
	struct got got = { 0 };
	char want[256];

	(void)state;
	snprintf(want, sizeof(want),
		"!%d@1 !%d@2 !%d@6must -.may=1@7 !%d@8may !%d@9 !%d@10 -.may=3@13"
		" !%d@14",
		BG_ERR_SYNTAX, BG_ERR_UNKNOWN_KEY, BG_ERR_RANGE, BG_ERR_DUPLICATE,
		BG_ERR_UNKNOWN_KEY, BG_ERR_SYNTAX, BG_ERR_SYNTAX);
	assert_int_equal(bg_ini_parse(text, strlen(text), "x", &schema, &got, NULL), BG_OK);
	assert_string_equal(got.log, want);
}

static void ini_numbers_have_one_spelling(void **state)
{
	static const struct {
		const char *text;
		enum bg_err err;
	} rows[] = { { "0", BG_ERR_RANGE }, { "1", BG_OK }, { "4294967295", BG_OK },
		{ "4294967296", BG_ERR_RANGE }, { "9999999999", BG_ERR_RANGE },
		{ "42949672950", BG_ERR_SYNTAX }, { "01", BG_ERR_SYNTAX }, { "+1", BG_ERR_SYNTAX },
		{ "-1", BG_ERR_SYNTAX }, { "1 ", BG_ERR_SYNTAX }, { "0x1", BG_ERR_SYNTAX },
		{ "1.0", BG_ERR_SYNTAX }, { "", BG_ERR_SYNTAX } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_ini_value v = {
			.key = "n", .text = rows[i].text, .len = strlen(rows[i].text)
		};
		uint32_t n = 7;

		assert_int_equal(bg_ini_u32(&v, 1, UINT32_MAX, &n, NULL), rows[i].err);
		if (rows[i].err != BG_OK)
			assert_int_equal(n, 7);
	}
}

static void ini_P14_names_accounts_labels_are_exact(void **state)
{
	(void)state;
	assert_true(bg_is_name("a") && bg_is_name("0-a") && bg_is_name("abcdefghijkl"));
	assert_false(bg_is_name("") || bg_is_name("-a") || bg_is_name("A") || bg_is_name("a_") ||
		     bg_is_name("abcdefghijklm") || bg_is_name("a ") || bg_is_name("\xc3\xa9"));
	assert_true(bg_is_account("breakglass", 16) && bg_is_account("_x", 16) &&
		    bg_is_account("abcdefghijklmnop", 16));
	assert_false(bg_is_account("", 16) || bg_is_account("Breakglass", 16) ||
		     bg_is_account("breakglass ", 16) || bg_is_account("abcdefghijklmnopq", 16) ||
		     bg_is_account("../x", 16) || bg_is_account("-x", 16) ||
		     bg_is_account("0x", 16) || bg_is_account("a\nb", 16) ||
		     bg_is_account("a.b", 16) || bg_is_account("a/b", 16));
	assert_true(bg_is_account("abcdefghijklmnopqrstuvwxyz012345", 32));
	assert_false(bg_is_account("abcdefghijklmnopqrstuvwxyz0123456", 32));
	assert_true(bg_is_label("db1") && bg_is_label("DB-1.x_y"));
	assert_false(bg_is_label("") || bg_is_label(".db") || bg_is_label("a b") ||
		     bg_is_label("abcdefghijklmnopqrstuvwxy"));
}

static void ini_times_are_of_the_calendar(void **state)
{
	(void)state;
	assert_true(bg_is_time("2026-02-28T23:59:59Z") && bg_is_time("2028-02-29T00:00:00Z"));
	assert_false(bg_is_time("2026-02-29T00:00:00Z") || bg_is_time("2026-13-01T00:00:00Z") ||
		     bg_is_time("2026-01-01T24:00:00Z") || bg_is_time("2026-01-01T00:60:00Z") ||
		     bg_is_time("2026-01-01 00:00:00Z") || bg_is_time("2026-01-01T00:00:00") ||
		     bg_is_time("2026-01-01T00:00:00+00:00") || bg_is_time("") ||
		     bg_is_time("2100-02-29T00:00:00Z") || bg_is_time("2026-01-00T00:00:00Z"));
	assert_true(bg_is_date("2026-12-31"));
	assert_false(
		bg_is_date("2026-12-32") || bg_is_date("2026-1-1") || bg_is_date("2026-12-31T"));
}

static void utf8_every_code_point_round_trips(void **state)
{
	size_t valid = 0;

	(void)state;
	/* every sequence of one to three bytes, and four-byte ones around the ends */
	for (uint32_t n = 0; n < 1 << 24; n += n < 1 << 16 ? 1 : 7) {
		const char b[4] = { (char)(n & 0xff), (char)(n >> 8 & 0xff), (char)(n >> 16),
			'\x80' };
		uint32_t c = 0;
		size_t len = bg_utf8_next(b, 3, &c);

		if (len == 0)
			continue;
		valid++;
		assert_true(len == (c < 0x80 ? 1 : c < 0x800 ? 2 : 3));
		assert_false(c >= 0xd800 && c <= 0xdfff);
	}
	assert_true(valid > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ini_good_files_are_read),
		cmocka_unit_test(ini_bad_files_are_refused_with_their_line),
		cmocka_unit_test(ini_nul_is_refused),
		cmocka_unit_test(ini_order_is_kept_where_asked_for),
		cmocka_unit_test(ini_limits_are_exact),
		cmocka_unit_test(ini_lenient_goes_on_without_what_is_wrong),
		cmocka_unit_test(ini_numbers_have_one_spelling),
		cmocka_unit_test(ini_P14_names_accounts_labels_are_exact),
		cmocka_unit_test(ini_times_are_of_the_calendar),
		cmocka_unit_test(utf8_every_code_point_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

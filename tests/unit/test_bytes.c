/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/bytes.h>

static void bytes_view_reads_and_remembers_the_end(void **state)
{
	const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct bg_view v = { b, sizeof(b), false };

	(void)state;
	assert_int_equal(bg_view_u8(&v), 1);
	assert_int_equal(bg_view_u16(&v), 0x0203);
	assert_int_equal(bg_view_u32(&v), 0x04050607);
	assert_true(bg_view_u64(&v) == 0x08090a0b0c0d0e0f);
	assert_false(v.is_short);
	assert_int_equal(bg_view_u16(&v), 0);
	assert_true(v.is_short);
	assert_int_equal(bg_view_u8(&v), 0); /* also the byte that is there: once short, short */
	v = (struct bg_view){ b, 4, false };
	assert_ptr_equal(bg_view_take(&v, 4), b);
	assert_false(v.is_short);
	assert_non_null(bg_view_take(&v, 0));
	assert_null(bg_view_take(&v, 1));
	assert_null(bg_view_take(&v, SIZE_MAX));
	v = (struct bg_view){ NULL, 0, false };
	assert_int_equal(bg_view_u8(&v), 0);
	assert_true(v.is_short);
}

static void bytes_writer_never_overruns(void **state)
{
	uint8_t b[16] = { 0 };
	const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0 };
	struct bg_writer w = { b, 15, 0, false };

	(void)state;
	bg_put_u8(&w, 1);
	bg_put_u16(&w, 0x0203);
	bg_put_u32(&w, 0x04050607);
	bg_put_u64(&w, 0x08090a0b0c0d0e0f);
	assert_false(w.is_full);
	bg_put(&w, NULL, 0);
	assert_false(w.is_full);
	bg_put_u8(&w, 99);
	assert_true(w.is_full);
	assert_int_equal(w.len, 15);
	assert_memory_equal(b, want, 16);
	w = (struct bg_writer){ b, 15, 1, false };
	bg_put(&w, want, SIZE_MAX);
	assert_true(w.is_full);
}

static void bytes_hex_goes_there_and_back_and_refuses_the_rest(void **state)
{
	static const char *const bad[] = { "0", "000", "0g", "0G", "0A", "0x", " 0", "-1", "" };
	uint8_t all[256], back[256];
	char text[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	bg_hex_encode(all, 256, text);
	for (unsigned int i = 0; i < 256; i++) {
		char pair[8];

		(void)snprintf(pair, sizeof(pair), "%02x", i);
		assert_memory_equal(text + 2 * i, pair, 2);
	}
	assert_int_equal(text[512], '\0');
	assert_true(bg_hex_decode(text, 512, back, 256));
	assert_memory_equal(all, back, 256);
	assert_false(bg_hex_decode(text, 512, back, 255));
	for (size_t i = 0; i < LEN(bad); i++) {
		back[0] = 77;
		assert_false(bg_hex_decode(bad[i], strlen(bad[i]), back, 1));
		assert_int_equal(back[0], 77);
	}
	assert_true(bg_hex_decode("", 0, back, 0));
}

static void bytes_decimal_takes_what_fits_and_moves_behind_it(void **state)
{
	static const struct {
		const char *name, *text;
		size_t taken; /* 0: refused */
		uint64_t value;
	} rows[] = {
		{ "one digit", "7", 1, 7 },
		{ "up to the end", "1234", 4, 1234 },
		{ "up to what is no digit", "12:34", 2, 12 },
		{ "nought", "0", 1, 0 },
		{ "leading noughts", "0012 ", 4, 12 },
		{ "the greatest", "18446744073709551615", 20, UINT64_MAX },
		{ "the greatest with noughts before it", "00018446744073709551615", 23,
			UINT64_MAX },
		{ "one more", "18446744073709551616", 0, 0 },
		{ "ten times as much", "184467440737095516150", 0, 0 },
		{ "nothing", "", 0, 0 },
		{ "a sign", "-1", 0, 0 },
		{ "a plus", "+1", 0, 0 },
		{ "a blank", " 1", 0, 0 },
		{ "the character before 0", "/", 0, 0 },
		{ "the character after 9", ":", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *p = rows[i].text, *end = p + strlen(p);
		uint64_t value = 77;

		if (bg_decimal_take(&p, end, &value) != (rows[i].taken > 0) ||
			p != rows[i].text + rows[i].taken ||
			value != (rows[i].taken > 0 ? rows[i].value : 77))
			fail_msg("%s", rows[i].name);
	}
}

static void bytes_decimal_reads_nothing_behind_the_end(void **state)
{
	static const char text[] = "123456";
	const char *p = text;
	uint64_t value = 77;

	(void)state;
	assert_true(bg_decimal_take(&p, text + 3, &value));
	assert_int_equal(value, 123);
	assert_ptr_equal(p, text + 3);
	assert_false(bg_decimal_take(&p, text + 3, &value));
	assert_int_equal(value, 123);
}

static void bytes_short_id_is_the_first_20_bits(void **state)
{
	char text[BG_SHORT_ID_LEN + 1];

	(void)state;
	bg_short_id((const uint8_t[]){ 0x00, 0x44, 0x3f }, text);
	assert_string_equal(text, "0123");
	bg_short_id((const uint8_t[]){ 0xff, 0xff, 0xf0 }, text);
	assert_string_equal(text, "ZZZZ");
	bg_short_id((const uint8_t[]){ 0x3a, 0x5b, 0xcf }, text);
	assert_string_equal(text, "79DW");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_view_reads_and_remembers_the_end),
		cmocka_unit_test(bytes_writer_never_overruns),
		cmocka_unit_test(bytes_hex_goes_there_and_back_and_refuses_the_rest),
		cmocka_unit_test(bytes_decimal_takes_what_fits_and_moves_behind_it),
		cmocka_unit_test(bytes_decimal_reads_nothing_behind_the_end),
		cmocka_unit_test(bytes_short_id_is_the_first_20_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

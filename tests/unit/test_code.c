/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/code.h>
#include <ctype.h>

static struct bg_compact compact(size_t len, uint8_t index)
{
	struct bg_compact share = { .member_index = index, .value = { .len = len } };

	for (size_t i = 0; i < len; i++)
		share.value.bytes[i] = (uint8_t)(i * 17 + index);
	return share;
}

static void code_compact_is_pinned(void **state)
{
	struct bg_compact share = { .member_index = 2, .value = { .len = 16 } };
	char text[BG_COMPACT_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < 16; i++)
		share.value.bytes[i] = (uint8_t)i;
	assert_int_equal(bg_compact_encode(&share, text), BG_OK);
	assert_string_equal(text, "bdcccbcdcecfcgchcicjckclcncrctcucvlegr");
	assert_int_equal(strlen(text), BG_COMPACT_CHARS_128);
}

/* The CRC written out, bit by bit: 0x8408 reflected, from 0xffff (libyubikey's). */
static uint16_t crc(const uint8_t *p, size_t len)
{
	unsigned int sum = 0xffff;

	for (size_t i = 0; i < len * 8; i++) {
		unsigned int bit = (sum ^ p[i / 8] >> i % 8) & 1;

		sum = sum >> 1 ^ (bit ? 0x8408 : 0);
	}
	return (uint16_t)sum;
}

static uint8_t nibble(char c)
{
	return (uint8_t)(strchr("cbdefghijklnrtuv", c) - "cbdefghijklnrtuv");
}

static size_t from_modhex(const char *text, uint8_t *ret)
{
	size_t n = 0;

	for (; *text; text++) {
		if (isspace((unsigned char)*text))
			continue;
		ret[n / 2] = (uint8_t)(n % 2 ? ret[n / 2] | nibble(*text) : nibble(*text) << 4);
		n++;
	}
	return n / 2;
}

static void to_modhex(const uint8_t *p, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++) {
		*ret++ = "cbdefghijklnrtuv"[p[i] >> 4];
		*ret++ = "cbdefghijklnrtuv"[p[i] & 15];
	}
	*ret = '\0';
}

static void code_crc_is_the_residue(void **state)
{
	char text[BG_COMPACT_TEXT_LEN];
	uint8_t raw[40];

	(void)state;
	for (size_t len = 16; len <= 32; len += 16) {
		struct bg_compact share = compact(len, 9);
		size_t n;

		assert_int_equal(bg_compact_encode(&share, text), BG_OK);
		n = from_modhex(text, raw);
		assert_int_equal(n, len + 3);
		assert_int_equal(crc(raw, n), 0xf0b8);
		assert_int_equal(raw[0], (len == 16 ? 0x10 : 0x20) | 9);
	}
}

static void code_compact_goes_there_and_back_in_any_case(void **state)
{
	(void)state;
	for (size_t len = 16; len <= 32; len += 16) {
		for (uint8_t index = 0; index < 16; index++) {
			struct bg_compact share = compact(len, index), back;
			char text[BG_COMPACT_TEXT_LEN];

			assert_int_equal(bg_compact_encode(&share, text), BG_OK);
			assert_int_equal(bg_compact_decode(text, strlen(text), &back), BG_OK);
			assert_int_equal(back.member_index, index);
			assert_int_equal(back.value.len, len);
			assert_memory_equal(back.value.bytes, share.value.bytes, len);
			for (size_t i = 0; text[i]; i += 2)
				text[i] = (char)toupper(text[i]);
			assert_int_equal(bg_compact_decode(text, strlen(text), &back), BG_OK);
			assert_int_equal(back.member_index, index);
			assert_int_equal(back.value.len, len);
			assert_memory_equal(back.value.bytes, share.value.bytes, len);
		}
	}
}

static void code_S10_every_changed_character_and_truncation_is_refused(void **state)
{
	static const char alphabet[] = "cbdefghijklnrtuv";

	(void)state;
	for (size_t len = 16; len <= 32; len += 16) {
		struct bg_compact share = compact(len, 3), back = { .member_index = 99 };
		char text[BG_COMPACT_TEXT_LEN], tried[2 * BG_COMPACT_TEXT_LEN] = { 0 };

		assert_int_equal(bg_compact_encode(&share, text), BG_OK);
		for (size_t at = 0; text[at]; at++) {
			for (size_t c = 0; c < 16; c++) {
				memcpy(tried, text, sizeof(text));
				tried[at] = alphabet[c];
				if (tried[at] != text[at])
					assert_int_equal(
						bg_compact_decode(tried, strlen(text), &back),
						BG_ERR_CHECKSUM);
			}
			for (unsigned int c = 0; c < 256; c++) {
				memcpy(tried, text, sizeof(text));
				tried[at] = (char)c;
				if (!c || !strchr(alphabet, tolower((int)c)))
					assert_int_equal(
						bg_compact_decode(tried, strlen(text), &back),
						BG_ERR_SYNTAX);
			}
		}
		for (size_t n = 0; n < 100; n++)
			if (n != 38 && n != 70)
				assert_int_equal(bg_compact_decode(tried, n, &back), BG_ERR_RANGE);
		assert_int_equal(back.member_index, 99);
	}
}

static void code_compact_of_another_type_is_the_wrong_kind(void **state)
{
	struct bg_compact back;

	(void)state;
	for (unsigned int type = 0; type < 16; type++) {
		uint8_t raw[35] = { (uint8_t)(type << 4) };
		char text[71];
		uint16_t sum = (uint16_t)~crc(raw, 17);

		raw[17] = (uint8_t)sum;
		raw[18] = (uint8_t)(sum >> 8);
		to_modhex(raw, 19, text);
		assert_int_equal(
			bg_compact_decode(text, 38, &back), type == 1 ? BG_OK : BG_ERR_WRONG_KIND);
	}
}

static void code_compact_encode_refuses_what_does_not_fit(void **state)
{
	struct bg_compact share = compact(16, 16);
	char text[BG_COMPACT_TEXT_LEN];

	(void)state;
	assert_int_equal(bg_compact_encode(&share, text), BG_ERR_RANGE);
	share = compact(24, 0);
	assert_int_equal(bg_compact_encode(&share, text), BG_ERR_RANGE);
	share.value.len = 0;
	assert_int_equal(bg_compact_encode(&share, text), BG_ERR_RANGE);
}

static void code_modhex_letters(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 256; c++)
		assert_int_equal(bg_is_modhex((char)c),
			c && c < 128 && strchr("cbdefghijklnrtuv", tolower((int)c)) != NULL);
}

static void code_kinds_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < BG_CODE_KIND_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(bg_code_kind_text((enum bg_code_kind)i),
				bg_code_kind_text((enum bg_code_kind)j));
	assert_string_equal(bg_code_kind_text(BG_CODE_KIND_COUNT), "an unknown code");
}

/* Takes the n lines of text apart, of `chars` characters each without the LF. */
static size_t split_lines(const char *text, size_t chars, struct bg_code_line *ret)
{
	size_t n = 0;

	for (; *text; text += chars + 1) {
		char line[BG_CODE_LINE_CHARS];
		size_t len = 0;

		assert_int_equal(text[chars], '\n');
		for (size_t i = 0; i < chars; i++)
			if (text[i] != ' ')
				line[len++] = text[i];
		assert_int_equal(bg_code_line_decode(line, len, &ret[n]), BG_OK);
		n++;
	}
	return n;
}

static void code_every_length_goes_there_and_back_in_any_order(void **state)
{
	static char text[BG_CODE_TEXT_LEN], plain[BG_CODE_TEXT_LEN];
	uint8_t body[BG_CODE_MAX_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + 1);
	for (size_t len = 1; len <= BG_CODE_MAX_LEN; len++) {
		struct bg_code_line lines[BG_CODE_MAX_LINES], again[BG_CODE_MAX_LINES];
		struct bg_code code = { 0 };
		const uint8_t *got = NULL;
		size_t got_len = 0, n;

		assert_int_equal(
			bg_code_encode(BG_CODE_APPROVAL, body, len, text, sizeof(text)), BG_OK);
		assert_int_equal(
			bg_code_encode_plain(BG_CODE_APPROVAL, body, len, plain, sizeof(plain)),
			BG_OK);
		n = split_lines(text, 39, lines);
		assert_int_equal(n, (len + 2 + 12) / 13);
		assert_int_equal(split_lines(plain, 32, again), n);
		for (size_t i = 0; i < n; i++) {
			/* the odd ones backwards, then the even ones */
			size_t odd = n / 2, at = i < odd ? 2 * (odd - i) - 1 : 2 * (i - odd);

			assert_int_equal(lines[i].number, i);
			assert_int_equal(again[i].number, i);
			assert_memory_equal(lines[i].body, again[i].body, BG_CODE_LINE_BODY_LEN);
			assert_false(bg_code_is_whole(&code, &got, &got_len));
			assert_int_equal(bg_code_add(&code, &lines[at]), BG_OK);
			assert_int_equal(bg_code_add(&code, &lines[at]), BG_OK);
		}
		assert_true(bg_code_is_whole(&code, &got, &got_len));
		assert_int_equal(got_len, len);
		assert_memory_equal(got, body, len);
		assert_int_equal(code.kind, BG_CODE_APPROVAL);
	}
}

static void code_encode_refuses_what_does_not_fit(void **state)
{
	static char text[BG_CODE_TEXT_LEN];
	uint8_t body[BG_CODE_MAX_LEN + 1] = { 0 };

	(void)state;
	assert_int_equal(
		bg_code_encode(BG_CODE_APPROVAL, body, 0, text, sizeof(text)), BG_ERR_RANGE);
	assert_int_equal(bg_code_encode(BG_CODE_APPROVAL, body, sizeof(body), text, sizeof(text)),
		BG_ERR_RANGE);
	assert_int_equal(
		bg_code_encode(BG_CODE_KIND_COUNT, body, 1, text, sizeof(text)), BG_ERR_RANGE);
	assert_int_equal(bg_code_encode(BG_CODE_APPROVAL, body, 1, text, 40), BG_ERR_TOO_BIG);
	assert_int_equal(bg_code_encode(BG_CODE_APPROVAL, body, 1, text, 41), BG_OK);
	assert_int_equal(bg_code_encode_plain(BG_CODE_APPROVAL, body, 1, text, 33), BG_ERR_TOO_BIG);
	assert_int_equal(bg_code_encode_plain(BG_CODE_APPROVAL, body, 1, text, 34), BG_OK);
}

static void code_line_with_any_bit_flipped_or_cut_is_refused(void **state)
{
	struct bg_code_line line = { .number = 99 };
	char text[BG_CODE_TEXT_LEN];
	uint8_t raw[16];

	(void)state;
	assert_int_equal(
		bg_code_encode_plain(BG_CODE_RESPONSE, (const uint8_t *)"x", 1, text, sizeof(text)),
		BG_OK);
	assert_int_equal(from_modhex(text, raw), 16);
	for (size_t bit = 0; bit < 128; bit++) {
		raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
		to_modhex(raw, 16, text);
		assert_int_equal(bg_code_line_decode(text, 32, &line), BG_ERR_CHECKSUM);
		raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	to_modhex(raw, 16, text);
	for (size_t len = 0; len < 64; len++)
		if (len != 32)
			assert_int_equal(bg_code_line_decode(text, len, &line), BG_ERR_RANGE);
	text[31] = 'x';
	assert_int_equal(bg_code_line_decode(text, 32, &line), BG_ERR_SYNTAX);
	assert_int_equal(line.number, 99);
	for (unsigned int kind = 6; kind < 8; kind++) {
		uint16_t sum;

		raw[0] = (uint8_t)(kind << 5);
		sum = (uint16_t)~crc(raw, 14);
		raw[14] = (uint8_t)sum;
		raw[15] = (uint8_t)(sum >> 8);
		to_modhex(raw, 16, text);
		assert_int_equal(bg_code_line_decode(text, 32, &line), BG_ERR_WRONG_KIND);
	}
}

static void code_add_names_what_is_wrong_and_keeps_the_rest(void **state)
{
	struct bg_code code = { 0 }, before;
	struct bg_code_line first = { BG_CODE_APPROVAL, 0, { 0, 20, 1 } };
	struct bg_code_line second = { BG_CODE_APPROVAL, 1, { 5 } };
	struct bg_code_line bad;

	(void)state;
	assert_int_equal(bg_code_missing(&code), 0);
	assert_int_equal(bg_code_add(&code, &second), BG_OK);
	assert_int_equal(bg_code_missing(&code), 0);
	assert_int_equal(bg_code_add(&code, &first), BG_OK);
	before = code;
	bad = first;
	bad.kind = BG_CODE_RESPONSE;
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_WRONG_KIND);
	bad = second;
	bad.body[12] = 1;
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_DUPLICATE);
	bad = (struct bg_code_line){ BG_CODE_APPROVAL, 2, { 0 } };
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_RANGE); /* 22 bytes are two lines */
	bad.number = 32;
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_RANGE);
	bad.number = 255;
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_RANGE);
	assert_memory_equal(&code, &before, sizeof(code));
	code = (struct bg_code){ 0 };
	bad = second;
	bad.body[9] = 1; /* the 23rd byte of 22 */
	assert_int_equal(bg_code_add(&code, &bad), BG_OK);
	assert_int_equal(bg_code_add(&code, &first), BG_ERR_RANGE);
	code = (struct bg_code){ 0 };
	bad = first;
	bad.body[1] = 0; /* an empty code */
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_RANGE);
	bad.body[0] = 1;
	bad.body[1] = 0x9f; /* 415 bytes, one more than 32 lines hold */
	assert_int_equal(bg_code_add(&code, &bad), BG_ERR_RANGE);
	bad.body[1] = 0x9e;
	assert_int_equal(bg_code_add(&code, &bad), BG_OK);
	assert_int_equal(bg_code_missing(&code), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_compact_is_pinned),
		cmocka_unit_test(code_crc_is_the_residue),
		cmocka_unit_test(code_compact_goes_there_and_back_in_any_case),
		cmocka_unit_test(code_S10_every_changed_character_and_truncation_is_refused),
		cmocka_unit_test(code_compact_of_another_type_is_the_wrong_kind),
		cmocka_unit_test(code_compact_encode_refuses_what_does_not_fit),
		cmocka_unit_test(code_modhex_letters),
		cmocka_unit_test(code_kinds_have_names),
		cmocka_unit_test(code_every_length_goes_there_and_back_in_any_order),
		cmocka_unit_test(code_encode_refuses_what_does_not_fit),
		cmocka_unit_test(code_line_with_any_bit_flipped_or_cut_is_refused),
		cmocka_unit_test(code_add_names_what_is_wrong_and_keeps_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

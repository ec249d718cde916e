/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/code.h>

#include <yubikey.h>

#include "msan.h"

#define TYPE_128      0x10
#define TYPE_256      0x20
#define CRC_LEN	      2
#define LINE_LEN      (1 + BG_CODE_LINE_BODY_LEN + CRC_LEN)
#define TOTAL_LEN     2 /* the length that line 0 begins with */
#define GROUP_CHARS   4
#define BYTES_MAX_LEN (BG_COMPACT_CHARS_256 / 2)

_Static_assert(LINE_LEN * 2 == BG_CODE_LINE_CHARS, "a line is 16 bytes");

struct chars {
	char text[2 * BYTES_MAX_LEN + 1];
};

static void chars_wipe(struct chars *chars)
{
	explicit_bzero(chars, sizeof(*chars));
}

struct raw {
	uint8_t bytes[BYTES_MAX_LEN];
};

static void raw_wipe(struct raw *raw)
{
	explicit_bzero(raw, sizeof(*raw));
}

const char *bg_code_kind_text(enum bg_code_kind kind)
{
	static const char *const texts[BG_CODE_KIND_COUNT] = {
		[BG_CODE_TOUCH_CHALLENGE] = "a touch challenge",
		[BG_CODE_TOUCH_ANSWER] = "a touch answer",
		[BG_CODE_REQUEST_CHALLENGE] = "a request challenge",
		[BG_CODE_APPROVAL] = "an approval",
		[BG_CODE_RESPONSE] = "a response",
		[BG_CODE_REFUSAL] = "a refusal",
	};

	return (unsigned int)kind < BG_CODE_KIND_COUNT ? texts[kind] : "an unknown code";
}

/* libyubikey reads whatever is not modhex as zero, so it is checked first: BG_ERR_SYNTAX. Of
   2 * len characters. */
static enum bg_err modhex_decode(const char *text, uint8_t *ret, size_t len)
{
	BG_WIPE(chars_wipe) struct chars lower = { 0 };

	if (len > BYTES_MAX_LEN)
		return BG_ERR_RANGE;
	for (size_t i = 0; i < 2 * len; i++) {
		if (!bg_is_modhex(text[i]))
			return BG_ERR_SYNTAX;
		lower.text[i] = (char)(text[i] | 0x20);
	}
	yubikey_modhex_decode((char *)ret, lower.text, len);
	bg_foreign_output(ret, len);
	return BG_OK;
}

bool bg_is_modhex(char c)
{
	unsigned int letter = ((unsigned char)c | 0x20U) - 'a';
	/* bit n: the alphabet's letter n is one of bcdefghijklnrtuv */
	const uint32_t alphabet = 0x003a2ffe;

	return letter < 26 && alphabet >> letter & 1;
}

/* text: 2 * len + 1 bytes. */
static void modhex_encode(const uint8_t *p, size_t len, char *text)
{
	yubikey_modhex_encode(text, (const char *)p, len);
	bg_foreign_output(text, 2 * len + 1);
}

/* Appends the complement of the CRC, low byte first: that of the whole is then the residue. */
static void crc_append(uint8_t *p, size_t len)
{
	uint16_t crc = (uint16_t)~yubikey_crc16(p, len);

	p[len] = (uint8_t)crc;
	p[len + 1] = (uint8_t)(crc >> 8);
}

void bg_compact_wipe(struct bg_compact *share)
{
	explicit_bzero(share, sizeof(*share));
}

enum bg_err bg_compact_encode(const struct bg_compact *share, char ret[static BG_COMPACT_TEXT_LEN])
{
	BG_WIPE(raw_wipe) struct raw raw = { 0 };
	size_t len = share->value.len;

	if (share->member_index > 15 || (len != 16 && len != 32))
		return BG_ERR_RANGE;
	raw.bytes[0] = (uint8_t)((len == 16 ? TYPE_128 : TYPE_256) | share->member_index);
	memcpy(raw.bytes + 1, share->value.bytes, len);
	crc_append(raw.bytes, 1 + len);
	modhex_encode(raw.bytes, 1 + len + CRC_LEN, ret);
	return BG_OK;
}

enum bg_err bg_compact_decode(const char *text, size_t len, struct bg_compact *ret)
{
	BG_WIPE(raw_wipe) struct raw raw = { 0 };
	size_t value_len = len / 2 - 1 - CRC_LEN;
	enum bg_err err;

	if (len != BG_COMPACT_CHARS_128 && len != BG_COMPACT_CHARS_256)
		return BG_ERR_RANGE;
	err = modhex_decode(text, raw.bytes, len / 2);
	if (err)
		return err;
	if (yubikey_crc16(raw.bytes, len / 2) != YUBIKEY_CRC_OK_RESIDUE)
		return BG_ERR_CHECKSUM;
	if ((raw.bytes[0] & 0xf0) != (value_len == 16 ? TYPE_128 : TYPE_256))
		return BG_ERR_WRONG_KIND;
	bg_compact_wipe(ret);
	ret->member_index = raw.bytes[0] & 15;
	memcpy(ret->value.bytes, raw.bytes + 1, value_len);
	ret->value.len = value_len;
	return BG_OK;
}

enum bg_err bg_code_line_decode(const char *text, size_t len, struct bg_code_line *ret)
{
	BG_WIPE(raw_wipe)
	struct raw raw = { 0 }; /* what looks like a line may be a share's start */
	enum bg_err err;

	if (len != BG_CODE_LINE_CHARS)
		return BG_ERR_RANGE;
	err = modhex_decode(text, raw.bytes, LINE_LEN);
	if (err)
		return err;
	if (yubikey_crc16(raw.bytes, LINE_LEN) != YUBIKEY_CRC_OK_RESIDUE)
		return BG_ERR_CHECKSUM;
	if (raw.bytes[0] >> 5 >= BG_CODE_KIND_COUNT)
		return BG_ERR_WRONG_KIND;
	ret->kind = (enum bg_code_kind)(raw.bytes[0] >> 5);
	ret->number = raw.bytes[0] & 31;
	memcpy(ret->body, raw.bytes + 1, BG_CODE_LINE_BODY_LEN);
	return BG_OK;
}

static bool has_line(const struct bg_code *code, unsigned int number)
{
	return code->have >> number & 1;
}

/* Bytes of the body with its length before it; 0 while line 0 is missing. */
static size_t total_len(const struct bg_code *code)
{
	if (!has_line(code, 0))
		return 0;
	return TOTAL_LEN + ((size_t)code->body[0] << 8 | code->body[1]);
}

static unsigned int lines_of(size_t total)
{
	return (unsigned int)((total + BG_CODE_LINE_BODY_LEN - 1) / BG_CODE_LINE_BODY_LEN);
}

/* No line beyond the length that line 0 tells, and zeroes after the last byte: one text a code. */
static bool is_consistent(const struct bg_code *code)
{
	size_t total = total_len(code);
	unsigned int lines = lines_of(total);

	if (!has_line(code, 0))
		return true;
	if (total <= TOTAL_LEN || total > TOTAL_LEN + BG_CODE_MAX_LEN)
		return false;
	if (lines < BG_CODE_MAX_LINES && code->have >> lines)
		return false;
	if (!has_line(code, lines - 1))
		return true;
	for (size_t i = total; i < (size_t)lines * BG_CODE_LINE_BODY_LEN; i++)
		if (code->body[i])
			return false;
	return true;
}

enum bg_err bg_code_add(struct bg_code *code, const struct bg_code_line *line)
{
	struct bg_code more = *code;
	uint8_t *body;

	if (line->number >= BG_CODE_MAX_LINES)
		return BG_ERR_RANGE;
	body = more.body + (size_t)line->number * BG_CODE_LINE_BODY_LEN;
	if (code->is_begun && line->kind != code->kind)
		return BG_ERR_WRONG_KIND;
	if (has_line(code, line->number))
		return memcmp(body, line->body, BG_CODE_LINE_BODY_LEN) ? BG_ERR_DUPLICATE : BG_OK;
	more.is_begun = true;
	more.kind = line->kind;
	more.have |= UINT32_C(1) << line->number;
	memcpy(body, line->body, BG_CODE_LINE_BODY_LEN);
	if (!is_consistent(&more))
		return BG_ERR_RANGE;
	*code = more;
	return BG_OK;
}

bool bg_code_is_whole(const struct bg_code *code, const uint8_t **ret, size_t *ret_len)
{
	unsigned int lines = lines_of(total_len(code));

	if (!lines || bg_code_missing(code) < lines)
		return false;
	*ret = code->body + TOTAL_LEN;
	*ret_len = total_len(code) - TOTAL_LEN;
	return true;
}

unsigned int bg_code_missing(const struct bg_code *code)
{
	unsigned int number = 0;

	while (number < BG_CODE_MAX_LINES && has_line(code, number))
		number++;
	return number;
}

/* Characters a line with its LF, grouped or not. */
static size_t line_chars(bool is_grouped)
{
	return BG_CODE_LINE_CHARS + 1 + (is_grouped ? BG_CODE_LINE_CHARS / GROUP_CHARS - 1 : 0);
}

/* One line of line_chars characters. */
static void put_line(const uint8_t raw[static LINE_LEN], bool is_grouped, char *ret)
{
	char text[BG_CODE_LINE_CHARS + 1];

	modhex_encode(raw, LINE_LEN, text);
	for (size_t i = 0; i < BG_CODE_LINE_CHARS; i++) {
		if (is_grouped && i && i % GROUP_CHARS == 0)
			*ret++ = ' ';
		*ret++ = text[i];
	}
	*ret = '\n';
}

static enum bg_err encode(enum bg_code_kind kind, const uint8_t *body, size_t len, bool is_grouped,
	char *ret, size_t ret_len)
{
	uint8_t all[BG_CODE_MAX_LINES * BG_CODE_LINE_BODY_LEN] = { (uint8_t)(len >> 8),
		(uint8_t)len };
	unsigned int lines = lines_of(len + TOTAL_LEN);

	if ((unsigned int)kind >= BG_CODE_KIND_COUNT || !len || len > BG_CODE_MAX_LEN)
		return BG_ERR_RANGE;
	if (ret_len < lines * line_chars(is_grouped) + 1)
		return BG_ERR_TOO_BIG;
	memcpy(all + TOTAL_LEN, body, len);
	for (unsigned int n = 0; n < lines; n++) {
		uint8_t raw[LINE_LEN] = { (uint8_t)(kind << 5 | n) };

		memcpy(raw + 1, all + (size_t)n * BG_CODE_LINE_BODY_LEN, BG_CODE_LINE_BODY_LEN);
		crc_append(raw, LINE_LEN - CRC_LEN);
		put_line(raw, is_grouped, ret + n * line_chars(is_grouped));
	}
	ret[lines * line_chars(is_grouped)] = '\0';
	return BG_OK;
}

enum bg_err bg_code_encode(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char *ret, size_t ret_len)
{
	return encode(kind, body, len, true, ret, ret_len);
}

enum bg_err bg_code_encode_plain(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char *ret, size_t ret_len)
{
	return encode(kind, body, len, false, ret, ret_len);
}

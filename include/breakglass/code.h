/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people type and paste besides words: modhex (a YubiKey's alphabet, right
 * on any keyboard layout), through libyubikey.
 *
 * A compact share is one piece: type 0x1 (128 bit) or 0x2 (256 bit) and member
 * index, four bits each; the value; CRC-16 (yubikey_crc16, stored so that the
 * CRC of the whole is YUBIKEY_CRC_OK_RESIDUE): 19 or 35 bytes, 38 or 70 characters.
 *
 * Any other code is lines of 16 bytes, 32 characters: header (kind 3 bits, line
 * number 5), 13 bytes of body, CRC-16. Line 0's body begins with the total body
 * length in bytes (2, big endian; counted without these two).
 */
#ifndef BREAKGLASS_CODE_H
#define BREAKGLASS_CODE_H

#include <breakglass/err.h>
#include <breakglass/secret.h>
#include <stdbool.h>

#define BG_COMPACT_CHARS_128  38
#define BG_COMPACT_CHARS_256  70
#define BG_COMPACT_TEXT_LEN   71 /* with NUL */
#define BG_CODE_LINE_CHARS    32
#define BG_CODE_LINE_BODY_LEN 13
#define BG_CODE_MAX_LINES     32
#define BG_CODE_MAX_LEN	      (BG_CODE_MAX_LINES * BG_CODE_LINE_BODY_LEN - 2)

struct bg_compact {
	uint8_t member_index;	/* 0 to 15 */
	struct bg_secret value; /* 16 or 32 bytes */
};

enum bg_code_kind {
	BG_CODE_TOUCH_CHALLENGE,
	BG_CODE_TOUCH_ANSWER,
	BG_CODE_REQUEST_CHALLENGE,
	BG_CODE_APPROVAL,
	BG_CODE_RESPONSE,
	BG_CODE_REFUSAL,
	BG_CODE_KIND_COUNT
};

/* Room for the longest code as bg_code_encode writes it: 40 characters a line, NUL. */
#define BG_CODE_TEXT_LEN (BG_CODE_MAX_LINES * 40 + 1)

/* For people: "a request challenge", "an approval", ... */
const char *bg_code_kind_text(enum bg_code_kind kind);

/* Whether c is one of cbdefghijklnrtuv, in either case; no branch or index depends on c. */
bool bg_is_modhex(char c);

void bg_compact_wipe(struct bg_compact *share);
/* The 38 or 70 characters, terminated; as secret as the share. BG_ERR_RANGE (its numbers). */
BG_CHECKED enum bg_err bg_compact_encode(
	const struct bg_compact *share, char ret[static BG_COMPACT_TEXT_LEN]);
/* text: 38 or 70 modhex characters in any case, blanks already removed.
   BG_ERR_RANGE (length), BG_ERR_SYNTAX (a character), BG_ERR_CHECKSUM, BG_ERR_WRONG_KIND (type). */
BG_CHECKED enum bg_err bg_compact_decode(const char *text, size_t len, struct bg_compact *ret);

struct bg_code_line {
	enum bg_code_kind kind;
	uint8_t number; /* 0 to 31 */
	uint8_t body[BG_CODE_LINE_BODY_LEN];
};

/* One line of 32 characters. BG_ERR_RANGE, BG_ERR_SYNTAX, BG_ERR_CHECKSUM, BG_ERR_WRONG_KIND. */
BG_CHECKED enum bg_err bg_code_line_decode(const char *text, size_t len, struct bg_code_line *ret);

/* Gathers lines, in any order, until a code is whole. Zeroed: empty. */
struct bg_code {
	enum bg_code_kind kind;
	bool is_begun;
	uint32_t have; /* bit a line number */
	uint8_t body[BG_CODE_MAX_LINES * BG_CODE_LINE_BODY_LEN];
};

/* Adds a line. BG_ERR_WRONG_KIND: of another kind than the lines so far; BG_ERR_DUPLICATE: another
   line of that number with other content (the same again is fine); BG_ERR_RANGE: beyond the total
   length, or bytes after its end that are not zero. */
BG_CHECKED enum bg_err bg_code_add(struct bg_code *code, const struct bg_code_line *line);
/* True when all lines are there; then *ret_len and the returned pointer give the body. */
bool bg_code_is_whole(const struct bg_code *code, const uint8_t **ret, size_t *ret_len);
/* The number of the first line missing (0 while nothing is known). */
unsigned int bg_code_missing(const struct bg_code *code);

/* Writes body (1 to BG_CODE_MAX_LEN bytes) as lines, 8 groups of 4 characters each and LF after
   each line, terminated. ret_len: size of ret; BG_CODE_TEXT_LEN always suffices.
   BG_ERR_RANGE (kind, len), BG_ERR_TOO_BIG (ret_len). */
BG_CHECKED enum bg_err bg_code_encode(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char *ret, size_t ret_len);
/* The same, ungrouped lines (for pasting and QR). */
BG_CHECKED enum bg_err bg_code_encode_plain(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char *ret, size_t ret_len);

#endif

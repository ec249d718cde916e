/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded view to read from and a bounded buffer to write to. Both remember
 * an overrun instead of making it, so that a caller may check once at the end.
 */
#ifndef BREAKGLASS_BYTES_H
#define BREAKGLASS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bg_view {
	const uint8_t *p;
	size_t len;    /* bytes left */
	bool is_short; /* something was read beyond the end */
};

struct bg_writer {
	uint8_t *p;
	size_t cap, len; /* bytes */
	bool is_full;	 /* something did not fit; nothing of it was written */
};

/* Reads move the view on; beyond the end they set is_short and give zeroes or NULL. */
uint8_t bg_view_u8(struct bg_view *v);
uint16_t bg_view_u16(struct bg_view *v); /* big endian, like all integers here */
uint32_t bg_view_u32(struct bg_view *v);
uint64_t bg_view_u64(struct bg_view *v);
/* The next len bytes, where they stand; NULL beyond the end. */
const uint8_t *bg_view_take(struct bg_view *v, size_t len);
/* The same, copied to ret; false, and nothing is written: beyond the end. */
bool bg_view_copy(struct bg_view *v, void *ret, size_t len);

/* Writes append, integers big endian; what does not fit is not begun, and sets is_full. */
void bg_put_u8(struct bg_writer *w, uint8_t v);
void bg_put_u16(struct bg_writer *w, uint16_t v);
void bg_put_u32(struct bg_writer *w, uint32_t v);
void bg_put_u64(struct bg_writer *w, uint64_t v);
void bg_put(struct bg_writer *w, const void *p, size_t len);

/* Lower-case hex of len bytes, terminated: out needs 2 * len + 1 bytes. */
void bg_hex_encode(const uint8_t *p, size_t len, char *out);
/* Exactly 2 * len lower-case hex digits at text (text_len of them); false: anything else. */
bool bg_hex_decode(const char *text, size_t text_len, uint8_t *ret, size_t len);

/* The decimal number that begins at *p, up to end or to what is no digit: *p is moved behind it.
   False, and nothing is moved or written: there is none, or it does not fit. Leading noughts are
   taken; who wants one spelling a number looks at the first digit. */
bool bg_decimal_take(const char **p, const char *end, uint64_t *ret);

/* The first 20 bits of id in Crockford base32 (4 characters, upper case), terminated. */
#define BG_SHORT_ID_LEN 4
void bg_short_id(const uint8_t id[static 3], char ret[static BG_SHORT_ID_LEN + 1]);

#endif

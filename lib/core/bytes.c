/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/bytes.h>

#include <string.h>

const uint8_t *bg_view_take(struct bg_view *v, size_t len)
{
	const uint8_t *p = v->p;

	if (v->is_short || len > v->len) {
		v->is_short = true;
		return NULL;
	}
	if (len) {
		v->p += len;
		v->len -= len;
	}
	return p;
}

bool bg_view_copy(struct bg_view *v, void *ret, size_t len)
{
	const uint8_t *p = bg_view_take(v, len);

	if (p && len)
		memcpy(ret, p, len);
	return p != NULL;
}

static uint64_t view_uint(struct bg_view *v, size_t len)
{
	const uint8_t *p = bg_view_take(v, len);
	uint64_t n = 0;

	for (size_t i = 0; p && i < len; i++)
		n = n << 8 | p[i];
	return n;
}

uint8_t bg_view_u8(struct bg_view *v)
{
	return (uint8_t)view_uint(v, 1);
}

uint16_t bg_view_u16(struct bg_view *v)
{
	return (uint16_t)view_uint(v, 2);
}

uint32_t bg_view_u32(struct bg_view *v)
{
	return (uint32_t)view_uint(v, 4);
}

uint64_t bg_view_u64(struct bg_view *v)
{
	return view_uint(v, 8);
}

void bg_put(struct bg_writer *w, const void *p, size_t len)
{
	if (w->is_full || w->len > w->cap || len > w->cap - w->len) {
		w->is_full = true;
		return;
	}
	if (len)
		memcpy(w->p + w->len, p, len);
	w->len += len;
}

static void put_uint(struct bg_writer *w, uint64_t v, size_t len)
{
	uint8_t b[8];

	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(v >> 8 * (len - 1 - i));
	bg_put(w, b, len);
}

void bg_put_u8(struct bg_writer *w, uint8_t v)
{
	put_uint(w, v, 1);
}

void bg_put_u16(struct bg_writer *w, uint16_t v)
{
	put_uint(w, v, 2);
}

void bg_put_u32(struct bg_writer *w, uint32_t v)
{
	put_uint(w, v, 4);
}

void bg_put_u64(struct bg_writer *w, uint64_t v)
{
	put_uint(w, v, 8);
}

/* '0' to '9', 'a' to 'f' without a table: what is shown may be a secret. */
static char hex_digit(unsigned int nibble)
{
	unsigned int is_letter = (9 - nibble) >> 31;

	return (char)('0' + nibble + is_letter * ('a' - '0' - 10));
}

void bg_hex_encode(const uint8_t *p, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digit(p[i] >> 4);
		out[2 * i + 1] = hex_digit(p[i] & 15);
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool bg_hex_decode(const char *text, size_t text_len, uint8_t *ret, size_t len)
{
	if (text_len % 2 || text_len / 2 != len)
		return false;
	for (size_t i = 0; i < text_len; i++)
		if (hex_value(text[i]) < 0)
			return false;
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)((unsigned)hex_value(text[2 * i]) << 4 |
				   (unsigned)hex_value(text[2 * i + 1]));
	return true;
}

bool bg_decimal_take(const char **p, const char *end, uint64_t *ret)
{
	const char *at = *p;
	uint64_t number = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
			return false;
	if (at == *p)
		return false;
	*p = at;
	*ret = number;
	return true;
}

void bg_short_id(const uint8_t id[static 3], char ret[static BG_SHORT_ID_LEN + 1])
{
	static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint32_t bits = (uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2];

	for (unsigned int i = 0; i < BG_SHORT_ID_LEN; i++)
		ret[i] = crockford[bits >> (19 - 5 * i) & 31];
	ret[BG_SHORT_ID_LEN] = '\0';
}

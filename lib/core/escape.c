/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/escape.h>
#include <breakglass/utf8.h>

#include <string.h>

#define ELLIPSIS    "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

/* One character of foreign text: its bytes; is_valid as UTF-8; may it be shown? */
struct piece {
	const char *p;
	size_t len;
	uint32_t c; /* the code point, or the byte when it is not valid */
	bool is_valid, is_shown;
};

/* The next character of the len > 0 bytes at p. */
static struct piece next_piece(const char *p, size_t len)
{
	struct piece ret = { .p = p };

	ret.len = bg_utf8_next(p, len, &ret.c);
	ret.is_valid = ret.len != 0;
	if (!ret.is_valid) {
		ret.len = 1;
		ret.c = (uint8_t)p[0];
	}
	ret.is_shown = ret.is_valid && bg_utf8_is_printable(ret.c);
	return ret;
}

/* How much of text (at most max_len bytes, whole characters) is taken; *ret_cut: some is not. */
static size_t take_len(const char *text, size_t max_len, bool *ret_cut)
{
	/* up to three bytes more: the character at the limit is seen whole */
	size_t len = strnlen(text, max_len + 4), used = 0;

	while (used < len) {
		struct piece piece = next_piece(text + used, len - used);

		if (piece.len > max_len - used)
			break;
		used += piece.len;
	}
	*ret_cut = used < len;
	return used;
}

static void put_hex(struct bg_writer *w, const char *before, uint32_t v, unsigned int digits)
{
	static const char hex[] = "0123456789abcdef";
	char out[12];
	size_t len = strlen(before);

	memcpy(out, before, len);
	for (unsigned int i = 0; i < digits; i++)
		out[len + i] = hex[v >> 4 * (digits - 1 - i) & 15];
	bg_put(w, out, len + digits);
}

static void put_json_code(struct bg_writer *w, uint32_t c)
{
	if (c < 0x10000) {
		put_hex(w, "\\u", c, 4);
		return;
	}
	put_hex(w, "\\u", 0xd800 + ((c - 0x10000) >> 10), 4);
	put_hex(w, "\\u", 0xdc00 + ((c - 0x10000) & 0x3ff), 4);
}

static void put_json(struct bg_writer *w, const struct piece *piece)
{
	if (!piece->is_valid)
		bg_put(w, REPLACEMENT, 3);
	else if (piece->c == '\n')
		bg_put(w, "\\n", 2);
	else if (piece->c == '"' || piece->c == '\\') {
		bg_put_u8(w, '\\');
		bg_put_u8(w, (uint8_t)piece->c);
	} else if (piece->is_shown)
		bg_put(w, piece->p, piece->len);
	else
		put_json_code(w, piece->c);
}

void bg_escape_json(struct bg_writer *w, const char *text, size_t max_len)
{
	bool is_cut = false;
	size_t len = take_len(text, max_len, &is_cut);

	for (size_t used = 0; used < len;) {
		struct piece piece = next_piece(text + used, len - used);

		put_json(w, &piece);
		used += piece.len;
	}
	if (is_cut)
		bg_put(w, ELLIPSIS, 3);
}

static bool needs_quotes(const char *text, size_t len)
{
	for (size_t used = 0; used < len;) {
		struct piece piece = next_piece(text + used, len - used);

		if (!piece.is_shown || strchr(" \"\\='", (int)(piece.c < 0x80 ? piece.c : 'x')))
			return true;
		used += piece.len;
	}
	return len == 0;
}

static void put_kv(struct bg_writer *w, const struct piece *piece)
{
	if (!piece->is_shown) {
		for (size_t i = 0; i < piece->len; i++)
			put_hex(w, "\\x", (uint8_t)piece->p[i], 2);
		return;
	}
	if (piece->c == '"' || piece->c == '\\')
		bg_put_u8(w, '\\');
	bg_put(w, piece->p, piece->len);
}

void bg_escape_kv(struct bg_writer *w, const char *text, size_t max_len)
{
	bool is_cut = false;
	size_t len = take_len(text, max_len, &is_cut);
	bool is_quoted = needs_quotes(text, len) && !(len == 0 && is_cut);

	if (is_quoted)
		bg_put_u8(w, '"');
	for (size_t used = 0; used < len;) {
		struct piece piece = next_piece(text + used, len - used);

		put_kv(w, &piece);
		used += piece.len;
	}
	if (is_cut)
		bg_put(w, ELLIPSIS, 3);
	if (is_quoted)
		bg_put_u8(w, '"');
}

void bg_escape_terminal(char *ret, size_t size, const char *text)
{
	size_t used = 0;

	if (size == 0)
		return;
	for (size_t len = strnlen(text, size + 4); len > 0;) {
		struct piece piece = next_piece(text, len);
		size_t n = piece.is_shown ? piece.len : 1;

		if (n > size - 1 - used)
			break;
		memcpy(ret + used, piece.is_shown ? piece.p : "?", n);
		used += n;
		text += piece.len;
		len -= piece.len;
	}
	ret[used] = '\0';
}

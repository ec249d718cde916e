/* SPDX-License-Identifier: BSD-2-Clause */
/* The chain's lines read back. They are our own, so only what bg_event_json writes is understood.
 */
#include <breakglass/event.h>

#include <string.h>

/* Steps over text at *p; false: something else stands there. */
static bool skip(const char **p, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *p) < len || memcmp(*p, text, len) != 0)
		return false;
	*p += len;
	return true;
}

bool bg_event_line_pos(const char *line, size_t len, struct bg_chain_pos *ret)
{
	const char *p = line, *end = line + len;
	struct bg_chain_pos pos = { 0 };

	if (!skip(&p, end, "{\"schema\":1,\"seq\":") || !bg_decimal_take(&p, end, &pos.seq) ||
		!skip(&p, end, ",\"prev\":\"") || end - p < 2 * BG_SHA256_LEN ||
		!bg_hex_decode(p, 2 * sizeof(pos.prev), pos.prev, sizeof(pos.prev)))
		return false;
	p += 2 * BG_SHA256_LEN;
	if (!skip(&p, end, "\",") || end[-1] != '}')
		return false;
	*ret = pos;
	return true;
}

static uint32_t hex_code(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v = v << 4 | (uint32_t)(c >= 'a' ? c - 'a' + 10 : c - '0');
	}
	return v;
}

/* One character of a string at p (n bytes in the line): its bytes put to ret. Characters that the
   writer escaped as codes are not for showing: '?'. Returns how many bytes were read; 0: cut. */
static size_t unescape(const char *p, const char *end, struct bg_writer *ret)
{
	if (p[0] != '\\') {
		bg_put_u8(ret, (uint8_t)p[0]);
		return 1;
	}
	if (end - p < 2)
		return 0;
	if (p[1] != 'u') {
		bg_put_u8(ret, (uint8_t)(p[1] == 'n' ? '\n' : p[1]));
		return 2;
	}
	if (end - p < 6)
		return 0;
	/* the second half of a pair belongs to the character before */
	if ((hex_code(p + 2) & 0xfc00) != 0xdc00)
		bg_put_u8(ret, '?');
	return 6;
}

/* The end of the string whose first byte is p: its closing quote, or NULL. */
static const char *string_end(const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t)(end - p));

	/* most have nothing escaped, and a log has many */
	if (!quote || !memchr(p, '\\', (size_t)(quote - p)))
		return quote;
	for (; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p : NULL;
}

static bool copy_string(const char *p, const char *end, struct bg_writer *ret)
{
	while (p < end && !ret->is_full) {
		size_t n = unescape(p, end, ret);

		if (n == 0)
			return false;
		p += n;
	}
	return !ret->is_full;
}

/* The value at p: where it ends. Within a string's quotes, or the number. */
static const char *value_end(const char **p, const char *end)
{
	const char *last;

	if (*p < end && **p == '"') {
		(*p)++;
		return string_end(*p, end);
	}
	for (last = *p; last < end && *last != ',' && *last != '}'; last++)
		;
	return last < end ? last : NULL;
}

bool bg_event_line_field(const char *line, size_t len, const char *name, char *ret, size_t ret_size)
{
	const char *p = line, *end = line + len;
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = ret_size ? ret_size - 1 : 0 };
	size_t name_len = strlen(name);

	if (!ret_size)
		return false;
	ret[0] = '\0';
	while (p < end && (*p == '{' || *p == ',')) {
		const char *key = ++p, *last;

		if (p >= end || *p != '"' || !(last = string_end(++key, end)))
			return false;
		p = last + 1;
		if (!skip(&p, end, ":"))
			return false;
		bool is_it = (size_t)(last - key) == name_len && !memcmp(key, name, name_len);
		bool is_string = p < end && *p == '"';

		last = value_end(&p, end);
		if (!last)
			return false;
		if (is_it && copy_string(p, last, &w)) {
			ret[w.len] = '\0';
			return true;
		}
		p = last + is_string;
	}
	return false;
}

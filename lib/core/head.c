/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/bytes.h>
#include <breakglass/head.h>

#include <string.h>

#define HASH_CHARS (2 * BG_SHA256_LEN)

bool bg_head_read(const char *text, size_t len, struct bg_head *ret)
{
	struct bg_head head = { 0 };
	size_t digits = len > HASH_CHARS + 1 ? len - HASH_CHARS - 1 : 0;

	if (digits == 0 || text[0] == '0' || text[digits] != ':')
		return false;
	for (size_t i = 0; i < digits; i++)
		if (text[i] < '0' || text[i] > '9' ||
			__builtin_mul_overflow(head.seq, 10, &head.seq) ||
			__builtin_add_overflow(head.seq, (uint64_t)(text[i] - '0'), &head.seq))
			return false;
	if (!bg_hex_decode(text + digits + 1, HASH_CHARS, head.hash, sizeof(head.hash)))
		return false;
	*ret = head;
	return true;
}

bool bg_head_find(const char *line, size_t len, struct bg_head *ret)
{
	static const char mark[] = " chain=";
	const size_t mark_len = sizeof(mark) - 1;
	size_t start;

	while (len > 0 && strchr(" \t\r\n", line[len - 1]) && line[len - 1] != '\0')
		len--;
	/* the last word of the line */
	for (start = len; start > 0 && line[start - 1] != ' '; start--)
		;
	if (start == 0)
		return bg_head_read(line, len, ret);
	if (len - start <= mark_len - 1 || memcmp(line + start - 1, mark, mark_len) != 0)
		return false;
	start += mark_len - 1;
	return bg_head_read(line + start, len - start, ret);
}

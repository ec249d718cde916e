/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/bytes.h>
#include <breakglass/head.h>

#include <string.h>

bool bg_head_read(const char *text, size_t len, struct bg_head *ret)
{
	struct bg_head head = { 0 };
	const char *p = text, *end = text + len;

	if (len == 0 || text[0] == '0' || !bg_decimal_take(&p, end, &head.seq) || p == end ||
		*p++ != ':' || !bg_hex_decode(p, (size_t)(end - p), head.hash, sizeof(head.hash)))
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void bg_text_reset(struct bg_text *text)
{
	memset(text, 0, sizeof(*text));
}

/* Columns of UTF-8 text: continuation bytes take none. */
static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static void put(struct bg_text *text, const char *s)
{
	for (; *s != '\0' && text->len < sizeof(text->buf) - 1; s++) {
		unsigned char c = (unsigned char)*s;

		if (c != '\n' && (c < 0x20 || c == 0x7f))
			c = '?';
		text->buf[text->len++] = (char)c;
		if (c == '\n')
			text->column = 0;
		else if ((c & 0xc0) != 0x80)
			text->column++;
	}
	text->buf[text->len] = '\0';
}

void bg_text_add(struct bg_text *text, const char *fmt, ...)
{
	char part[BG_TEXT_LEN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	put(text, part);
}

void bg_text_item(struct bg_text *text, const char *fmt, ...)
{
	char part[256];
	const char *s = part;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (text->column > 1 && text->column + columns(part, strlen(part)) > BG_TEXT_COLUMNS) {
		put(text, "\n ");
		s += strspn(s, " ");
	}
	put(text, s);
}

void bg_text_code(struct bg_text *text, const char *code)
{
	bool is_second = false;

	while (*code != '\0') {
		size_t len = strcspn(code, "\n");
		bool is_last = code[len] == '\0' || code[len + 1] == '\0';

		bg_text_add(text, "%.*s%c", (int)len, code, is_second || is_last ? '\n' : ' ');
		is_second = !is_second;
		code += len + (code[len] == '\n');
	}
}

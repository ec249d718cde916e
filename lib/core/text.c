/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

void bg_text_put(struct bg_text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	if (text->is_full)
		return;
	va_start(args, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started just above */
	n = vsnprintf(text->p + text->len, text->size - text->len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->size - text->len)
		text->is_full = true;
	else
		text->len += (size_t)n;
}

void bg_text_hex(struct bg_text *text, const char *key, const uint8_t *p, size_t len)
{
	bg_text_put(text, "%s = %s", key, len == 0 ? "none" : "");
	for (size_t i = 0; i < len; i++)
		bg_text_put(text, "%02x", p[i]);
	bg_text_put(text, "\n");
}

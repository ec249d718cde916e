/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded text that the writers of small files append to; remembers that it was full. */
#ifndef BREAKGLASS_CORE_TEXT_H
#define BREAKGLASS_CORE_TEXT_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <stdint.h>

struct bg_text {
	char *p;
	size_t size, len; /* bytes; size counts the NUL */
	bool is_full;
};

void bg_text_put(struct bg_text *text, const char *fmt, ...) BG_PRINTF(2, 3);
/* "KEY = lower-case hex", or "KEY = none" for no bytes. */
void bg_text_hex(struct bg_text *text, const char *key, const uint8_t *p, size_t len);

#endif

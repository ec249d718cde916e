/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 (RFC 3629) as far as it is shown to people: validity, and what may be printed. */
#ifndef BREAKGLASS_UTF8_H
#define BREAKGLASS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character at p (len bytes left, at least one). Its length in bytes, 1 to 4, and the
   code point in *ret; 0: not valid UTF-8 (overlong, surrogate, above U+10FFFF, cut short). */
size_t bg_utf8_next(const char *p, size_t len, uint32_t *ret);

/* May it be shown? Not: C0 and C1 controls, DEL, line and paragraph separators, characters that
   change the writing direction, zero-width and tag characters, the byte order mark. */
bool bg_utf8_is_printable(uint32_t code_point);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Foreign text on its way into a record or onto a terminal: capped, escaped, in one place (RULES
 * P20). */
#ifndef BREAKGLASS_ESCAPE_H
#define BREAKGLASS_ESCAPE_H

#include <breakglass/bytes.h>

/* Each appends to w (as bytes, not terminated) at most max_len bytes of text, a cut marked by
   the three dots U+2026; control characters, invalid UTF-8, DEL, C1, bidi and zero-width
   controls never come out as themselves. */
/* JSON string contents without the quotes: \n \" \\ and \u00XX; invalid bytes as U+FFFD. */
void bg_escape_json(struct bg_writer *w, const char *text, size_t max_len);
/* A key=value value: quoted when it is empty or has a blank, quote, '=' or escape; within quotes
   \" \\ and \xXX. */
void bg_escape_kv(struct bg_writer *w, const char *text, size_t max_len);
/* For a terminal: printable text as it is, anything else as '?'. ret: size bytes, terminated. */
void bg_escape_terminal(char *ret, size_t size, const char *text);

#endif

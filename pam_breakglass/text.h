/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A prompt being put together: bounded, wrapped at 80 columns, and printable
 * whatever is put in. A cut text ends where it was cut; nothing overflows.
 */
#ifndef PAM_BREAKGLASS_TEXT_H
#define PAM_BREAKGLASS_TEXT_H

#include <breakglass/err.h>
#include <stddef.h>
#include <stdint.h>

#define BG_TEXT_LEN	4096
#define BG_TEXT_COLUMNS 79 /* a full line of 80 makes some terminals wrap once more */

struct bg_text {
	char buf[BG_TEXT_LEN];
	size_t len;
	size_t column; /* of the line being written */
};

void bg_text_reset(struct bg_text *text);
/* Appends formatted text as it is; control characters but LF become '?'. */
void bg_text_add(struct bg_text *text, const char *fmt, ...) BG_PRINTF(2, 3);
/* Appends one item that is not to be broken: on a new line, indented by one blank, if it does not
 * fit. */
void bg_text_item(struct bg_text *text, const char *fmt, ...) BG_PRINTF(2, 3);
/* Appends a code (lines, an LF after each), two of its lines a row: few rows, and copied by rows
   they are whole again, as each line says its number. */
void bg_text_code(struct bg_text *text, const char *code);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dialogue that gets one code out of a person: pasted whole, a paste of many
 * lines, or line by line. A misread line is named and it alone is asked for again;
 * another kind of code, and a share, is named as what it is and dropped. Nothing
 * that is typed is shown: it might be a share.
 */
#ifndef BG_UNLOCK_ASK_CODE_H
#define BG_UNLOCK_ASK_CODE_H

#include "ask.h"

#include <breakglass/code_text.h>

/* Keep it in locked memory. Zeroed but for the first four. */
struct bg_ask_code {
	struct bg_tty *tty;			  /* a terminal, never standard input */
	unsigned int wanted;			  /* BG_WANTED(kind), or several */
	bool may_end;				  /* an empty line means "none" */
	void (*on_other)(enum bg_code_kind kind); /* told of another kind of code; or NULL */
	struct bg_code code;
	struct bg_entry entry; /* recognises a share */
	char text[BG_TTY_LINE_LEN];
};

/* Asks with prompt until there is a whole code of a wanted kind: BG_ASKED_CODE, its kind in
   ask->code.kind, its body in *ret, which lasts as long as ask->code. What was typed ahead after
   it is dropped. BG_ASKED_CANCELLED (Ctrl-D, or no answer three times) or, with may_end,
   BG_ASKED_END: none. */
enum bg_asked bg_ask_code(
	struct bg_ask_code *ask, const char *prompt, const uint8_t **ret, size_t *ret_len);

/* Prints a code to stdout: numbered lines in groups to be read aloud, and all as one line to be
   pasted. name: "approval". False: it cannot be encoded. */
bool bg_code_print(enum bg_code_kind kind, const char *name, const uint8_t *body, size_t len);
/* The one line alone, terminated. False: as above. */
bool bg_code_one_line(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char ret[static BG_CODE_TEXT_LEN]);

#endif

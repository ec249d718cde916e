/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A code as people give it at a prompt: whole, in pieces, or line by line; any
 * case; grouped by blanks, hyphens, dots or line ends anywhere. A wrong line is
 * named by its number, for people counted from 1, and only that one is wanted
 * again; the good ones are kept. A paste that was cut loses only the line in
 * which it was cut, and goes on with it or with its rest.
 */
#ifndef BREAKGLASS_CODE_TEXT_H
#define BREAKGLASS_CODE_TEXT_H

#include <breakglass/code.h>

#define BG_WANTED(kind) (1u << (kind))

enum bg_code_took {
	BG_TOOK_NOTHING = 0, /* it is no code: no good line, and none was begun or too little
				modhex to be meant as one */
	BG_TOOK_MORE,	     /* good lines; `line` is the first that is missing */
	BG_TOOK_WHOLE,
	BG_TOOK_BAD_LINE,   /* `line` is misread, others of the same text are kept */
	BG_TOOK_OTHER_KIND, /* a line of a kind that is not wanted or not begun: `kind` */
	BG_TOOK_MIXED	    /* a line that contradicts one given before: of two codes */
};

struct bg_code_problem {
	unsigned int line;	/* from 1; BAD_LINE: the wrong one, MORE: the first missing */
	unsigned int total;	/* lines of the whole code; 0: line 1 is not there yet */
	enum bg_code_kind kind; /* OTHER_KIND: what that line is of; else the code's */
	size_t used;		/* WHOLE: bytes of text read; what follows is for the next code */
};

/* Takes one answer. wanted: BG_WANTED of each kind that will do. text: len bytes, need not be
   terminated. code: zeroed at first; changed by good lines only. A text that alone is a whole code,
   line 1 first, takes the place of what was begun. ret is always written. Copies of the text are
   wiped: it may have been a share. */
BG_CHECKED enum bg_code_took bg_code_take(struct bg_code *code, unsigned int wanted,
	const char *text, size_t len, struct bg_code_problem *ret);

#endif

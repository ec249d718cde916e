/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person types at a share's prompt, in as many pieces as they like:
 * words, their first four letters, or modhex; any case; numbers from the sheet
 * ("7." or "7:"), commas, line breaks, tabs, non-breaking spaces and a scanner's
 * return are skipped. A wrong word costs that word: everything before it is
 * kept, what follows it in the same piece is dropped, and the next piece goes
 * on with that word. The state holds a secret: keep it in locked memory, wipe it.
 */
#ifndef BREAKGLASS_ENTRY_H
#define BREAKGLASS_ENTRY_H

#include <breakglass/code.h>
#include <breakglass/slip39.h>

enum bg_entry_state {
	BG_ENTRY_EMPTY,	   /* nothing yet */
	BG_ENTRY_MORE,	   /* some words; more are wanted */
	BG_ENTRY_BAD_WORD, /* word `bad_number` is not in the list */
	BG_ENTRY_MNEMONIC, /* a whole mnemonic; checksum good; share in `share` */
	BG_ENTRY_COMPACT,  /* a whole compact share; CRC good; in `compact` */
	BG_ENTRY_REFUSED   /* whole but not good: `err` says why; start anew */
};

#define BG_ENTRY_BAD_LEN    24
#define BG_ENTRY_MODHEX_LEN 80

struct bg_entry {
	enum bg_entry_state state;
	struct bg_slip39_words words;	  /* so far */
	size_t expected;		  /* 20, 33, or 0 while unknown */
	char modhex[BG_ENTRY_MODHEX_LEN]; /* so far, if modhex */
	size_t modhex_len;
	unsigned int bad_number;	 /* from 1 */
	char bad_text[BG_ENTRY_BAD_LEN]; /* the wrong word, printable ASCII, cut */
	enum bg_err err;
	struct bg_slip39_share share;
	struct bg_compact compact;
};

void bg_entry_wipe(struct bg_entry *entry); /* also: start anew */

/* Takes one piece of text (len bytes, need not be terminated; anything of at most 4,095 bytes)
   and moves the state on. expected: words of a whole share (20 or 33), or 0 to tell from the
   words themselves: 20 are taken as whole when their checksum stands, else up to 33 are read. */
void bg_entry_add(struct bg_entry *entry, const char *text, size_t len, size_t expected);

/* From word 4 on the share's head is known (id, threshold, member index): true and the share's
   numbers without value; only for words. */
bool bg_entry_head(const struct bg_entry *entry, struct bg_slip39_share *ret);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person types at a share's prompt, in as many pieces as they like:
 * words, their first four letters, or modhex; any case. The state holds a
 * secret: keep it in locked memory, wipe it.
 *
 * A wrong word costs that word. Everything before it is kept, and so is what
 * follows it in the same piece, unless that were more than a share has: a next
 * piece of one word is put in its place, a longer one goes on from there in
 * place of the rest. So too with the one word that a failed checksum points at.
 * A piece of as many words as a whole share has is a whole share, whatever was
 * begun before it.
 *
 * Tokens are parted by blanks of all kinds (also a scanner's return, U+00A0,
 * U+2000 to U+200A, U+202F, U+3000), commas, semicolons and hyphens; zero-width characters
 * and byte order marks are dropped. Numbers from the sheet ("7", "07.", "7:",
 * "(7)") are skipped, also in front of a word ("7.acid").
 *
 * Words or modhex? Several of SLIP-39's words ("hunting") are modhex letters
 * only, and modhex may come in groups of four. A piece is modhex if all of its
 * tokens are of modhex letters, they are not all words of the list, and they make 38
 * or 70 characters together or one of them is longer than any word; if a modhex
 * share was begun, that all are of modhex letters is enough. A whole compact
 * share takes the place of words typed before it. Anything else is words.
 * The first modhex character tells a compact share's length, so another kind of
 * modhex (a YubiKey's one-time password, say) is refused at once.
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
#define BG_ENTRY_REST_LEN   512 /* 33 words and their blanks, and wrong ones among them */

struct bg_entry {
	enum bg_entry_state state;
	struct bg_slip39_words words;	  /* so far */
	size_t expected;		  /* 20, 33, or 0 while unknown */
	char modhex[BG_ENTRY_MODHEX_LEN]; /* so far, if modhex */
	size_t modhex_len;
	unsigned int bad_number;	 /* from 1; when REFUSED for its checksum: the word
					    that alone may be wrong, 0 if unknown */
	char bad_text[BG_ENTRY_BAD_LEN]; /* the wrong word, printable ASCII, cut; of what is
					    too long to be one word only the start,
					    of what has a digit nothing but "..." */
	char rest[BG_ENTRY_REST_LEN];	 /* what followed the wrong word, a blank after each */
	size_t rest_len;		 /* 0: nothing is kept, go on from the wrong word */
	enum bg_err err;
	struct bg_slip39_share share;
	struct bg_compact compact;
};

void bg_entry_wipe(struct bg_entry *entry); /* also: start anew */

/* Takes one piece of text (len bytes, need not be terminated; anything of at most 4,095 bytes)
   and moves the state on. expected: words of a whole share (20 or 33), or 0 to tell from the
   words themselves: 20 are taken as whole when their checksum stands, else up to 33 are read.
   A piece without any token changes nothing. After MNEMONIC, COMPACT or REFUSED the next piece
   starts anew, but one word after REFUSED with a bad_number. REFUSED: err is BG_ERR_RANGE (more
   words or characters than a share has), _CHECKSUM, _PADDING, _WRONG_KIND (modhex, but no compact
   share), _SYNTAX (a modhex share that goes on with something else), _TOO_BIG (the piece). */
void bg_entry_add(struct bg_entry *entry, const char *text, size_t len, size_t expected);

/* Whether one word is wanted and no more: the wrong one, or the one that the checksum points at. */
bool bg_entry_wants_one(const struct bg_entry *entry);

/* Is each of its words in the list? A tenth of these are modhex from end to end. */
bool bg_entry_is_words(const char *text, size_t len);

/* From word 4 on the share's head is known (id, threshold, member index): true and the share's
   numbers without value; only for words. */
bool bg_entry_head(const struct bg_entry *entry, struct bg_slip39_share *ret);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dialogue that gets one share out of a person or a line of --stdin: words,
 * their first four letters, or modhex, in pieces; a wrong word costs that word.
 */
#ifndef BG_UNLOCK_ASK_H
#define BG_UNLOCK_ASK_H

#include "tty.h"

#include <breakglass/entry.h>
#include <breakglass/seal.h>

/* Keep it in locked memory. */
struct bg_ask {
	struct bg_tty *tty;
	const struct bg_seal *seal; /* names the custodian while words come; may be NULL */
	const char *whose;	    /* whose share is awaited, or NULL */
	size_t expected;	    /* words of a share, or 0 */
	const char *again;	    /* a word that means "show it again", or NULL */
	bool may_end;		    /* an empty line means "that is all" */
	unsigned int line;	    /* of --stdin, from 1 */
	struct bg_entry entry;
	char text[BG_TTY_LINE_LEN];
};

enum bg_asked {
	BG_ASKED_CANCELLED, /* Ctrl-D, the end of --stdin, or no answer three times */
	BG_ASKED_SHARE,	    /* *ret is whole and its checksum stands */
	BG_ASKED_MALFORMED, /* --stdin only: the line is no share; the reason was printed */
	BG_ASKED_END,
	BG_ASKED_AGAIN,
	BG_ASKED_CODE /* ask_code.h */
};

/* A share as it was given. is_compact: only member_index and value of share are known. */
struct bg_given {
	bool is_compact;
	struct bg_slip39_share share;
};

void bg_given_wipe(struct bg_given *given);

/* Asks with prompt until there is a whole share. */
enum bg_asked bg_ask_share(struct bg_ask *ask, const char *prompt, struct bg_given *ret);

/* The share as words know it, the header of a compact one taken from the seal in force. */
void bg_given_complete(struct bg_given *given, const struct bg_seal *seal);
/* Are these the same share? Constant time in the value. */
bool bg_given_is(const struct bg_given *given, const struct bg_slip39_share *share);

struct bg_whose {
	enum bg_share_standing standing;
	size_t custodian; /* CURRENT: position in the seal */
	uint32_t epoch;
	char text[128]; /* "audit counted", "audit's share of epoch 2 ...": no secret */
	char name[BG_NAME_LEN + 1];
};
/* Whose share is it, in words for people. */
BG_CHECKED enum bg_err bg_ask_whose(struct bg_crypto *crypto, const struct bg_seal *seal,
	const struct bg_given *given, struct bg_whose *ret);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one prompter of the module. Each answer is copied into a fixed buffer of
 * the caller's, and libpam's own copy is wiped and freed, also when the
 * conversation failed half-way (RULES P02, P08, P15).
 */
#ifndef PAM_BREAKGLASS_CONVERSATION_H
#define PAM_BREAKGLASS_CONVERSATION_H

#include <breakglass/limits.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>

struct bg_answer {
	char text[BG_ANSWER_LEN + 1];
	size_t len; /* bytes; 0: empty */
};
void bg_answer_wipe(struct bg_answer *answer);
/* Is it this word and nothing else, in upper or lower case? */
bool bg_answer_is(const struct bg_answer *answer, const char *word);

enum bg_asked {
	BG_GONE = 0, /* no answer (NULL), or the conversation failed: the attempt ends */
	BG_ANSWERED,
	BG_ANSWERED_EMPTY,
	BG_ANSWERED_TOO_LONG /* over BG_ANSWER_LEN bytes; refused whole, never cut */
};

/* Asks one question. is_hidden: echo off. ret is wiped first and holds the answer only on
   BG_ANSWERED. Trailing CR and LF are taken off. */
enum bg_asked bg_ask(pam_handle_t *pamh, bool is_hidden, const char *prompt, struct bg_answer *ret);

/* Says one text; a failure is nobody's concern. */
void bg_say(pam_handle_t *pamh, const char *text);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the one prompt: quorum.c asks, show.c shows, share.c and codes.c judge. */
#ifndef PAM_BREAKGLASS_QUORUM_H
#define PAM_BREAKGLASS_QUORUM_H

#include "attempt.h"

/* The result of the last answer, repeated in the next prompt. (show.c) */
void bg_quorum_note(struct bg_attempt *attempt, const char *fmt, ...) BG_PRINTF(2, 3);

/* How many custodians are counted. */
size_t bg_quorum_counted(const struct bg_attempt *attempt);
/* Words of a whole share: 20 or 33. */
size_t bg_quorum_words(const struct bg_attempt *attempt);
/* The custodian of a share whose first words are there, or NULL. */
const char *bg_quorum_head_name(const struct bg_attempt *attempt);

void bg_quorum_put_header(struct bg_attempt *attempt);
/* The request challenge as lines, where the policy takes anything from elsewhere; not asked for,
   only if the prompt still fits the smallest terminal. */
void bg_quorum_put_challenge(struct bg_attempt *attempt, bool is_asked_for);
void bg_quorum_put_help(struct bg_attempt *attempt);
void bg_quorum_put_question(struct bg_attempt *attempt, bool is_first);
/* May approvals or a response come from elsewhere? */
bool bg_quorum_has_elsewhere(const struct bg_attempt *attempt);
/* The request challenge, grouped or plain (code.h). ret: size bytes, BG_CODE_TEXT_LEN suffice. */
BG_CHECKED enum bg_err bg_quorum_challenge(
	struct bg_attempt *attempt, bool is_plain, char *ret, size_t size);

/* Takes vault->answer, wipes it, and notes what became of it. BG_OK: another prompt, or the quorum
   stands; else why the attempt cannot go on. (share.c) */
BG_CHECKED enum bg_err bg_quorum_take_share(struct bg_attempt *attempt);
/* The same if the answer is a code, or goes on with one. *ret_is_code false: it is none, and is
   untouched. (codes.c) */
BG_CHECKED enum bg_err bg_quorum_take_code(struct bg_attempt *attempt, bool *ret_is_code);
/* "Line 3 of 6 of the approval": which line of a code that was begun is wanted; "" where none was.
   ret: 64 bytes. (codes.c) */
void bg_quorum_code_wanted(const struct bg_attempt *attempt, char ret[static 64]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one prompt for shares, approvals and a response. Each prompt says what
 * became of the last answer, who is counted and missing, and how long is left.
 */
#include "quorum.h"

#include <breakglass/secret.h>
#include <breakglass/words.h>
#include <string.h>

#define EMPTY_MAX    3	 /* empty answers in a row */
#define REFUSALS_MAX 60	 /* refused answers of one attempt; the request outlives it */
#define ANSWERS_MAX  400 /* of one attempt: each word of 16 shares on a line of its own */

/* "help" is also "helpful", which a set's shares may begin with: a set whose do not takes it as a
   request. */
static bool wants_help_text(const struct bg_attempt *attempt)
{
	const struct bg_answer *answer = &attempt->vault->answer;
	uint16_t index;

	if (bg_answer_is(answer, "?"))
		return true;
	return bg_answer_is(answer, "help") && attempt->vault->entry.state == BG_ENTRY_EMPTY &&
	       bg_words_find("help", 4, &index) == BG_OK &&
	       index != attempt->guest->seal.slip39_id >> 5;
}

/* What people type to get out; none of these is in the list. */
static bool wants_out(const struct bg_answer *answer)
{
	return bg_answer_is(answer, "quit") || bg_answer_is(answer, "exit") ||
	       bg_answer_is(answer, "q") || bg_answer_is(answer, "abort") ||
	       bg_answer_is(answer, "cancel");
}

static bool is_satisfied(const struct bg_attempt *attempt)
{
	return bg_tally_verdict(attempt->guest->crypto, &attempt->guest->seal,
		       attempt->record.digest, &attempt->record.tally) == BG_SATISFIED;
}

/* What goes on from one prompt to the next. */
struct round {
	bool wants_header, wants_challenge, wants_help;
	bool has_warned;    /* of a QR code's size */
	unsigned int empty; /* empty answers in a row */
};

static enum bg_step answer_missing(struct bg_attempt *attempt, struct round *round)
{
	bg_quorum_note(attempt, "Nothing was typed.");
	if (++round->empty < EMPTY_MAX)
		return BG_STEP_NEXT;
	bg_attempt_record(attempt, BG_EV_DENIED, "no share was typed");
	return BG_STEP_DENY;
}

static enum bg_err take_answer(struct bg_attempt *attempt)
{
	const struct bg_entry *entry = &attempt->vault->entry;
	enum bg_err err = bg_quorum_take_code(attempt, &attempt->is_code_last);

	if (err != BG_OK)
		return err;
	if (!attempt->is_code_last)
		return bg_quorum_take_share(attempt);
	/* whose first word already was none is not gone on with */
	if (entry->state == BG_ENTRY_BAD_WORD && entry->bad_number == 1)
		bg_entry_wipe(&attempt->vault->entry);
	return BG_OK;
}

static void show_qr(struct bg_attempt *attempt, struct round *round)
{
	char code[BG_CODE_TEXT_LEN];

	attempt->note[0] = '\0';
	if (bg_quorum_challenge(attempt, true, code, sizeof(code)) == BG_OK)
		bg_attempt_qr(attempt, code, &round->has_warned);
}

/* BG_STEP_NEXT: another prompt, or the quorum stands. */
static enum bg_step take_one(struct bg_attempt *attempt, struct round *round)
{
	enum bg_err err;

	if (wants_help_text(attempt)) {
		round->wants_header = round->wants_help = true;
		if (round->empty > 0)
			attempt->note[0] = '\0';
		round->empty = 0;
		return BG_STEP_NEXT;
	}
	if (wants_out(&attempt->vault->answer)) {
		bg_quorum_note(attempt, "To leave press Ctrl-C; the same key goes on from here.");
		return BG_STEP_NEXT;
	}
	round->empty = 0;
	if (bg_answer_is(&attempt->vault->answer, "code") && bg_quorum_has_elsewhere(attempt)) {
		round->wants_challenge = true;
		attempt->note[0] = '\0'; /* of the answer before */
		return BG_STEP_NEXT;
	}
	if (bg_answer_is(&attempt->vault->answer, "qr") && bg_quorum_has_elsewhere(attempt)) {
		show_qr(attempt, round);
		return BG_STEP_NEXT;
	}
	if (bg_answer_is(&attempt->vault->answer, "new")) {
		bg_entry_wipe(&attempt->vault->entry);
		bg_wipe(&attempt->vault->code, sizeof(attempt->vault->code));
		attempt->note[0] = '\0';
		return BG_STEP_AGAIN;
	}
	err = take_answer(attempt);
	return err == BG_OK ? BG_STEP_NEXT : bg_attempt_give_up(attempt, err);
}

/* No lockout: the request stays. But no connection may fill the log with refusals for ever, as
   sshd's password method would, which gives each prompt the same answer. */
static enum bg_step give_up(struct bg_attempt *attempt)
{
	bg_attempt_record(attempt, BG_EV_DENIED, "too many refused answers on one connection");
	bg_say(attempt->guest->pamh,
		"Too many answers were refused. Log in again: the same key goes on from here.");
	return BG_STEP_END;
}

static enum bg_step ask_one(struct bg_attempt *attempt, struct round *round)
{
	enum bg_err err = bg_attempt_still_ours(attempt);

	if (err != BG_OK)
		return bg_attempt_give_up(attempt, err);
	if (attempt->refusals >= REFUSALS_MAX)
		return give_up(attempt);
	bg_text_reset(&attempt->text);
	if (round->wants_header)
		bg_quorum_put_header(attempt);
	if (round->wants_challenge)
		bg_quorum_put_challenge(attempt, !round->wants_header);
	if (round->wants_help)
		bg_quorum_put_help(attempt);
	bg_quorum_put_question(attempt, round->wants_header && bg_quorum_counted(attempt) == 0);
	round->wants_header = round->wants_challenge = round->wants_help = false;
	switch (bg_attempt_ask(attempt, true)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED_EMPTY:
		return answer_missing(attempt, round);
	case BG_ANSWERED_TOO_LONG:
		bg_quorum_note(attempt,
			"Longer than %d characters: nothing was taken. Send it in pieces.",
			BG_ANSWER_LEN);
		return BG_STEP_NEXT;
	case BG_ANSWERED:
		break;
	}
	return take_one(attempt, round);
}

enum bg_step bg_attempt_quorum(struct bg_attempt *attempt)
{
	struct round round = { .wants_header = true, .wants_challenge = true };
	enum bg_step step = BG_STEP_NEXT;

	attempt->note[0] = '\0';
	if (attempt->is_resumed && bg_quorum_counted(attempt) > 0)
		bg_quorum_note(attempt, "Request taken up again: %zu counted.",
			bg_quorum_counted(attempt));
	else if (!bg_attempt_has_reason(attempt))
		bg_quorum_note(attempt, "MISSING is told as the reason; new begins anew.");
	for (unsigned int i = 0; i < ANSWERS_MAX && step == BG_STEP_NEXT; i++) {
		if (is_satisfied(attempt))
			return BG_STEP_NEXT;
		step = ask_one(attempt, &round);
	}
	if (step != BG_STEP_NEXT)
		return step;
	return is_satisfied(attempt) ? BG_STEP_NEXT : give_up(attempt);
}

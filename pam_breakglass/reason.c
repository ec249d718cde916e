/* SPDX-License-Identifier: BSD-2-Clause */
/* The reason: 8 characters and more; a second refusal is recorded as MISSING and goes on. */
#include "attempt.h"

#include <breakglass/secret.h>
#include <string.h>

#define MISSING	    "MISSING"
#define SHARE_WORDS 5 /* so many of the list's words in a row are a share's */

static bool is_good(const struct bg_answer *answer)
{
	size_t letters = 0;

	for (size_t i = 0; i < answer->len; i++)
		letters += answer->text[i] != ' ' && answer->text[i] != '\t';
	return answer->len >= BG_REASON_MIN_LEN && letters > BG_REASON_MIN_LEN / 2;
}

/* The PIN or a share, typed one prompt too early or too late, must not get into the log: digits
   only, the PIN itself, the list's words, or a compact share. */
static bool is_secret(struct bg_attempt *attempt)
{
	const struct bg_answer *answer = &attempt->vault->answer;
	struct bg_entry *entry = &attempt->vault->entry;
	bool is = strpbrk(answer->text, "0123456789") != NULL &&
		  strspn(answer->text, "0123456789 ") == answer->len;

	is |= answer->len > 0 && answer->len == attempt->vault->pin.len &&
	      bg_equal(answer->text, attempt->vault->pin.text, answer->len);
	bg_entry_add(entry, answer->text, answer->len, 0);
	is |= entry->words.count >= SHARE_WORDS;
	is |= entry->modhex_len > 0 &&
	      (entry->state != BG_ENTRY_REFUSED || entry->err == BG_ERR_CHECKSUM);
	bg_entry_wipe(entry);
	return is;
}

static enum bg_step ask_reason(struct bg_attempt *attempt)
{
	struct bg_answer *answer = &attempt->vault->answer;
	const unsigned int times = attempt->guest->seal.policy.is_reason_required ? 2 : 1;
	unsigned int empty = 0; /* of this connection: a terminal that hangs up may send one */
	bool was_refused = false, was_secret = false;

	while (attempt->record.reason_refusals + empty < times) {
		enum bg_step step;

		bg_text_reset(&attempt->text);
		bg_attempt_put_lock(attempt);
		if (was_secret)
			bg_text_add(&attempt->text,
				"That looks like a PIN or a share; it was forgotten at once.\n");
		else if (was_refused)
			bg_text_add(&attempt->text,
				"At least %d characters, please; it is shown to custodians.\n",
				BG_REASON_MIN_LEN);
		bg_text_add(&attempt->text, "Reason (ticket, what is broken): ");
		switch (bg_attempt_ask(attempt, false)) {
		case BG_GONE:
			return BG_STEP_END;
		case BG_ANSWERED:
			was_secret = is_secret(attempt);
			if (!was_secret && is_good(answer))
				return bg_attempt_fix(attempt, answer->text);
			break;
		case BG_ANSWERED_EMPTY:
			was_secret = false;
			was_refused = true;
			empty++;
			continue;
		case BG_ANSWERED_TOO_LONG:
			was_secret = false;
			break;
		}
		/* A line that dropped at this prompt refused nothing, and is not counted. */
		was_refused = true;
		step = bg_attempt_count_refusal(attempt);
		if (step != BG_STEP_NEXT)
			return step;
	}
	return bg_attempt_fix(attempt, MISSING);
}

bool bg_attempt_has_reason(const struct bg_attempt *attempt)
{
	return strcmp(attempt->record.request.reason, MISSING) != 0;
}

enum bg_step bg_attempt_reason(struct bg_attempt *attempt)
{
	enum bg_step step = ask_reason(attempt);

	bg_answer_wipe(&attempt->vault->answer);
	return step;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The reason: 8 characters and more; a second refusal is recorded as MISSING and goes on. */
#include "attempt.h"

#include <string.h>

#define MISSING "MISSING"

static bool is_good(const struct bg_answer *answer)
{
	size_t letters = 0;

	for (size_t i = 0; i < answer->len; i++)
		letters += answer->text[i] != ' ' && answer->text[i] != '\t';
	return answer->len >= BG_REASON_MIN_LEN && letters > BG_REASON_MIN_LEN / 2;
}

enum bg_step bg_attempt_reason(struct bg_attempt *attempt)
{
	struct bg_answer *answer = &attempt->vault->answer;
	const unsigned int times = attempt->guest->seal.policy.is_reason_required ? 2 : 1;
	bool was_refused = false;

	while (attempt->record.reason_refusals < times) {
		enum bg_step step;

		/* Counted before it is asked: a connection cut here does not ask for ever. */
		step = bg_attempt_count_refusal(attempt);
		if (step != BG_STEP_NEXT)
			return step;
		bg_text_reset(&attempt->text);
		if (was_refused)
			bg_text_add(&attempt->text,
				"At least %d characters, please; it is shown to custodians.\n",
				BG_REASON_MIN_LEN);
		bg_text_add(&attempt->text, "Reason (ticket, what is broken): ");
		switch (bg_attempt_ask(attempt, false)) {
		case BG_GONE:
			return BG_STEP_END;
		case BG_ANSWERED:
			if (is_good(answer))
				return bg_attempt_fix(attempt, answer->text);
			break;
		case BG_ANSWERED_EMPTY:
		case BG_ANSWERED_TOO_LONG:
			break;
		}
		was_refused = true;
	}
	return bg_attempt_fix(attempt, MISSING);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a review owed, is a reseal due? As the log says, and nothing else. */
#include "check_past.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS	86400000LL
#define IDS_LEN 200

struct owed {
	size_t count, overdue;
	char ids[IDS_LEN];
};

static void add_owed(struct owed *owed, const struct bg_use *use, uint32_t days)
{
	int64_t now = (int64_t)time(NULL) * 1000;
	char short_id[BG_SHORT_ID_LEN + 1];
	size_t used = strlen(owed->ids);
	uint8_t bytes[3] = { 0 };

	owed->count++;
	owed->overdue += now - use->last_ms > (int64_t)days * DAY_MS;
	(void)bg_hex_decode(use->request, 6, bytes, sizeof(bytes));
	bg_short_id(bytes, short_id);
	if (used + BG_SHORT_ID_LEN + 3 <= IDS_LEN)
		(void)snprintf(owed->ids + used, IDS_LEN - used, "%s%s", used ? " " : "", short_id);
}

static void judge_reviews(struct bg_check *check, const struct bg_usage *usage)
{
	struct owed owed = { 0 };

	for (const struct bg_use *use = bg_usage_first(usage); use; use = use->next)
		if (strcmp(use->account, check->account) == 0 && bg_use_owes_review(use))
			add_owed(&owed, use, check->conf.review_days);
	if (owed.count == 0)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "every use is reviewed");
	else if (owed.overdue)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"bg-unlock review REQUEST, by somebody else than its holder",
			"%zu of %zu uses without a review are older than %u days: %s", owed.overdue,
			owed.count, (unsigned int)check->conf.review_days, owed.ids);
	else
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"bg-unlock review REQUEST, by somebody else than its holder",
			"%zu use%s without a review: %s", owed.count, owed.count == 1 ? "" : "s",
			owed.ids);
}

static void judge_exposure(struct bg_check *check, const struct bg_usage *usage)
{
	char names[BG_NAMES_LEN];
	size_t count;

	if (check->seal.key_count == 0)
		return; /* its own row says why */
	count = bg_usage_exposed(usage, check->account, check->host.epoch, names);
	if (count == 0)
		return;
	bg_judge_say(&check->judge,
		count >= check->seal.threshold ? BG_LEVEL_CRITICAL : BG_LEVEL_WARNING,
		"bg-unlock reseal, then bg-unlock install (a successor that is there: install it)",
		"machines have seen %zu share%s of epoch %u, %u open it: %s", count,
		count == 1 ? "" : "s", (unsigned int)check->host.epoch,
		(unsigned int)check->seal.threshold, names);
}

void bg_check_reviews(struct bg_check *check)
{
	const struct bg_check_past *past = bg_check_past(check);

	if (past->err == BG_ERR_BUSY) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"again when log verify, log report or breakglass-carry is done",
			"the log is being read or written by another: which reviews are owed is "
			"not "
			"known");
		return;
	}
	if (past->err != BG_OK) {
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, "bg-unlock log verify",
			"the log cannot be read: which reviews are owed is not known");
		return;
	}
	if (past->totals.damages)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, "bg-unlock log verify",
			"the log is damaged: more may be owed than it says");
	judge_reviews(check, past->usage);
	judge_exposure(check, past->usage);
}

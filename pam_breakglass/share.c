/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a share: counted, or named and dropped; the good ones stay (RULES S13). */
#include "quorum.h"

#include <breakglass/secret.h>
#include <breakglass/slip39.h>
#include <stdio.h>

static void refuse_share(struct bg_attempt *attempt, const char *why)
{
	attempt->refusals++;
	bg_entry_wipe(&attempt->vault->entry);
	bg_quorum_note(attempt, "%s", why);
	bg_attempt_record(attempt, BG_EV_SHARE_REFUSED, why);
}

static const char *retired_name(const struct bg_seal *seal, uint32_t epoch, size_t position)
{
	for (size_t i = 0; i < seal->retired_count; i++) {
		if (seal->retired[i].epoch == epoch && position < seal->retired[i].custodian_count)
			return seal->retired[i].custodians[position].name;
	}
	return "a custodian";
}

static void note_standing(struct bg_attempt *attempt, enum bg_share_standing standing,
	size_t custodian, uint32_t epoch)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	char set[BG_SHORT_ID_LEN + 1], why[160];

	bg_short_id(seal->set_id, set);
	switch (standing) {
	case BG_SHARE_RETIRED:
		(void)snprintf(why, sizeof(why),
			"That share of %s is retired (epoch %u); set %s epoch %u is wanted.",
			retired_name(seal, epoch, custodian), (unsigned int)epoch, set,
			(unsigned int)seal->epoch);
		break;
	case BG_SHARE_OTHER_SET:
		(void)snprintf(
			why, sizeof(why), "That share is of another set; set %s is wanted.", set);
		break;
	case BG_SHARE_UNKNOWN:
	case BG_SHARE_CURRENT:
		(void)snprintf(why, sizeof(why),
			"That share is of no custodian of set %s: misread, or of another set.",
			set);
		break;
	}
	refuse_share(attempt, why);
}

/* A share that is whole and right: its approval is signed at once, the share forgotten. */
static enum bg_err count_share(struct bg_attempt *attempt, size_t custodian)
{
	const char *name = attempt->guest->seal.custodians[custodian].name;
	char result[80];
	enum bg_err err = bg_attempt_approve(attempt, custodian);

	bg_secret_wipe(&attempt->vault->seed);
	bg_entry_wipe(&attempt->vault->entry);
	if (err == BG_ERR_DUPLICATE) {
		(void)snprintf(result, sizeof(result), "%s is counted already.", name);
		refuse_share(attempt, result);
		return BG_OK;
	}
	if (err != BG_OK)
		return err;
	bg_quorum_note(attempt, "%s counted.", name);
	(void)snprintf(result, sizeof(result), "%s typed here", name);
	bg_attempt_record(attempt, BG_EV_SHARE_ACCEPTED, result);
	return BG_OK;
}

static enum bg_err judge_share(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	const struct bg_entry *entry = &attempt->vault->entry;
	bool is_compact = entry->state == BG_ENTRY_COMPACT;
	enum bg_share_standing standing = BG_SHARE_UNKNOWN;
	size_t custodian = 0;
	uint32_t epoch = 0;
	enum bg_err err = bg_seal_share_standing(guest->crypto, &guest->seal,
		is_compact ? -1 : entry->share.identifier,
		is_compact ? entry->compact.member_index : entry->share.member_index,
		is_compact ? &entry->compact.value : &entry->share.value, &standing, &custodian,
		&epoch, &attempt->vault->seed);

	if (err != BG_OK)
		return err;
	if (standing == BG_SHARE_CURRENT)
		return count_share(attempt, custodian);
	note_standing(attempt, standing, custodian, epoch);
	return BG_OK;
}

/* The first words already tell the set: nobody types 20 words of an old sheet for nothing. */
static bool is_of_another_set(struct bg_attempt *attempt)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	struct bg_slip39_share head = { 0 };
	char set[BG_SHORT_ID_LEN + 1], why[160];

	if (!bg_entry_head(&attempt->vault->entry, &head) || head.identifier == seal->slip39_id)
		return false;
	bg_short_id(seal->set_id, set);
	for (size_t i = 0; i < seal->retired_count; i++) {
		if (seal->retired[i].slip39_id != head.identifier)
			continue;
		(void)snprintf(why, sizeof(why),
			"Those words are of retired epoch %u; set %s epoch %u is wanted.",
			(unsigned int)seal->retired[i].epoch, set, (unsigned int)seal->epoch);
		refuse_share(attempt, why);
		return true;
	}
	(void)snprintf(why, sizeof(why), "Those words are of another set; set %s is wanted.", set);
	refuse_share(attempt, why);
	return true;
}

/* All that is no share for another reason than a misread word. */
static void say_no_share(
	const struct bg_attempt *attempt, const struct bg_entry *entry, char *ret, size_t size)
{
	bool is_modhex = entry->modhex_len > 0;
	size_t words = bg_quorum_words(attempt);

	if (entry->err == BG_ERR_RANGE)
		(void)snprintf(ret, size,
			"More %s than a share has (%zu): one twice, or two shares at once?",
			is_modhex ? "characters" : "words",
			!is_modhex		       ? words
			: words == BG_SLIP39_WORDS_128 ? (size_t)BG_COMPACT_CHARS_128
						       : (size_t)BG_COMPACT_CHARS_256);
	else if (entry->err == BG_ERR_SYNTAX && is_modhex)
		(void)snprintf(
			ret, size, "Words do not go on with a short form. Once more, all of it.");
	else
		(void)snprintf(ret, size, "That is no share (%s).", bg_err_text(entry->err));
}

static void note_refused(struct bg_attempt *attempt, const struct bg_entry *entry)
{
	const char *name = bg_quorum_head_name(attempt), *of = name != NULL ? " of " : "";
	char why[160];

	if (name == NULL)
		name = "";
	if (entry->err == BG_ERR_CHECKSUM && entry->modhex_len > 0)
		(void)snprintf(why, sizeof(why),
			"The short form does not add up: a character is misread. Once more.");
	else if (bg_entry_wants_one(entry)) {
		/* all else of it is kept */
		bg_quorum_note(attempt, "The share%s%s does not add up: word %u looks misread.", of,
			name, entry->bad_number);
		attempt->refusals++;
		bg_attempt_record(attempt, BG_EV_SHARE_REFUSED, attempt->note);
		return;
	} else if (entry->err == BG_ERR_CHECKSUM)
		(void)snprintf(why, sizeof(why),
			"The share%s%s does not add up: words are misread. Once more.", of, name);
	else
		say_no_share(attempt, entry, why, sizeof(why));
	refuse_share(attempt, why);
}

enum bg_err bg_quorum_take_share(struct bg_attempt *attempt)
{
	struct bg_answer *answer = &attempt->vault->answer;
	struct bg_entry *entry = &attempt->vault->entry;

	bg_entry_add(entry, answer->text, answer->len, bg_quorum_words(attempt));
	bg_answer_wipe(answer);
	attempt->note[0] = '\0';
	switch (entry->state) {
	case BG_ENTRY_EMPTY:
		break;
	case BG_ENTRY_MORE:
		(void)is_of_another_set(attempt);
		break;
	case BG_ENTRY_BAD_WORD:
		if (is_of_another_set(attempt))
			break;
		bg_quorum_note(attempt, " word %u \"%s\" is not in the list.", entry->bad_number,
			entry->bad_text);
		attempt->refusals++;
		bg_attempt_record(attempt, BG_EV_SHARE_REFUSED, "a word that is not in the list");
		break;
	case BG_ENTRY_MNEMONIC:
	case BG_ENTRY_COMPACT:
		return judge_share(attempt);
	case BG_ENTRY_REFUSED:
		note_refused(attempt, entry);
		break;
	}
	return BG_OK;
}

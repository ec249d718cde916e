/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one prompt for shares. Each prompt says what became of the last answer,
 * who is counted and missing, and how long is left. A wrong share is named and
 * dropped; the good ones stay.
 */
#include "attempt.h"

#include <breakglass/secret.h>
#include <breakglass/slip39.h>
#include <breakglass/words.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define EMPTY_MAX    3	 /* empty answers in a row */
#define REFUSALS_MAX 60	 /* refused answers of one attempt; the request outlives it */
#define ANSWERS_MAX  400 /* of one attempt: each word of 16 shares on a line of its own */

static void note(struct bg_attempt *attempt, const char *fmt, ...) BG_PRINTF(2, 3);

static void note(struct bg_attempt *attempt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(attempt->note, sizeof(attempt->note), fmt, ap);
	va_end(ap);
}

static size_t counted(const struct bg_attempt *attempt)
{
	size_t n = 0;

	for (size_t i = 0; i < attempt->guest->seal.custodian_count; i++)
		n += attempt->record.tally.approvals[i].how != BG_HOW_NONE;
	return n;
}

static void time_left(const struct bg_attempt *attempt, char ret[static 24])
{
	bg_text_duration(bg_attempt_secs_left(attempt), ret);
}

/* "BREAK-GLASS breakglass@db1  set 7K3F epoch 3  key a (oncall)  request 4QXM", who is needed and
   how long is left. Shown first, and again after `?`. */
static void put_header(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	const struct bg_request *request = &attempt->record.request;
	char set[BG_SHORT_ID_LEN + 1], id[BG_SHORT_ID_LEN + 1], left[24];
	bool is_first = true;

	bg_short_id(guest->seal.set_id, set);
	bg_short_id(attempt->record.digest, id);
	time_left(attempt, left);
	bg_text_item(&attempt->text, "BREAK-GLASS %s@%s", guest->account, guest->host.label);
	bg_text_item(&attempt->text, "  set %s epoch %u", set, (unsigned int)guest->seal.epoch);
	bg_text_item(&attempt->text, "  key %s (%s)", request->key, request->holder);
	bg_text_item(&attempt->text, "  request %s", id);
	bg_text_add(&attempt->text, "\n");
	bg_text_item(&attempt->text, " need %u of:", (unsigned int)guest->seal.threshold);
	for (size_t i = 0; i < guest->seal.custodian_count; i++) {
		const char *name = guest->seal.custodians[i].name;
		const char *phone = bg_contacts_phone(&guest->contacts, name);

		bg_text_item(&attempt->text, "%s %s%s%s", is_first ? "" : ",", name,
			phone[0] != '\0' ? " " : "", phone);
		is_first = false;
	}
	bg_text_item(&attempt->text, "   %s", left);
	bg_text_add(&attempt->text, "\n");
}

/* "ops or dba" : those who are not counted yet. */
static void put_missing(struct bg_attempt *attempt)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	size_t missing = seal->custodian_count - counted(attempt), seen = 0;

	for (size_t i = 0; i < seal->custodian_count; i++) {
		if (attempt->record.tally.approvals[i].how != BG_HOW_NONE)
			continue;
		seen++;
		bg_text_item(&attempt->text, "%s%s", seal->custodians[i].name,
			seen == missing	      ? ""
			: seen + 1 == missing ? " or "
					      : ", ");
	}
}

/* The custodian of a share whose first words are there, or NULL. */
static const char *head_name(const struct bg_attempt *attempt)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	struct bg_slip39_share head = { 0 };

	if (!bg_entry_head(&attempt->vault->entry, &head) || head.identifier != seal->slip39_id)
		return NULL;
	for (size_t i = 0; i < seal->custodian_count; i++) {
		if (seal->custodians[i].index == head.member_index)
			return seal->custodians[i].name;
	}
	return NULL;
}

static size_t words_wanted(const struct bg_attempt *attempt)
{
	return attempt->guest->seal.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
}

/* The last lines of the prompt: the result, then what is wanted now. */
static void put_question(struct bg_attempt *attempt, bool is_first)
{
	const struct bg_entry *entry = &attempt->vault->entry;
	const char *name = head_name(attempt);
	char left[24];

	time_left(attempt, left);
	if (attempt->note[0] != '\0') {
		bg_text_item(&attempt->text, "%s ", attempt->note);
		if (strlen(attempt->note) > 40)
			bg_text_add(&attempt->text, "\n");
	}
	if (entry->state == BG_ENTRY_BAD_WORD || entry->state == BG_ENTRY_REFUSED) {
		bg_text_item(&attempt->text, " Word %u%s%s: ", entry->bad_number,
			name != NULL ? " of the share of " : "", name != NULL ? name : "");
		return;
	}
	if (entry->state == BG_ENTRY_MORE) {
		bg_text_item(&attempt->text,
			"%s: %zu of %zu %s, go on: ", name != NULL ? name : "this share",
			entry->modhex_len > 0 ? entry->modhex_len : entry->words.count,
			entry->modhex_len > 0 ? (words_wanted(attempt) == BG_SLIP39_WORDS_128
								? (size_t)BG_COMPACT_CHARS_128
								: (size_t)BG_COMPACT_CHARS_256)
					      : words_wanted(attempt),
			entry->modhex_len > 0 ? "characters" : "words");
		return;
	}
	bg_text_item(&attempt->text, "Share %zu of %u", counted(attempt) + 1,
		(unsigned int)attempt->guest->seal.threshold);
	if (is_first) {
		bg_text_item(&attempt->text, " (words, or their first 4 letters; ? helps): ");
		return;
	}
	bg_text_item(&attempt->text, " (");
	put_missing(attempt);
	bg_text_item(&attempt->text, "; %s left): ", left);
}

static void put_help(struct bg_attempt *attempt)
{
	bg_text_add(&attempt->text,
		" Type a custodian's %zu words as read to you, on one line or several; their\n"
		" first 4 letters will do. Or the %d characters of the short form. Nothing is\n"
		" shown. A wrong word costs only that word; a wrong share is named and dropped.\n"
		" new     drop this request and begin anew\n"
		" Ctrl-C  leave; the same key goes on with this request, at any door\n",
		words_wanted(attempt),
		words_wanted(attempt) == BG_SLIP39_WORDS_128 ? BG_COMPACT_CHARS_128
							     : BG_COMPACT_CHARS_256);
}

static void refuse_share(struct bg_attempt *attempt, const char *why)
{
	attempt->refusals++;
	bg_entry_wipe(&attempt->vault->entry);
	note(attempt, "%s", why);
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
	note(attempt, "%s counted.", name);
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

static void note_refused(struct bg_attempt *attempt, const struct bg_entry *entry)
{
	const char *name = head_name(attempt), *of = name != NULL ? " of " : "";
	char why[160];

	if (name == NULL)
		name = "";
	if (entry->err == BG_ERR_CHECKSUM && entry->modhex_len > 0)
		(void)snprintf(why, sizeof(why),
			"The short form does not add up: a character is misread. Once more.");
	else if (bg_entry_wants_one(entry)) {
		/* all else of it is kept */
		note(attempt, "The share%s%s does not add up: word %u looks misread.", of, name,
			entry->bad_number);
		attempt->refusals++;
		bg_attempt_record(attempt, BG_EV_SHARE_REFUSED, attempt->note);
		return;
	} else if (entry->err == BG_ERR_CHECKSUM)
		(void)snprintf(why, sizeof(why),
			"The share%s%s does not add up: words are misread. Once more.", of, name);
	else
		(void)snprintf(why, sizeof(why), "That is no share (%s).", bg_err_text(entry->err));
	refuse_share(attempt, why);
}

static enum bg_err take_answer(struct bg_attempt *attempt)
{
	struct bg_answer *answer = &attempt->vault->answer;
	struct bg_entry *entry = &attempt->vault->entry;

	bg_entry_add(entry, answer->text, answer->len, words_wanted(attempt));
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
		note(attempt, " word %u \"%s\" is not in the list.", entry->bad_number,
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

static bool is_word(const struct bg_answer *answer, const char *word)
{
	return answer->len == strlen(word) && strncasecmp(answer->text, word, answer->len) == 0;
}

/* "help" is also "helpful", which a set's shares may begin with: a set whose do not takes it as a
   request. */
static bool wants_help_text(const struct bg_attempt *attempt)
{
	const struct bg_answer *answer = &attempt->vault->answer;
	uint16_t index;

	if (is_word(answer, "?"))
		return true;
	return is_word(answer, "help") && attempt->vault->entry.state == BG_ENTRY_EMPTY &&
	       bg_words_find("help", 4, &index) == BG_OK &&
	       index != attempt->guest->seal.slip39_id >> 5;
}

/* What people type to get out; none of these is in the list. */
static bool wants_out(const struct bg_answer *answer)
{
	return is_word(answer, "quit") || is_word(answer, "exit") || is_word(answer, "q") ||
	       is_word(answer, "abort") || is_word(answer, "cancel");
}

static enum bg_step deny(struct bg_attempt *attempt, enum bg_err err)
{
	if (err == BG_ERR_TAKEN_OVER) {
		bg_say(attempt->guest->pamh, "A newer login with the same key has taken this "
					     "request over. Go on there.");
		return BG_STEP_END;
	}
	bg_attempt_record(attempt, BG_EV_DENIED,
		err == BG_ERR_EXPIRED ? "the request ran out" : bg_err_text(err));
	bg_say(attempt->guest->pamh,
		err == BG_ERR_EXPIRED ? "The request ran out of time. Log in again for a new one."
				      : "The request could not go on (see the log).");
	return BG_STEP_END;
}

static bool is_satisfied(const struct bg_attempt *attempt)
{
	return bg_tally_verdict(attempt->guest->crypto, &attempt->guest->seal,
		       attempt->record.digest, &attempt->record.tally) == BG_SATISFIED;
}

/* What goes on from one prompt to the next. */
struct round {
	bool wants_header, wants_help;
	unsigned int empty; /* empty answers in a row */
};

static enum bg_step answer_missing(struct bg_attempt *attempt, struct round *round)
{
	note(attempt, "Nothing was typed.");
	if (++round->empty < EMPTY_MAX)
		return BG_STEP_NEXT;
	bg_attempt_record(attempt, BG_EV_DENIED, "no share was typed");
	return BG_STEP_DENY;
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
		note(attempt, "To leave press Ctrl-C; the same key goes on from here.");
		return BG_STEP_NEXT;
	}
	round->empty = 0;
	if (is_word(&attempt->vault->answer, "new")) {
		bg_entry_wipe(&attempt->vault->entry);
		attempt->note[0] = '\0';
		return BG_STEP_AGAIN;
	}
	err = take_answer(attempt);
	return err == BG_OK ? BG_STEP_NEXT : deny(attempt, err);
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
		return deny(attempt, err);
	if (attempt->refusals >= REFUSALS_MAX)
		return give_up(attempt);
	bg_text_reset(&attempt->text);
	if (round->wants_header)
		put_header(attempt);
	if (round->wants_help)
		put_help(attempt);
	put_question(attempt, round->wants_header && counted(attempt) == 0);
	round->wants_header = round->wants_help = false;
	switch (bg_attempt_ask(attempt, true)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED_EMPTY:
		return answer_missing(attempt, round);
	case BG_ANSWERED_TOO_LONG:
		note(attempt, "Longer than %d characters: nothing was taken. Send it in pieces.",
			BG_ANSWER_LEN);
		return BG_STEP_NEXT;
	case BG_ANSWERED:
		break;
	}
	return take_one(attempt, round);
}

enum bg_step bg_attempt_quorum(struct bg_attempt *attempt)
{
	struct round round = { .wants_header = true };
	enum bg_step step = BG_STEP_NEXT;

	attempt->note[0] = '\0';
	if (attempt->is_resumed && counted(attempt) > 0)
		note(attempt, "Request taken up again: %zu counted.", counted(attempt));
	for (unsigned int i = 0; i < ANSWERS_MAX && step == BG_STEP_NEXT; i++) {
		if (is_satisfied(attempt))
			return BG_STEP_NEXT;
		step = ask_one(attempt, &round);
	}
	if (step != BG_STEP_NEXT)
		return step;
	return is_satisfied(attempt) ? BG_STEP_NEXT : deny(attempt, BG_ERR_TOO_FEW);
}

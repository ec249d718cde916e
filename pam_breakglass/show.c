/* SPDX-License-Identifier: BSD-2-Clause */
/* What the one prompt shows: the request, who is counted and missing, what is wanted now. */
#include "quorum.h"

#include <breakglass/challenge.h>
#include <breakglass/slip39.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROWS 24 /* of the smallest terminal */

void bg_quorum_note(struct bg_attempt *attempt, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(attempt->note, sizeof(attempt->note), fmt, ap);
	va_end(ap);
}

size_t bg_quorum_counted(const struct bg_attempt *attempt)
{
	size_t n = 0;

	for (size_t i = 0; i < attempt->guest->seal.custodian_count; i++)
		n += attempt->record.tally.approvals[i].how != BG_HOW_NONE;
	return n;
}

static void time_left(const struct bg_attempt *attempt, char ret[static 24])
{
	bg_duration_text(bg_attempt_secs_left(attempt), ret);
}

void bg_attempt_put_lock(struct bg_attempt *attempt)
{
	struct bg_lock_state lock;

	bg_locks_look(attempt->guest->crypto, attempt->guest->account, &lock);
	if (!lock.is_locked)
		return;
	bg_text_item(&attempt->text, "Locked");
	if (lock.is_damaged)
		bg_text_item(&attempt->text, " (the lock's file is damaged):");
	else
		bg_text_item(&attempt->text, " %s by %s:", lock.lock.at, lock.lock.by);
	bg_text_item(&attempt->text, attempt->guest->is_drill
					     ? " a use's quorum lifts it, a drill's does not."
					     : " this request's quorum lifts it.");
	bg_text_add(&attempt->text, "\n");
}

/* "BREAK-GLASS breakglass@db1  set 7K3F epoch 3  key a (oncall)  request 4QXM", who is needed and
   how long is left. Shown first, and again after `?`. */
void bg_quorum_put_header(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	const struct bg_request *request = &attempt->record.request;
	char set[BG_SHORT_ID_LEN + 1], id[BG_SHORT_ID_LEN + 1], left[24];
	bool is_first = true;

	bg_short_id(guest->seal.set_id, set);
	bg_short_id(attempt->record.digest, id);
	time_left(attempt, left);
	bg_text_item(&attempt->text, "%s %s@%s", guest->is_drill ? "DRILL" : "BREAK-GLASS",
		guest->account, guest->host.label);
	bg_text_item(&attempt->text, "  set %s epoch %u", set, (unsigned int)guest->seal.epoch);
	bg_text_item(&attempt->text, "  key %s (%s)", request->key, request->holder);
	bg_text_item(&attempt->text, "  request %s", id);
	bg_text_add(&attempt->text, "\n");
	bg_attempt_put_lock(attempt);
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

bool bg_quorum_has_elsewhere(const struct bg_attempt *attempt)
{
	const struct bg_policy *policy = &attempt->guest->seal.policy;

	return policy->remote_approve || policy->remote_combine;
}

enum bg_err bg_quorum_challenge(struct bg_attempt *attempt, bool is_plain, char *ret, size_t size)
{
	const struct bg_guest *guest = attempt->guest;
	struct bg_request_challenge challenge;
	uint8_t body[BG_CODE_MAX_LEN];
	struct bg_writer w = { .p = body, .cap = sizeof(body) };
	enum bg_err err = bg_request_challenge_make(
		guest->crypto, &attempt->record.request, &guest->seal, &challenge);

	if (err == BG_OK)
		err = bg_request_challenge_write(&challenge, &w);
	if (err != BG_OK)
		return err;
	return (is_plain ? bg_code_encode_plain : bg_code_encode)(
		BG_CODE_REQUEST_CHALLENGE, body, w.len, ret, size);
}

static size_t rows(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

void bg_quorum_put_challenge(struct bg_attempt *attempt, bool is_asked_for)
{
	const struct bg_policy *policy = &attempt->guest->seal.policy;
	char code[BG_CODE_TEXT_LEN];

	if (!bg_quorum_has_elsewhere(attempt))
		return;
	if (bg_quorum_challenge(attempt, false, code, sizeof(code)) != BG_OK) {
		bg_text_add(&attempt->text,
			" No request challenge can be made; shares can be typed here.\n");
		return;
	}
	/* beside the names of many custodians there is no room for it */
	if (!is_asked_for && rows(attempt->text.buf) + rows(code) / 2 > ROWS - 4) {
		bg_text_add(&attempt->text,
			" code shows the request challenge, for custodians elsewhere.\n");
		return;
	}
	bg_text_add(&attempt->text, " Request challenge, for custodians elsewhere (%s%s%s):\n",
		policy->remote_approve ? "bg-unlock approve" : "",
		policy->remote_approve && policy->remote_combine ? " or " : "",
		policy->remote_combine ? "combine" : "");
	bg_text_code(&attempt->text, code);
}

/* "ops or dba" : those who are not counted yet. */
static void put_missing(struct bg_attempt *attempt)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	size_t missing = seal->custodian_count - bg_quorum_counted(attempt), seen = 0;

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
const char *bg_quorum_head_name(const struct bg_attempt *attempt)
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

size_t bg_quorum_words(const struct bg_attempt *attempt)
{
	return attempt->guest->seal.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
}

/* What is missing of a share that was begun. False: nothing was. */
static bool put_rest_of_share(struct bg_attempt *attempt)
{
	const struct bg_entry *entry = &attempt->vault->entry;
	const char *name = bg_quorum_head_name(attempt);
	bool is_modhex = entry->modhex_len > 0;
	size_t whole = bg_quorum_words(attempt);

	if (entry->state == BG_ENTRY_BAD_WORD || entry->state == BG_ENTRY_REFUSED) {
		bg_text_item(&attempt->text, " Word %u%s%s: ", entry->bad_number,
			name != NULL ? " of the share of " : "", name != NULL ? name : "");
		return true;
	}
	if (entry->state != BG_ENTRY_MORE)
		return false;
	if (is_modhex)
		whole = whole == BG_SLIP39_WORDS_128 ? (size_t)BG_COMPACT_CHARS_128
						     : (size_t)BG_COMPACT_CHARS_256;
	bg_text_item(&attempt->text,
		"%s: %zu of %zu %s, go on: ", name != NULL ? name : "this share",
		is_modhex ? entry->modhex_len : entry->words.count, whole,
		is_modhex ? "characters" : "words");
	return true;
}

static bool put_rest_of_code(struct bg_attempt *attempt)
{
	char left[24], wanted[64];

	bg_quorum_code_wanted(attempt, wanted);
	if (wanted[0] == '\0')
		return false;
	time_left(attempt, left);
	bg_text_item(&attempt->text, "%s (%s left): ", wanted, left);
	return true;
}

/* The last lines of the prompt: the result, then what is wanted now; of a share and a code that
   were both begun, what was given last. */
void bg_quorum_put_question(struct bg_attempt *attempt, bool is_first)
{
	char left[24];

	if (attempt->note[0] != '\0') {
		bg_text_item(&attempt->text, "%s ", attempt->note);
		if (strlen(attempt->note) > 40)
			bg_text_add(&attempt->text, "\n");
	}
	if ((attempt->is_code_last && put_rest_of_code(attempt)) || put_rest_of_share(attempt) ||
		put_rest_of_code(attempt))
		return;
	bg_text_item(&attempt->text, "Share %zu of %u", bg_quorum_counted(attempt) + 1,
		(unsigned int)attempt->guest->seal.threshold);
	if (is_first) {
		bg_text_item(&attempt->text, " (words, or their first 4 letters; ? helps): ");
		return;
	}
	time_left(attempt, left);
	bg_text_item(&attempt->text, " (");
	put_missing(attempt);
	bg_text_item(&attempt->text, "; %s left): ", left);
}

void bg_quorum_put_help(struct bg_attempt *attempt)
{
	bg_text_add(&attempt->text,
		" Type a custodian's %zu words as read to you, on one line or several; their\n"
		" first 4 letters will do. Or the %d characters of the short form. Nothing is\n"
		" shown. A wrong word costs only that word; a wrong share is named and dropped.\n"
		" All %zu on one line begin a share anew, also in the middle of one.\n",
		bg_quorum_words(attempt),
		bg_quorum_words(attempt) == BG_SLIP39_WORDS_128 ? BG_COMPACT_CHARS_128
								: BG_COMPACT_CHARS_256,
		bg_quorum_words(attempt));
	if (bg_quorum_has_elsewhere(attempt))
		bg_text_add(&attempt->text,
			" Or paste what a custodian elsewhere gives back for the request "
			"challenge,\n"
			" on one line or line by line.\n"
			" code    show the request challenge again; qr shows it as a QR code\n");
	bg_text_add(&attempt->text,
		" new     drop this request and begin anew\n"
		" Ctrl-C  leave; the same key goes on with this request, at any door\n");
}

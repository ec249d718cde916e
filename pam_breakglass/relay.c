/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first factor from elsewhere: a touch challenge is shown, `bg-unlock
 * touch` has it answered by the key, and the answer is typed or pasted here. A
 * challenge lives in this process and nowhere else, and dies with the first
 * whole answer, right or wrong. No key in the host is asked for anything.
 */
#include "attempt.h"

#include <breakglass/challenge.h>
#include <breakglass/code_text.h>
#include <breakglass/os_random.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROMPTS_MAX  60 /* of one connection; an answer has 7 lines */
#define REFUSALS_MAX 8	/* whole answers that prove nothing */
#define NOTHINGS_MAX 10 /* answers that are no code at all */

struct relay {
	struct bg_attempt *attempt;
	uint8_t digest[BG_SHA256_LEN];
	char lines[BG_CODE_TEXT_LEN]; /* the challenge, grouped, LF after each line */
	struct bg_code answer;	      /* so far */
	struct bg_code_problem problem;
	bool wants_challenge, wants_help;
};

/* What became of one answer. */
enum turn {
	TURN_ON, /* another prompt */
	TURN_PROVED,
	TURN_BACK, /* to the keys in this host */
	TURN_END
};

static void note(struct relay *relay, const char *fmt, ...) BG_PRINTF(2, 3);

static void note(struct relay *relay, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(relay->attempt->note, sizeof(relay->attempt->note), fmt, ap);
	va_end(ap);
}

bool bg_attempt_may_relay(const struct bg_attempt *attempt)
{
	const struct bg_seal *seal = &attempt->guest->seal;

	for (size_t i = 0; i < seal->key_count; i++) {
		if (seal->keys[i].credential_len > 0)
			return seal->policy.remote_touch;
	}
	return false;
}

bool bg_attempt_wants_relay(const struct bg_attempt *attempt)
{
	const struct bg_answer *answer = &attempt->vault->answer;

	return bg_attempt_may_relay(attempt) && bg_answer_is(answer, "touch");
}

enum bg_err bg_attempt_touch(const struct bg_attempt *attempt, struct bg_touch *ret)
{
	const struct bg_guest *guest = attempt->guest;
	struct bg_touch touch = { 0 };

	if (bg_os_random(NULL, touch.nonce, sizeof(touch.nonce)) != 0)
		return BG_ERR_RANDOM;
	memcpy(touch.seal_digest, guest->seal.digest, BG_SHA256_LEN);
	(void)snprintf(touch.host_label, sizeof(touch.host_label), "%s", guest->host.label);
	(void)snprintf(touch.account, sizeof(touch.account), "%s", guest->seal.account);
	(void)snprintf(touch.service, sizeof(touch.service), "%s", guest->service);
	(void)snprintf(touch.origin, sizeof(touch.origin), "%s", guest->origin);
	*ret = touch;
	return BG_OK;
}

/* A fresh challenge; the one before it is dead, and so is what was typed for it. */
static enum bg_err renew(struct relay *relay)
{
	const struct bg_guest *guest = relay->attempt->guest;
	struct bg_touch_challenge challenge = { 0 };
	uint8_t body[BG_CODE_MAX_LEN];
	struct bg_writer w = { .p = body, .cap = sizeof(body) };
	enum bg_err err = bg_attempt_touch(relay->attempt, &challenge.touch);

	memset(relay->digest, 0, sizeof(relay->digest));
	memset(&relay->answer, 0, sizeof(relay->answer));
	relay->wants_challenge = true;
	(void)snprintf(challenge.zone, sizeof(challenge.zone), "%s", guest->seal.zone);
	if (err == BG_OK)
		err = bg_touch_challenge_write(&challenge, &w);
	if (err == BG_OK)
		err = bg_code_encode(
			BG_CODE_TOUCH_CHALLENGE, body, w.len, relay->lines, sizeof(relay->lines));
	if (err == BG_OK)
		err = bg_touch_digest(guest->crypto, &challenge.touch, relay->digest);
	return err;
}

static void put_challenge(struct relay *relay)
{
	struct bg_text *text = &relay->attempt->text;

	bg_text_add(text, "Touch challenge, for bg-unlock touch where your security key is:\n");
	bg_text_code(text, relay->lines);
}

static void put_help(struct relay *relay)
{
	bg_text_add(&relay->attempt->text,
		" Where your security key is run bg-unlock touch, and give it the challenge. It\n"
		" shows what is opened, asks for PIN and touch, and gives an answer: type or\n"
		" paste that here, in one go or line by line. Enter alone makes a new challenge;\n"
		" key looks for a key here again.\n");
}

/* So short that a line of the answer, which is echoed, fits behind it. */
static void put_question(struct relay *relay)
{
	struct bg_text *text = &relay->attempt->text;
	char left[24];

	bg_duration_text(bg_attempt_secs_left(relay->attempt), left);
	if (!relay->answer.is_begun)
		bg_text_item(text, "Its answer");
	else if (relay->problem.total > 0)
		bg_text_item(text, "Line %u of %u", relay->problem.line, relay->problem.total);
	else
		bg_text_item(text, "Its line %u", relay->problem.line);
	bg_text_item(text, " (? helps; %s left): ", left);
}

static enum bg_asked ask(struct relay *relay)
{
	struct bg_attempt *attempt = relay->attempt;

	bg_text_reset(&attempt->text);
	if (attempt->note[0] != '\0')
		bg_text_add(&attempt->text, "%s\n", attempt->note);
	attempt->note[0] = '\0';
	if (relay->wants_help)
		put_help(relay);
	if (relay->wants_challenge)
		put_challenge(relay);
	put_question(relay);
	relay->wants_help = relay->wants_challenge = false;
	return bg_attempt_ask(attempt, false);
}

/* The enrolled key that answer names, and its assertion over this challenge. */
static enum bg_err verify(
	struct relay *relay, const struct bg_touch_answer *answer, struct bg_diag *diag)
{
	struct bg_attempt *attempt = relay->attempt;
	const struct bg_guest *guest = attempt->guest;
	const struct bg_seal *seal = &guest->seal;
	uint8_t hash[BG_CREDENTIAL_HASH_LEN];
	struct bg_assertion assertion;
	enum bg_err err = bg_touch_answer_assertion(guest->crypto, answer, seal->rp_id, &assertion);

	if (err != BG_OK)
		return err;
	err = bg_diag_set(diag, BG_ERR_NOT_ENROLLED, NULL, "%s", "no enrolled key");
	for (size_t i = 0; i < seal->key_count && err != BG_OK; i++) {
		const struct bg_key *key = &seal->keys[i];

		if (key->credential_len == 0 ||
			bg_credential_hash(guest->crypto, key->credential, key->credential_len,
				hash) != BG_OK ||
			memcmp(hash, answer->credential_hash, sizeof(hash)) != 0)
			continue;
		err = bg_assertion_verify(
			guest->crypto, key, seal->rp_id, relay->digest, &assertion, diag);
		if (err == BG_OK)
			attempt->key = i;
	}
	return err;
}

static enum bg_err judge(struct relay *relay, struct bg_diag *diag)
{
	struct bg_touch_answer answer;
	const uint8_t *body = NULL;
	size_t len = 0;

	if (!bg_code_is_whole(&relay->answer, &body, &len))
		return bg_diag_set(diag, BG_ERR_STATE, NULL, "%s", "not whole");
	if (bg_touch_answer_read(body, len, &answer) != BG_OK)
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL, "%s", "malformed");
	if (memcmp(answer.tag, relay->digest, BG_TAG_LEN) != 0)
		return bg_diag_set(diag, BG_ERR_USED, NULL, "%s", "of another challenge");
	return verify(relay, &answer, diag);
}

static enum turn renewed(struct relay *relay)
{
	if (renew(relay) == BG_OK)
		return TURN_ON;
	bg_attempt_key_refused(relay->attempt, "touch elsewhere: no challenge could be made");
	return TURN_END;
}

/* No lockout: another connection begins anew. */
static enum turn enough(struct relay *relay)
{
	bg_say(relay->attempt->guest->pamh,
		"Too many answers that prove no key. Log in again for a new challenge.");
	return TURN_END;
}

static enum turn take_whole(struct relay *relay)
{
	struct bg_attempt *attempt = relay->attempt;
	char result[BG_DIAG_WHAT_LEN + 32];
	struct bg_diag diag = { 0 };
	enum bg_err err;

	attempt->relay.refusals++; /* counted before it is tried (RULES P21) */
	err = judge(relay, &diag);
	if (err == BG_OK) {
		attempt->relay.refusals = 0;
		attempt->how = BG_KEY_ELSEWHERE;
		return TURN_PROVED;
	}
	(void)snprintf(result, sizeof(result), "touch elsewhere: %s",
		diag.what[0] != '\0' ? diag.what : bg_err_text(err));
	bg_attempt_key_refused(attempt, result);
	if (err == BG_ERR_USED)
		note(relay, "That answers another challenge than the last one. Here is a new one.");
	else
		note(relay, "Security key not accepted. Here is a new challenge.");
	return attempt->relay.refusals < REFUSALS_MAX ? renewed(relay) : enough(relay);
}

static enum turn take_code(struct relay *relay)
{
	struct bg_attempt *attempt = relay->attempt;
	const struct bg_answer *text = &attempt->vault->answer;
	enum bg_code_took took = bg_code_take(&relay->answer, BG_WANTED(BG_CODE_TOUCH_ANSWER),
		text->text, text->len, &relay->problem);

	switch (took) {
	case BG_TOOK_WHOLE:
		return take_whole(relay);
	case BG_TOOK_MORE:
		break;
	case BG_TOOK_BAD_LINE:
		note(relay, "Line %u does not add up: a character is misread. Only it is wanted.",
			relay->problem.line);
		break;
	case BG_TOOK_OTHER_KIND:
		note(relay, "That is %s; the answer of bg-unlock touch is wanted.",
			bg_code_kind_text(relay->problem.kind));
		break;
	case BG_TOOK_MIXED:
		memset(&relay->answer, 0, sizeof(relay->answer));
		note(relay, "Those are lines of two answers; nothing of them is kept.");
		break;
	case BG_TOOK_NOTHING:
		note(relay, "That is no code; the answer of bg-unlock touch is wanted.");
		/* sshd's password method gives every prompt the same answer */
		return ++attempt->relay.nothings < NOTHINGS_MAX ? TURN_ON : enough(relay);
	}
	return TURN_ON;
}

static enum turn take(struct relay *relay)
{
	const struct bg_answer *answer = &relay->attempt->vault->answer;

	if (bg_answer_is(answer, "?") || bg_answer_is(answer, "help")) {
		relay->wants_help = relay->wants_challenge = true;
		return TURN_ON;
	}
	if (bg_answer_is(answer, "key"))
		return TURN_BACK;
	return take_code(relay);
}

static enum turn one(struct relay *relay)
{
	switch (ask(relay)) {
	case BG_GONE:
		return TURN_END;
	case BG_ANSWERED_EMPTY:
		return renewed(relay);
	case BG_ANSWERED_TOO_LONG:
		note(relay, "Longer than %d characters: nothing was taken. Send it in pieces.",
			BG_ANSWER_LEN);
		return TURN_ON;
	case BG_ANSWERED:
		break;
	}
	return take(relay);
}

enum bg_step bg_attempt_relay(struct bg_attempt *attempt)
{
	struct relay relay = { .attempt = attempt };
	enum turn turn = renewed(&relay);

	attempt->note[0] = '\0';
	while (turn == TURN_ON)
		turn = attempt->relay.prompts++ < PROMPTS_MAX ? one(&relay) : enough(&relay);
	bg_answer_wipe(&attempt->vault->answer);
	switch (turn) {
	case TURN_PROVED:
		return BG_STEP_NEXT;
	case TURN_BACK:
		attempt->note[0] = '\0';
		return BG_STEP_AGAIN;
	case TURN_ON:
	case TURN_END:
		break;
	}
	return BG_STEP_END;
}

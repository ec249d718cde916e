/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first factor: a key plugged into the host, unless ssh has proved it
 * (sshkey.c) or it is touched elsewhere (relay.c). Before it is proved only this
 * is said: no key here, key not accepted, wrong PIN and tries left.
 */
#include "attempt.h"

#include <breakglass/assertion.h>
#include <breakglass/os_helper.h>
#include <breakglass/paths.h>
#include <breakglass/secret.h>
#include <stdio.h>
#include <string.h>

#define LOOKS_MAX      20 /* prompts of one attempt before a key is proved */
#define TOUCH_SECS     30
#define RESERVED_TRIES 3 /* PIN tries that a network door never spends */
#define PIN_MIN_LEN    4
#define REPEATS_MAX    3

struct hunt {
	size_t seal_key[BG_KEYS_MAX]; /* of each credential handed to the helper */
	struct bg_fido2_reply reply;
	unsigned int repeats; /* answers that only repeated the last one */
	const char *only;     /* the key that was named, where several are plugged in */
	bool is_elsewhere;    /* a touch elsewhere was asked for */
};

#define ELSEWHERE "or type touch to use one elsewhere: "

static void prepare(struct bg_attempt *attempt, struct hunt *hunt, enum bg_fido2_op op)
{
	struct bg_fido2_request *request = &attempt->vault->fido2;
	const struct bg_seal *seal = &attempt->guest->seal;

	bg_fido2_request_wipe(request);
	request->op = op;
	(void)snprintf(request->device, sizeof(request->device), "%s", attempt->guest->conf.device);
	(void)snprintf(request->rp_id, sizeof(request->rp_id), "%s", seal->rp_id);
	request->timeout_secs = TOUCH_SECS;
	for (size_t i = 0; i < seal->key_count; i++) {
		const struct bg_key *key = &seal->keys[i];
		size_t n = request->credential_count;

		if (key->credential_len == 0 || (hunt->only != NULL && hunt->only != key->name))
			continue;
		memcpy(request->credentials[n].id, key->credential, key->credential_len);
		request->credentials[n].len = key->credential_len;
		hunt->seal_key[n] = i;
		request->credential_count++;
	}
}

static enum bg_err helper(struct bg_attempt *attempt, struct hunt *hunt)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;

	memset(&hunt->reply, 0, sizeof(hunt->reply));
	err = bg_helper_run(BG_PATH_FIDO2, &attempt->vault->fido2, &hunt->reply, &diag);
	bg_fido2_request_wipe(&attempt->vault->fido2);
	return err == BG_OK ? hunt->reply.err : err;
}

/* What a stranger may cause as often as he likes is not recorded as often. */
void bg_attempt_key_refused(struct bg_attempt *attempt, const char *result)
{
	if (bg_guest_may_tell(attempt->guest))
		bg_guest_record(attempt->guest, BG_EV_KEY_REFUSED, result);
}

const char *bg_attempt_proved_text(const struct bg_attempt *attempt)
{
	static const char *const texts[][2] = {
		[BG_KEY_HERE] = { "key proved", "key proved again, request taken up" },
		[BG_KEY_BY_SSH] = { "key proved by ssh",
			"key proved again by ssh, request taken up" },
		[BG_KEY_ELSEWHERE] = { "key proved elsewhere (touch)",
			"key proved again elsewhere (touch), request taken up" },
	};

	return texts[attempt->how][attempt->is_resumed ? 1 : 0];
}

/* sshd's password method gives every prompt the same answer: it is not let through twenty times,
   and a PIN that was wrong is not sent again, whoever types it. */
static enum bg_step note_repeat(struct bg_attempt *attempt, struct hunt *hunt)
{
	if (++hunt->repeats < REPEATS_MAX)
		return BG_STEP_NEXT;
	bg_attempt_key_refused(attempt, "the same answer to every prompt");
	return BG_STEP_END;
}

static bool asked_elsewhere(struct bg_attempt *attempt, struct hunt *hunt)
{
	hunt->is_elsewhere = bg_attempt_wants_relay(attempt);
	return hunt->is_elsewhere;
}

/* "No key" prompts: Enter, or anything else, looks again; `touch` goes elsewhere, also where the
   prompt does not offer it. Returns BG_STEP_NEXT for either. */
static enum bg_step ask_again(
	struct bg_attempt *attempt, struct hunt *hunt, const char *prompt, bool is_offered)
{
	bg_text_reset(&attempt->text);
	if (attempt->note[0] != '\0')
		bg_text_add(&attempt->text, "%s\n", attempt->note);
	attempt->note[0] = '\0';
	bg_text_add(&attempt->text, "%s", prompt);
	if (is_offered && bg_attempt_may_relay(attempt))
		bg_text_add(&attempt->text, ",\n " ELSEWHERE);
	else
		bg_text_add(&attempt->text, ": ");
	switch (bg_attempt_ask(attempt, true)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED:
		if (asked_elsewhere(attempt, hunt))
			return BG_STEP_NEXT;
		return note_repeat(attempt, hunt);
	case BG_ANSWERED_TOO_LONG:
		return note_repeat(attempt, hunt);
	case BG_ANSWERED_EMPTY:
		break;
	}
	return BG_STEP_NEXT;
}

/* The key that is here may yet do. */
static enum bg_step try_again(struct bg_attempt *attempt, struct hunt *hunt, const char *prompt)
{
	return ask_again(attempt, hunt, prompt, false);
}

/* Another key is needed than those that are here. */
static enum bg_step want_another(struct bg_attempt *attempt, struct hunt *hunt, const char *prompt)
{
	return ask_again(attempt, hunt, prompt, true);
}

/* A PIN is never sent to a key chosen by guess; which names there are is not said here. */
static enum bg_step ask_which(struct bg_attempt *attempt, struct hunt *hunt)
{
	const struct bg_answer *answer = &attempt->vault->answer;
	int at;

	hunt->only = NULL;
	bg_text_reset(&attempt->text);
	bg_text_add(&attempt->text, "Several enrolled security keys here. Type the name of yours,\n"
				    " or leave only yours in and press Enter: ");
	switch (bg_attempt_ask(attempt, false)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED:
		at = bg_seal_find_key(&attempt->guest->seal, answer->text);
		if (at < 0)
			return asked_elsewhere(attempt, hunt) ? BG_STEP_NEXT
							      : note_repeat(attempt, hunt);
		hunt->only = attempt->guest->seal.keys[at].name;
		return BG_STEP_NEXT;
	case BG_ANSWERED_TOO_LONG:
		return note_repeat(attempt, hunt);
	case BG_ANSWERED_EMPTY:
		break;
	}
	return BG_STEP_NEXT;
}

static enum bg_step say_why(struct bg_attempt *attempt, struct hunt *hunt, enum bg_err err)
{
	switch ((int)err) {
	case BG_ERR_NO_DEVICE:
		return want_another(
			attempt, hunt, "No security key here. Plug one in and press Enter");
	case BG_ERR_BUSY:
		return try_again(attempt, hunt,
			"The security key is busy with another login. Press Enter to try again");
	case BG_ERR_TIMEOUT:
		return try_again(attempt, hunt,
			"The security key was not touched in time. Press Enter to try again");
	case BG_ERR_DENIED:
	case BG_ERR_CANCELLED:
	case BG_ERR_IO:
		return try_again(attempt, hunt,
			"The security key did not answer. Plug it in again and press Enter");
	case BG_ERR_PIN_BLOCKED:
		bg_attempt_key_refused(attempt, "PIN blocked");
		return want_another(attempt, hunt,
			"No PIN tries left now. Plug the security key out and in,"
			"\n or use another one, then press Enter");
	case BG_ERR_PIN_RESERVED:
		bg_attempt_key_refused(attempt, "too few PIN tries left for a network door");
		return want_another(attempt, hunt,
			"Only 3 PIN tries are left: they are for an ordinary console login."
			"\n Go there, or use another security key and press Enter");
	case BG_ERR_ARGUMENT:
		if (hunt->reply.device_count > 1)
			return ask_which(attempt, hunt);
		bg_attempt_key_refused(attempt, bg_err_text(err));
		return want_another(attempt, hunt,
			"Security key not accepted. Plug in an enrolled one and press Enter");
	case BG_ERR_HELPER:
		if (bg_guest_may_tell(attempt->guest))
			bg_guest_record(attempt->guest, BG_EV_DEGRADED, "bg-fido2 failed");
		return want_another(attempt, hunt,
			"Security keys cannot be read here (bg-fido2). Press Enter to try again");
	default:
		bg_attempt_key_refused(attempt, bg_err_text(err));
		return want_another(attempt, hunt,
			"Security key not accepted. Plug in an enrolled one and press Enter");
	}
}

/* At a local door the last tries are spent only after a typed confirmation. */
static enum bg_step confirm_last(struct bg_attempt *attempt, struct hunt *hunt, unsigned int left)
{
	enum bg_asked asked;

	bg_text_reset(&attempt->text);
	bg_text_add(&attempt->text,
		"Only %u PIN tr%s left, then this key is blocked for good.\n"
		" Type yes to try%s: ",
		left, left == 1 ? "y is" : "ies are",
		bg_attempt_may_relay(attempt) ? ", touch to use one elsewhere" : "");
	asked = bg_attempt_ask(attempt, false);
	if (asked == BG_GONE)
		return BG_STEP_END;
	if (asked == BG_ANSWERED && asked_elsewhere(attempt, hunt))
		return BG_STEP_AGAIN;
	return asked == BG_ANSWERED && strcmp(attempt->vault->answer.text, "yes") == 0
		       ? BG_STEP_NEXT
		       : BG_STEP_DENY;
}

/* `?` at the PIN prompt: it is too short for a PIN. A word that could be one is never understood
   as anything else. */
static enum bg_step ask_where(struct bg_attempt *attempt, struct hunt *hunt)
{
	bg_text_reset(&attempt->text);
	bg_text_add(&attempt->text, "Press Enter to use the security key here, " ELSEWHERE);
	switch (bg_attempt_ask(attempt, true)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED:
		(void)asked_elsewhere(attempt, hunt);
		break;
	case BG_ANSWERED_TOO_LONG:
	case BG_ANSWERED_EMPTY:
		break;
	}
	return BG_STEP_AGAIN;
}

static enum bg_step ask_pin(struct bg_attempt *attempt, struct hunt *hunt)
{
	struct bg_answer *answer = &attempt->vault->answer;
	unsigned int left = hunt->reply.retries;
	enum bg_step step;

	if (left <= RESERVED_TRIES && left != 0xff && attempt->guest->is_local) {
		step = confirm_last(attempt, hunt, left);
		if (step != BG_STEP_NEXT)
			return step;
	}
	bg_text_reset(&attempt->text);
	if (attempt->note[0] != '\0')
		bg_text_add(&attempt->text, "%s\n", attempt->note);
	bg_text_add(&attempt->text, "PIN of your security key, then touch it when it blinks%s: ",
		bg_attempt_may_relay(attempt) ? " (? helps)" : "");
	switch (bg_attempt_ask(attempt, true)) {
	case BG_GONE:
		return BG_STEP_END;
	case BG_ANSWERED_EMPTY: /* never reaches the device (RULES P02) */
		bg_attempt_key_refused(attempt, "no PIN was typed; nothing was sent");
		bg_say(attempt->guest->pamh, "No PIN was typed.");
		return BG_STEP_DENY;
	case BG_ANSWERED_TOO_LONG:
		answer->len = BG_PIN_LEN + 1;
		break;
	case BG_ANSWERED:
		break;
	}
	if (bg_attempt_may_relay(attempt) && answer->len == 1 && answer->text[0] == '?')
		return ask_where(attempt, hunt);
	if (answer->len < PIN_MIN_LEN || answer->len > BG_PIN_LEN) {
		(void)snprintf(attempt->note, sizeof(attempt->note),
			"A PIN has 4 to 63 characters; nothing was sent, %u tr%s left.", left,
			left == 1 ? "y" : "ies");
		return BG_STEP_AGAIN;
	}
	if (answer->len == attempt->vault->pin.len &&
		bg_equal(answer->text, attempt->vault->pin.text, answer->len)) {
		(void)snprintf(attempt->note, sizeof(attempt->note),
			"The same PIN again; nothing was sent, %u tr%s left.", left,
			left == 1 ? "y" : "ies");
		return note_repeat(attempt, hunt) == BG_STEP_NEXT ? BG_STEP_AGAIN : BG_STEP_END;
	}
	return BG_STEP_NEXT;
}

static void note_wrong_pin(struct bg_attempt *attempt, unsigned int left)
{
	char result[48];

	(void)snprintf(result, sizeof(result), "wrong PIN, tries left %u", left);
	/* always: the key itself counts how often */
	bg_guest_record(attempt->guest, BG_EV_KEY_REFUSED, result);
	(void)snprintf(attempt->note, sizeof(attempt->note),
		"Wrong PIN, %u tr%s left. Caps Lock? Keyboard layout?", left,
		left == 1 ? "y" : "ies");
}

/* PIN and touch on the key that was found; its answer is verified here, whatever the helper says.
 */
static enum bg_err prove(struct bg_attempt *attempt, struct hunt *hunt, struct bg_diag *diag)
{
	struct bg_fido2_request *request = &attempt->vault->fido2;
	const struct bg_seal *seal = &attempt->guest->seal;
	struct bg_answer *answer = &attempt->vault->answer;
	uint8_t challenge[BG_SHA256_LEN];
	struct bg_touch touch;
	enum bg_err err = bg_attempt_touch(attempt, &touch);

	if (err == BG_OK)
		err = bg_touch_digest(attempt->guest->crypto, &touch, challenge);
	if (err != BG_OK)
		return err;
	prepare(attempt, hunt, BG_FIDO2_ASSERT);
	memcpy(request->client_data_hash, challenge, sizeof(challenge));
	memcpy(request->pin.text, answer->text, answer->len);
	attempt->vault->pin = *answer;
	bg_answer_wipe(answer);
	request->min_retries = attempt->guest->is_local ? 0 : RESERVED_TRIES;
	err = helper(attempt, hunt);
	if (err != BG_OK)
		return err;
	if (hunt->reply.credential >= BG_KEYS_MAX ||
		hunt->seal_key[hunt->reply.credential] >= seal->key_count)
		return BG_ERR_HELPER;
	attempt->key = hunt->seal_key[hunt->reply.credential];
	return bg_assertion_verify(attempt->guest->crypto, &seal->keys[attempt->key], seal->rp_id,
		challenge, &hunt->reply.assertion, diag);
}

/* One look at the keys that are there. BG_STEP_AGAIN: look again. */
static enum bg_step try_once(struct bg_attempt *attempt, struct hunt *hunt)
{
	struct bg_diag diag = { 0 };
	enum bg_step step;
	enum bg_err err;

	prepare(attempt, hunt, BG_FIDO2_FIND);
	err = helper(attempt, hunt);
	if (err == BG_OK && !attempt->guest->is_local && hunt->reply.retries <= RESERVED_TRIES)
		err = BG_ERR_PIN_RESERVED;
	if (err == BG_OK && hunt->reply.retries == 0)
		err = BG_ERR_PIN_BLOCKED;
	if (err != BG_OK)
		return say_why(attempt, hunt, err) == BG_STEP_NEXT ? BG_STEP_AGAIN : BG_STEP_END;
	step = ask_pin(attempt, hunt);
	if (step != BG_STEP_NEXT)
		return step;
	attempt->note[0] = '\0';
	err = prove(attempt, hunt, &diag);
	if (err != BG_ERR_PIN && err != BG_OK)
		bg_answer_wipe(&attempt->vault->pin);
	if (err == BG_OK)
		return BG_STEP_NEXT;
	if (err == BG_ERR_PIN) {
		note_wrong_pin(attempt, hunt->reply.retries);
		return BG_STEP_AGAIN;
	}
	return say_why(attempt, hunt, err) == BG_STEP_NEXT ? BG_STEP_AGAIN : BG_STEP_END;
}

static enum bg_step hunt_for_key(struct bg_attempt *attempt)
{
	struct hunt hunt = { 0 };

	for (unsigned int looks = 0; looks < LOOKS_MAX; looks++) {
		enum bg_step step = try_once(attempt, &hunt);

		if (hunt.is_elsewhere) {
			hunt.is_elsewhere = false;
			step = bg_attempt_relay(attempt);
		}
		if (step != BG_STEP_AGAIN)
			return step;
	}
	return BG_STEP_END;
}

enum bg_step bg_attempt_key(struct bg_attempt *attempt)
{
	enum bg_step step = bg_attempt_ssh_key(attempt) ? BG_STEP_NEXT : hunt_for_key(attempt);

	if (step != BG_STEP_NEXT)
		return step;
	attempt->is_proved = true;
	attempt->note[0] = '\0';
	bg_attempts_reset(attempt->guest->host.uid);
	return BG_STEP_NEXT;
}

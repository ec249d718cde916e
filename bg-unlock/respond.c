/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `combine` with a request challenge: custodians gathered at this machine, one
 * after the other, on the alternate screen, which is cleared before the next one
 * looks. The secret lives from the last share to the signature.
 */
#include "bg-unlock.h"
#include "combine.h"
#include "exposure.h"

#include <stdio.h>
#include <string.h>

#define MISSING_LEN 57

static int cancelled(void)
{
	bg_note("no response was made");
	return BG_EXIT_NO;
}

/* "ops or audit"; without a seal nobody's name is known: "number 1 or 3". "": too many for a line.
 */
static void missing_text(const struct bg_combine *s, char ret[static MISSING_LEN])
{
	const struct bg_request_challenge *challenge = &s->request.challenge;
	const struct bg_seal *seal = s->request.seal;
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < challenge->custodian_count && used < MISSING_LEN; i++) {
		unsigned int index = challenge->custodians[i].index;
		const char *name = "";

		if (s->exposed >> index & 1)
			continue;
		for (size_t j = 0; seal && j < seal->custodian_count; j++)
			if (seal->custodians[j].index == index)
				name = seal->custodians[j].name;
		if (seal)
			used += (size_t)snprintf(
				ret + used, MISSING_LEN - used, "%s%s", used ? " or " : "", name);
		else
			used += (size_t)snprintf(ret + used, MISSING_LEN - used, "%s%u",
				used ? " or " : "number ", index + 1);
	}
	if (used >= MISSING_LEN)
		ret[0] = '\0';
}

/* Somebody has been counted, and not enough. */
static int is_short(const struct bg_combine *s)
{
	char missing[MISSING_LEN];

	missing_text(s, missing);
	if (s->count) {
		bg_error(
			"the quorum is short: %zu of %u", s->count, s->request.challenge.threshold);
		if (*missing)
			bg_hint("ask %s", missing);
	}
	return cancelled();
}

static void tell_counted(struct bg_combine *s, const char *whose)
{
	const unsigned int threshold = s->request.challenge.threshold;
	char missing[MISSING_LEN];

	missing_text(s, missing);
	bg_tty_say(&s->tty, "%s counted, %zu of %u.\n", whose, s->count, threshold);
	if (s->count < threshold && *missing)
		bg_tty_say(&s->tty, "Missing: %s.\n", missing);
}

int bg_respond_ask(struct bg_crypto *crypto, struct bg_combine *s, const struct bg_seal *seal,
	bool *ret_is_none)
{
	const uint8_t *body = NULL;
	size_t len = 0;
	enum bg_asked asked;
	int status;

	s->code = (struct bg_ask_code){
		.tty = &s->tty, .wanted = BG_WANTED(BG_CODE_REQUEST_CHALLENGE), .may_end = true
	};
	asked = bg_ask_code(&s->code,
		"Request challenge (Enter: none, only check the shares; ? helps):", &body, &len);
	*ret_is_none = asked == BG_ASKED_END;
	if (asked == BG_ASKED_END)
		return BG_EXIT_DONE;
	if (asked != BG_ASKED_CODE)
		return cancelled();
	status = bg_request_take(crypto, body, len, seal, &s->request);
	if (status || !seal || seal->policy.remote_combine)
		return status;
	bg_error("this seal takes no response from elsewhere");
	bg_hint("shares are typed at the host's own prompt, or each custodian runs approve");
	return BG_EXIT_NO;
}

/* The header that a compact share lacks, as the challenge knows it. */
static void complete(struct bg_given *given, const struct bg_request_challenge *challenge)
{
	const struct bg_seal seal = { .slip39_id = challenge->slip39_id,
		.threshold = challenge->threshold };

	bg_given_complete(given, &seal);
}

/* Judges the share just given. True: one more is counted. */
static bool judge(
	struct bg_crypto *crypto, struct bg_combine *s, char whose[static BG_WHOSE_LEN], int *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
	struct bg_given *given = &s->given[0];
	unsigned int bit = 1u << given->share.member_index;
	enum bg_err err = bg_request_share(crypto, &s->request, given, &seed, whose);

	if (bg_exit_of(err) == BG_EXIT_MACHINE) {
		*ret = bg_fail(err, NULL, NULL);
		return false;
	}
	if (err || s->exposed & bit) {
		if (err)
			bg_tty_say(&s->tty, " %s.\n Not counted.\n", whose);
		else
			bg_tty_say(
				&s->tty, " %s is counted already; another one is wanted.\n", whose);
		bg_given_wipe(given);
		return false;
	}
	complete(given, &s->request.challenge);
	s->shares[s->count++] = given->share;
	s->exposed |= (uint16_t)bit;
	(void)!bg_exposure_member(
		crypto, &s->request.challenge.request, given->share.member_index, "combine");
	bg_given_wipe(given);
	return true;
}

/* One custodian on a screen of the own, gone when the share is counted. */
static int one_custodian(
	struct bg_crypto *crypto, struct bg_combine *s, char whose[static BG_WHOSE_LEN])
{
	const struct bg_request_challenge *challenge = &s->request.challenge;
	const struct bg_request *request = &challenge->request;
	bool is_counted = false;
	int status = BG_EXIT_DONE;
	char prompt[96];

	bg_tty_alternate(&s->tty, true);
	bg_tty_say(&s->tty, " Request %s, %s: %s on %s\n set %s epoch %u\n\n", s->request.id,
		bg_purpose_text(request->purpose), request->account, request->host_label,
		s->request.set, challenge->epoch);
	(void)snprintf(prompt, sizeof(prompt),
		"Share %zu of %u (words, or their first 4 letters; ? helps):", s->count + 1,
		challenge->threshold);
	while (!is_counted && !status) {
		if (bg_ask_share(&s->ask, prompt, &s->given[0]) == BG_ASKED_SHARE)
			is_counted = judge(crypto, s, whose, &status);
		else
			status = BG_EXIT_NO;
	}
	bg_tty_alternate(&s->tty, false);
	return status == BG_EXIT_NO ? is_short(s) : status;
}

static int gather(struct bg_crypto *crypto, struct bg_combine *s)
{
	const struct bg_request_challenge *challenge = &s->request.challenge;
	char whose[BG_WHOSE_LEN] = "";

	s->ask.expected = challenge->strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
	while (s->count < challenge->threshold) {
		size_t len = 0;
		int status;

		if (s->count && bg_tty_ask(&s->tty, false,
					"Hand over to the next custodian, who presses Enter:",
					s->ask.text, &len) != BG_OK)
			return is_short(s);
		bg_wipe(s->ask.text, sizeof(s->ask.text));
		status = one_custodian(crypto, s, whose);
		if (status)
			return status;
		tell_counted(s, whose);
	}
	return BG_EXIT_DONE;
}

/* The secret made, used once and wiped. */
static enum bg_err sign(struct bg_crypto *crypto, struct bg_combine *s,
	struct bg_response *response, struct bg_diag *diag)
{
	BG_WIPE(bg_quorum_wipe) struct bg_quorum quorum = { 0 };
	const struct bg_request_challenge *challenge = &s->request.challenge;
	const struct bg_seal *seal = s->request.seal;
	enum bg_err err = bg_slip39_combine(crypto, s->shares, s->count, "", &s->secret, diag);

	if (!err)
		err = bg_quorum_derive(
			crypto, &s->secret, challenge->set_id, challenge->epoch, &quorum);
	if (!err && seal && !bg_equal(quorum.sign_pub, seal->quorum_pub, BG_ED25519_PUB_LEN))
		err = BG_ERR_MISMATCH;
	if (!err)
		err = bg_response_sign(
			crypto, &quorum.sign_seed, s->request.digest, s->exposed, response->sig);
	bg_secret_wipe(&s->secret);
	for (size_t i = 0; i < s->count; i++)
		bg_slip39_share_wipe(&s->shares[i]);
	return err;
}

static int print(struct bg_combine *s, struct bg_response *response)
{
	uint8_t body[BG_CODE_MAX_LEN];
	struct bg_writer w = { .p = body, .cap = sizeof(body) };
	enum bg_err err;

	memcpy(response->tag, s->request.digest, BG_TAG_LEN);
	response->epoch = s->request.challenge.epoch;
	response->exposed = s->exposed;
	err = bg_response_write(response, &w);
	if (err)
		return bg_fail(err, NULL, NULL);
	(void)printf("Request %s: the quorum's response (%zu shares).\n", s->request.id, s->count);
	return bg_code_print(BG_CODE_RESPONSE, "response", body, w.len)
		       ? BG_EXIT_DONE
		       : bg_fail(BG_ERR_ARGUMENT, NULL, NULL);
}

int bg_respond(struct bg_crypto *crypto, struct bg_combine *s)
{
	struct bg_response response = { 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	bg_request_show(&s->tty, &s->request);
	bg_tty_say(&s->tty,
		" This machine is about to see the whole quorum: best one that is never on a\n"
		" network. `approve`, each custodian alone, shows no share to anybody.\n\n");
	if (!bg_request_agree(&s->tty, "All agreed? Type yes to go on:", s->ask.text))
		return cancelled();
	status = gather(crypto, s);
	if (status)
		return status;
	err = sign(crypto, s, &response, &diag);
	if (err)
		return bg_fail(err, &diag,
			"each share is right by itself, but not all together: the challenge or a "
			"share is wrong; let each custodian run approve");
	status = print(s, &response);
	if (!status)
		bg_note("this machine has now seen the whole quorum: reseal when this is over. The "
			"response says so, and the host records it");
	return status;
}

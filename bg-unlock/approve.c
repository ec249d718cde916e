/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `approve`: one custodian's approval of one request, or with --refuse his
 * refusal, which ends it, at any machine, offline.
 * Everything is asked for at the terminal, in this order: challenge, share, yes.
 */
#include "bg-unlock.h"
#include "exposure.h"
#include "load.h"
#include "show_request.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
	const char *seal;
	bool is_json, is_refusal;
};

/* In locked memory. */
struct state {
	struct bg_tty tty;
	struct bg_ask_code code;
	struct bg_ask ask;
	struct bg_seal seal;
	struct bg_asked_request request;
	struct bg_given given;
	struct bg_secret seed;
	bool is_refusal;
	char whose[BG_WHOSE_LEN];
	uint8_t body[BG_CODE_MAX_LEN];
	size_t len;
};

static int cancelled(const struct state *s)
{
	bg_note(s->is_refusal ? "not refused" : "not approved");
	return BG_EXIT_NO;
}

static int take_request(struct bg_crypto *crypto, struct state *s, const struct bg_seal *seal)
{
	const uint8_t *body = NULL;
	size_t len = 0;
	int status;

	s->code.tty = &s->tty;
	s->code.wanted = BG_WANTED(BG_CODE_REQUEST_CHALLENGE);
	if (bg_ask_code(&s->code, "Request challenge (paste it; ? helps):", &body, &len) !=
		BG_ASKED_CODE)
		return cancelled(s);
	status = bg_request_take(crypto, body, len, seal, &s->request);
	/* a no needs nobody's leave */
	if (status || !seal || seal->policy.remote_approve || s->is_refusal)
		return status;
	bg_error("this seal takes no approvals from elsewhere");
	bg_hint("shares are typed at the host's own prompt");
	return BG_EXIT_NO;
}

/* Until there is one of this set: a wrong one is named, and costs nothing. */
static int take_share(struct bg_crypto *crypto, struct state *s)
{
	enum bg_err err = BG_ERR_NOT_A_SHARE;

	s->ask.tty = &s->tty;
	s->ask.seal = s->request.seal;
	s->ask.expected =
		s->request.challenge.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
	while (err) {
		if (bg_ask_share(&s->ask, "Your share (words, or their first 4 letters; ? helps):",
			    &s->given) != BG_ASKED_SHARE)
			return cancelled(s);
		err = bg_request_share(crypto, &s->request, &s->given, &s->seed, s->whose);
		if (bg_exit_of(err) == BG_EXIT_MACHINE)
			return bg_fail(err, NULL, NULL);
		if (err)
			bg_tty_say(&s->tty, " %s.\n", s->whose);
	}
	if (bg_exposure_member(crypto, &s->request.challenge.request, s->given.share.member_index,
		    s->is_refusal ? "approve --refuse" : "approve"))
		bg_tty_say(&s->tty, " This host has now seen that share; it is recorded.\n");
	return BG_EXIT_DONE;
}

static enum bg_err sign_refusal(struct bg_crypto *crypto, struct state *s, struct bg_writer *w)
{
	struct bg_refusal refusal = { .index = s->given.share.member_index,
		.epoch = s->request.challenge.epoch };
	enum bg_err err = bg_refusal_sign(crypto, &s->seed, s->request.digest, refusal.sig);

	memcpy(refusal.tag, s->request.digest, BG_TAG_LEN);
	return err ? err : bg_refusal_write(&refusal, w);
}

static enum bg_err sign_approval(struct bg_crypto *crypto, struct state *s, struct bg_writer *w)
{
	struct bg_approval approval = { .index = s->given.share.member_index,
		.epoch = s->request.challenge.epoch };
	enum bg_err err = bg_approval_sign(crypto, &s->seed, s->request.digest, approval.sig);

	memcpy(approval.tag, s->request.digest, BG_TAG_LEN);
	return err ? err : bg_approval_write(&approval, w);
}

static enum bg_err sign(struct bg_crypto *crypto, struct state *s)
{
	struct bg_writer w = { .p = s->body, .cap = sizeof(s->body) };
	enum bg_err err =
		s->is_refusal ? sign_refusal(crypto, s, &w) : sign_approval(crypto, s, &w);

	s->len = w.len;
	return err;
}

static enum bg_code_kind kind_of(const struct state *s)
{
	return s->is_refusal ? BG_CODE_REFUSAL : BG_CODE_APPROVAL;
}

static const char *word_of(const struct state *s)
{
	return s->is_refusal ? "refusal" : "approval";
}

static int print_json(const struct state *s)
{
	char text[BG_CODE_TEXT_LEN];

	if (!bg_code_one_line(kind_of(s), s->body, s->len, text))
		return bg_fail(BG_ERR_ARGUMENT, NULL, NULL);
	(void)printf("{\"schema\":1,\"request\":");
	bg_request_json(&s->request);
	(void)printf(",\"number\":%u,", s->given.share.member_index + 1u);
	if (s->request.seal)
		(void)printf("\"custodian\":\"%s\",", s->whose);
	(void)printf("\"%s\":\"%s\"}\n", word_of(s), text);
	return BG_EXIT_DONE;
}

static int print(const struct state *s)
{
	(void)printf("Request %s: %s by %s.\n", s->request.id,
		s->is_refusal ? "refused" : "approved", s->whose);
	if (!bg_code_print(kind_of(s), word_of(s), s->body, s->len))
		return bg_fail(BG_ERR_ARGUMENT, NULL, NULL);
	return BG_EXIT_DONE;
}

static int approve(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	char prompt[BG_WHOSE_LEN + 64];
	enum bg_err err;
	int status = take_request(crypto, s, o->seal ? &s->seal : NULL);

	if (status)
		return status;
	if (s->is_refusal)
		bg_request_show_refused(&s->tty, &s->request);
	else
		bg_request_show(&s->tty, &s->request);
	status = take_share(crypto, s);
	if (status)
		return status;
	(void)snprintf(prompt, sizeof(prompt), "%s: type yes to %s request %s:", s->whose,
		s->is_refusal ? "refuse" : "approve", s->request.id);
	if (!bg_request_agree(&s->tty, prompt, s->ask.text))
		return cancelled(s);
	err = sign(crypto, s);
	bg_wipe(&s->given.share.value, sizeof(s->given.share.value));
	bg_secret_wipe(&s->seed);
	if (err)
		return bg_fail(err, NULL, NULL);
	return o->is_json ? print_json(s) : print(s);
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct options *o = options;
	struct state *s = state;
	int status = o->seal ? bg_load_seal(crypto, o->seal, &s->seal) : BG_EXIT_DONE;

	if (!status)
		status = bg_tty_begin(
			&s->tty, false, "approve is never unattended: run it at a terminal");
	if (status)
		return status;
	s->is_refusal = o->is_refusal;
	status = approve(crypto, s, o);
	bg_tty_close(&s->tty);
	return status;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "refuse", no_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'j')
			o->is_json = true;
		else if (c == 'r')
			o->is_refusal = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("approve takes [SEAL] [--refuse] [--json]");
	}
	if (argc - optind > 1)
		return bg_usage("approve takes one seal; challenge and share are asked for, never "
				"given as arguments");
	o->seal = argv[optind];
	return BG_EXIT_DONE;
}

int bg_verb_approve(int argc, char **argv)
{
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("approve") : status;
	return bg_secrets_run(sizeof(struct state), run, &o);
}

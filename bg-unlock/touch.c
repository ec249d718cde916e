/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `touch`: at the laptop that has the FIDO2 key, one key's answer to a host's touch
 * challenge; `touch --test`: does this key work? Nothing is kept, nothing is sent. The
 * key signs the digest of the fields that were shown, never a hash that somebody gave.
 */
#include "ask_code.h"
#include "bg-unlock.h"
#include "fido2_ask.h"
#include "load.h"

#include <breakglass/challenge.h>
#include <breakglass/escape.h>
#include <breakglass/ini.h>
#include <breakglass/os_random.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define FLAG_UP	 0x01
#define FLAG_UV	 0x04
#define FLAGS_AT 32

struct options {
	const char *seal, *zone, *device;
	bool is_test;
};

/* In locked memory. */
struct state {
	struct bg_tty tty;
	struct bg_ask_code ask;
	struct bg_fido2_ask key;
	struct bg_touch_challenge challenge;
	struct bg_assertion assertion;
};

static struct bg_seal seal; /* no secret */

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "seal", required_argument, NULL, 's' },
		{ "test", no_argument, NULL, 't' }, { "zone", required_argument, NULL, 'z' },
		{ "device", required_argument, NULL, 'd' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's')
			o->seal = optarg;
		else if (c == 't')
			o->is_test = true;
		else if (c == 'z')
			o->zone = optarg;
		else if (c == 'd')
			o->device = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("touch does not know that option");
	}
	if (argc > optind)
		return bg_usage("touch takes no argument; the challenge is asked for");
	if (o->is_test && !o->seal == !o->zone)
		return bg_usage("touch --test takes either --seal FILE or --zone ZONE");
	if (!o->is_test && o->zone)
		return bg_usage("--zone is for --test; a challenge says its zone itself");
	if (o->zone && !bg_is_label(o->zone))
		return bg_usage("--zone \"%s\": letters, digits, . _ and -, at most %d", o->zone,
			BG_ZONE_LEN);
	return BG_EXIT_DONE;
}

static void show_line(struct bg_tty *tty, const char *what, const char *text)
{
	char safe[4 * BG_ORIGIN_LEN + 1];

	bg_escape_terminal(safe, sizeof(safe), text);
	bg_tty_say(tty, "   %-8s %s\n", what, *safe ? safe : "(not known)");
}

static void show(struct bg_tty *tty, const struct bg_touch_challenge *challenge)
{
	const struct bg_touch *touch = &challenge->touch;

	bg_tty_say(tty, "\nA login asks for this key:\n");
	show_line(tty, "account", touch->account);
	show_line(tty, "host", touch->host_label);
	show_line(tty, "service", touch->service);
	show_line(tty, "origin", touch->origin);
	show_line(tty, "zone", challenge->zone);
	bg_tty_say(tty, " Whoever made it goes on there as the holder of your key.\n\n");
}

static int cancelled(void)
{
	return bg_fail(
		BG_ERR_CANCELLED, NULL, "no key was asked; the host can show a new challenge");
}

/* A whole challenge from the terminal, read into s->challenge. */
static int get_challenge(struct state *s)
{
	const uint8_t *body = NULL;
	size_t len = 0;
	enum bg_err err;

	s->ask.tty = &s->tty;
	s->ask.wanted = BG_WANTED(BG_CODE_TOUCH_CHALLENGE);
	bg_tty_say(&s->tty,
		"TOUCH: one answer of your security key to a host's touch challenge.\n"
		" The host shows it after the answer \"touch\". Paste or type it (? helps).\n");
	if (bg_ask_code(&s->ask, "Touch challenge:", &body, &len) != BG_ASKED_CODE)
		return cancelled();
	err = bg_touch_challenge_read(body, len, &s->challenge);
	if (err)
		return bg_fail(err, NULL,
			"it is no touch challenge of this version: is bg-unlock here as "
			"new as on the host?");
	return BG_EXIT_DONE;
}

static int check_seal(const struct bg_touch_challenge *challenge)
{
	const struct bg_touch *touch = &challenge->touch;

	if (strcmp(seal.account, touch->account) != 0 || strcmp(seal.zone, challenge->zone) != 0) {
		bg_error("the challenge is for %s in zone %s, the seal for %s in zone %s",
			touch->account, challenge->zone, seal.account, seal.zone);
		bg_hint("give that account's seal, or none");
		return BG_EXIT_NO;
	}
	if (memcmp(seal.digest, touch->seal_digest, BG_SHA256_LEN) != 0) {
		bg_error("the challenge is of another seal of %s in zone %s", seal.account,
			seal.zone);
		bg_hint("the host has an older or a newer one than epoch %u: give that, or none",
			seal.epoch);
		return BG_EXIT_NO;
	}
	return BG_EXIT_DONE;
}

static int consent(struct state *s)
{
	size_t len = 0;
	enum bg_err err = bg_tty_ask(&s->tty, true,
		"Did you start this login yourself, now? Type yes:", s->ask.text, &len);

	if (!err && strcmp(s->ask.text, "yes") == 0)
		return BG_EXIT_DONE;
	return bg_fail(BG_ERR_CANCELLED, NULL,
		"no key was asked; if you did not start it, somebody else did: raise the alarm");
}

/* What a host would refuse is not handed out as an answer. */
static enum bg_err check_flags(const struct bg_assertion *assertion, struct bg_diag *diag)
{
	uint8_t flags = assertion->authdata_len > FLAGS_AT ? assertion->authdata[FLAGS_AT] : 0;

	if ((flags & (FLAG_UP | FLAG_UV)) == (FLAG_UP | FLAG_UV))
		return BG_OK;
	return bg_diag_set(
		diag, BG_ERR_ASSERTION, "security key", "it did not check PIN and touch");
}

/* The key's signature over hash in s->assertion; *ret_key: which of the seal's, with a seal. */
static int sign(struct bg_crypto *crypto, struct state *s, const struct options *o,
	const char *zone, const char *account, const uint8_t hash[static BG_SHA256_LEN],
	size_t *ret_key, unsigned int *ret_count)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;

	s->key.tty = &s->tty;
	s->key.device = o->device ? o->device : "";
	*ret_count = 1;
	if (o->seal)
		err = bg_fido2_ask_assert(
			crypto, &s->key, &seal, hash, ret_key, &s->assertion, &diag);
	else
		err = bg_fido2_ask_discover(
			&s->key, zone, account, hash, &s->assertion, ret_count, &diag);
	if (!err)
		err = check_flags(&s->assertion, &diag);
	return err ? bg_fido2_ask_fail(err, &diag, "--device PATH") : BG_EXIT_DONE;
}

static int print_answer(
	struct bg_crypto *crypto, struct state *s, const uint8_t digest[static BG_SHA256_LEN])
{
	struct bg_touch_answer answer;
	uint8_t body[BG_CODE_MAX_LEN];
	struct bg_writer w = { .p = body, .cap = sizeof(body) };
	enum bg_err err = bg_touch_answer_make(crypto, digest, &s->assertion, &answer);

	if (err == BG_ERR_ASSERTION)
		return bg_fail(err, NULL,
			"this key adds extension data, which a relayed answer cannot carry: plug "
			"it into the host, or use ssh");
	if (!err)
		err = bg_touch_answer_write(&answer, &w);
	if (!err && !bg_code_print(BG_CODE_TOUCH_ANSWER, "touch answer", body, w.len))
		err = BG_ERR_TOO_BIG;
	return err ? bg_fail(err, NULL, NULL) : BG_EXIT_DONE;
}

static int answer(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	const struct bg_touch_challenge *challenge = &s->challenge;
	uint8_t digest[BG_SHA256_LEN];
	unsigned int count = 1;
	size_t key = 0;
	enum bg_err err;
	int status = get_challenge(s);

	if (!status && o->seal)
		status = check_seal(challenge);
	if (status)
		return status;
	show(&s->tty, challenge);
	status = consent(s);
	if (status)
		return status;
	err = bg_touch_digest(crypto, &challenge->touch, digest);
	if (err)
		return bg_fail(err, NULL, NULL);
	status =
		sign(crypto, s, o, challenge->zone, challenge->touch.account, digest, &key, &count);
	if (!status)
		status = print_answer(crypto, s, digest);
	if (!status && count > 1)
		bg_note("this key has %u credentials for %s in zone %s and the newest one "
			"answered: "
			"if the host refuses it, begin again with --seal FILE",
			count, challenge->touch.account, challenge->zone);
	return status;
}

/* No host knows this context: what a test signs opens nothing. */
static enum bg_err test_hash(
	struct bg_crypto *crypto, const char *zone, uint8_t ret[static BG_SHA256_LEN])
{
	uint8_t nonce[BG_TOUCH_NONCE_LEN], frame[256];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };

	if (bg_os_random(NULL, nonce, sizeof(nonce)) != 0)
		return BG_ERR_RANDOM;
	bg_frame_begin(&w, BG_CTX_KEY_TEST);
	bg_frame_field(&w, nonce, sizeof(nonce));
	bg_frame_text(&w, zone);
	return w.is_full ? BG_ERR_TOO_BIG : bg_sha256(crypto, frame, w.len, ret);
}

static void tell_seal_key(const struct bg_key *key)
{
	(void)printf("It is key %s (holder %s) of the seal for %s, zone %s, epoch %u:\n"
		     "its PIN and its touch work, and its signature is good.\n",
		key->name, key->holder, seal.account, seal.zone, seal.epoch);
	if (!seal.policy.remote_touch)
		(void)printf("The seal's policy takes no answers of \"bg-unlock touch\".\n");
	if (!key->ssh[0])
		(void)printf("The seal has no ssh key for it.\n");
}

static int test(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	const char *zone = o->seal ? seal.zone : o->zone;
	uint8_t hash[BG_SHA256_LEN];
	unsigned int count = 1;
	size_t key = 0;
	enum bg_err err = test_hash(crypto, zone, hash);
	int status;

	if (err)
		return bg_fail(err, NULL, NULL);
	bg_tty_say(&s->tty, "TEST of a security key for zone %s: opens nothing, nothing is kept.\n",
		zone);
	status = sign(crypto, s, o, zone, "", hash, &key, &count);
	if (status)
		return status;
	if (o->seal) {
		tell_seal_key(&seal.keys[key]);
		return BG_EXIT_DONE;
	}
	(void)printf(
		"This key has %u discoverable credential%s for zone %s: its PIN and its touch\n"
		"work. Whether a seal names it, only --seal FILE can tell.\n",
		count, count == 1 ? "" : "s", zone);
	return BG_EXIT_DONE;
}

static bool has_credential(void)
{
	for (size_t i = 0; i < seal.key_count; i++)
		if (seal.keys[i].credential_len)
			return true;
	return false;
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct options *o = options;
	struct state *s = state;
	int status = o->seal ? bg_load_seal(crypto, o->seal, &seal) : BG_EXIT_DONE;

	if (status)
		return status;
	if (o->seal && !has_credential()) {
		bg_error("%s: its keys are all used by ssh only", o->seal);
		bg_hint("ssh to the host with the security key's ssh key");
		return BG_EXIT_NO;
	}
	status = bg_tty_begin(&s->tty, false, "touch is for a person at a terminal");
	if (status)
		return status;
	status = o->is_test ? test(crypto, s, o) : answer(crypto, s, o);
	bg_tty_close(&s->tty);
	return status;
}

int bg_verb_touch(int argc, char **argv)
{
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("touch") : status;
	return bg_secrets_run(sizeof(struct state), run, &o);
}

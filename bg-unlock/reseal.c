/* SPDX-License-Identifier: BSD-2-Clause */
/* `reseal`: a new set for the same people. The old one opens until the new seal is installed. */
#include "bg-unlock.h"
#include "deal.h"
#include "enrol.h"
#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
	const char *seal, *out, *folder, *contacts, *device;
	const char *ssh_keys[BG_KEYS_MAX]; /* NAME=FILE.pub */
	size_t ssh_key_count;
	bool is_stdin, is_pin_stdin;
};

/* In locked memory. */
struct state {
	struct bg_deal deal;
	struct bg_seal old;
	struct bg_tty tty, lines; /* the terminal; standard input: shares, then the PIN */
	struct bg_ask ask;
	struct bg_fido2_ask enrol;
	struct bg_slip39_share shares[BG_CUSTODIANS_MAX];
	size_t count;
	bool is_counted[BG_CUSTODIANS_MAX];
	struct bg_secret secret;
	struct bg_quorum quorum;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' },
		{ "shares-to", required_argument, NULL, 'd' },
		{ "contacts", required_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'v' },
		{ "ssh-key", required_argument, NULL, 'y' }, { "stdin", no_argument, NULL, 's' },
		{ "pin-stdin", no_argument, NULL, 'i' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == 'o')
			o->out = optarg;
		else if (c == 'd')
			o->folder = optarg;
		else if (c == 'c')
			o->contacts = optarg;
		else if (c == 'v')
			o->device = optarg;
		else if (c == 'y' && o->ssh_key_count < BG_KEYS_MAX)
			o->ssh_keys[o->ssh_key_count++] = optarg;
		else if (c == 'y')
			return bg_usage("more than %d times --ssh-key", BG_KEYS_MAX);
		else if (c == 's')
			o->is_stdin = true;
		else if (c == 'i')
			o->is_pin_stdin = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("reseal does not know that option");
	}
	if (argc - optind != 1)
		return bg_usage("reseal takes one seal, the one in force");
	o->seal = argv[optind];
	return BG_EXIT_DONE;
}

/* The numbers of those who are custodians. */
static void missing_names(const struct state *s, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < s->old.custodian_count && used + 2 * BG_PHONE_LEN < size; i++) {
		const char *name = s->old.custodians[i].name;
		const char *phone = bg_contacts_phone(&s->deal.contacts, name);

		if (!s->is_counted[i])
			used += (size_t)snprintf(ret + used, size - used, "%s%s%s%s",
				used ? ", " : "", name, *phone ? " " : "", phone);
	}
}

static int take(struct bg_crypto *crypto, struct state *s, struct bg_given *given)
{
	struct bg_whose whose;
	enum bg_err err = bg_ask_whose(crypto, &s->old, given, &whose);

	if (err)
		return bg_fail(err, NULL, NULL);
	if (whose.standing != BG_SHARE_CURRENT) {
		if (s->ask.tty->is_stdin)
			bg_note("not counted: %s", whose.text);
		bg_tty_say(s->ask.tty, " %s.\n Not counted.\n", whose.text);
	} else if (s->is_counted[whose.custodian]) {
		bg_tty_say(s->ask.tty, " %s is counted already.\n", whose.name);
	} else {
		bg_given_complete(given, &s->old);
		s->is_counted[whose.custodian] = true;
		s->shares[s->count++] = given->share;
		bg_tty_say(s->ask.tty, " %s counted.\n", whose.name);
	}
	return BG_EXIT_DONE;
}

static int gather(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	char prompt[128], names[1024];
	int status = BG_EXIT_DONE;

	s->ask = (struct bg_ask){ .tty = o->is_stdin ? &s->lines : &s->tty,
		.seal = &s->old,
		.expected = s->old.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128 };
	missing_names(s, names, sizeof(names));
	bg_tty_say(s->ask.tty, " need %u of: %.900s\n", s->old.threshold, names);
	while (!status && s->count < s->old.threshold) {
		BG_WIPE(bg_given_wipe) struct bg_given given = { 0 };
		enum bg_asked asked;

		(void)snprintf(prompt, sizeof(prompt),
			"Share %zu of %u (words, or their first 4 letters; ? helps):", s->count + 1,
			s->old.threshold);
		asked = bg_ask_share(&s->ask, prompt, &given);
		if (asked == BG_ASKED_SHARE) {
			status = take(crypto, s, &given);
		} else if (asked == BG_ASKED_CANCELLED) {
			missing_names(s, names, sizeof(names));
			bg_error("the quorum is short: %zu of %u", s->count, s->old.threshold);
			bg_hint("ask %s; nothing was written", names);
			status = BG_EXIT_NO;
		}
	}
	return status;
}

static int recover(struct bg_crypto *crypto, struct state *s)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_slip39_combine(crypto, s->shares, s->count, "", &s->secret, &diag);

	if (!err)
		err = bg_quorum_derive(crypto, &s->secret, s->old.set_id, s->old.epoch, &s->quorum);
	if (!err && !bg_equal(s->quorum.sign_pub, s->old.quorum_pub, sizeof(s->quorum.sign_pub)))
		err = BG_ERR_MISMATCH;
	return err ? bg_fail(err, &diag,
			     "the shares do not give this seal's quorum: is it the seal "
			     "in force?")
		   : BG_EXIT_DONE;
}

/* The old set becomes the newest retired one; the oldest beyond twelve is forgotten. */
static void retire(struct bg_seal *seal, const struct bg_seal *old)
{
	struct bg_retired *r = &seal->retired[0];
	size_t kept = old->retired_count < BG_RETIRED_MAX ? old->retired_count : BG_RETIRED_MAX - 1;

	memmove(&seal->retired[1], &old->retired[0], kept * sizeof(old->retired[0]));
	seal->retired_count = kept + 1;
	memset(r, 0, sizeof(*r));
	r->epoch = old->epoch;
	memcpy(r->set_id, old->set_id, sizeof(r->set_id));
	r->slip39_id = old->slip39_id;
	r->custodian_count = old->custodian_count;
	memcpy(r->custodians, old->custodians, sizeof(r->custodians));
}

static void succeed(struct bg_seal *seal, const struct bg_seal *old)
{
	*seal = *old;
	seal->epoch = old->epoch + 1;
	bg_deal_time(0, seal->created);
	bg_deal_time(90, seal->policy.expires);
	seal->has_predecessor = true;
	memcpy(seal->predecessor, old->digest, sizeof(seal->predecessor));
	seal->has_endorsement = false;
	seal->predecessor_key[0] = '\0';
	retire(seal, old);
}

static int endorse(struct bg_crypto *crypto, struct state *s, const struct options *o, bool has_tty)
{
	struct bg_assertion assertion = { 0 };
	struct bg_seal *seal = &s->deal.seal;
	uint8_t hash[BG_SHA256_LEN];
	char device[256];
	size_t key = 0;
	enum bg_err err;
	int status;

	err = bg_seal_sign(crypto, BG_CTX_SUCCESSION_QUORUM, &s->quorum.sign_seed, s->deal.text,
		s->deal.text_len, seal->predecessor_quorum_sig);
	if (!err)
		err = bg_seal_key_challenge(crypto, s->deal.text, s->deal.text_len, hash);
	if (err)
		return bg_fail(err, NULL, "nothing was written");
	bg_load_device(device, sizeof(device));
	s->enrol.tty = has_tty ? &s->tty : NULL;
	s->enrol.pins = o->is_pin_stdin ? &s->lines : NULL;
	s->enrol.device = o->device ? o->device : device;
	status = bg_enrol_endorse(crypto, &s->enrol, &s->old, hash, &key, &assertion);
	if (status)
		return status;
	seal->has_endorsement = true;
	memcpy(seal->predecessor_key, s->old.keys[key].name, sizeof(seal->predecessor_key));
	memcpy(seal->predecessor_key_authdata, assertion.authdata, assertion.authdata_len);
	seal->predecessor_key_authdata_len = assertion.authdata_len;
	memcpy(seal->predecessor_key_sig, assertion.sig, assertion.sig_len);
	seal->predecessor_key_sig_len = assertion.sig_len;
	return BG_EXIT_DONE;
}

/* What a host will ask of the new seal is asked here first. */
static enum bg_err check_successor(struct bg_crypto *crypto, struct state *s, struct bg_diag *diag)
{
	static struct bg_seal next;
	enum bg_err err =
		bg_seal_parse(crypto, s->deal.text, s->deal.text_len, "the new seal", &next, diag);

	return err ? err
		   : bg_seal_check_successor(crypto, &s->old, &next, s->deal.text, false, diag);
}

static int deal(struct bg_crypto *crypto, struct state *s, const struct options *o, const char *out,
	bool has_tty)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	err = bg_deal_shares(crypto, &s->deal);
	if (!err)
		err = bg_deal_body(&s->deal);
	if (err)
		return bg_fail(err, NULL, "nothing was written; the old set stays in force");
	status = endorse(crypto, s, o, has_tty);
	if (status)
		return status;
	err = bg_deal_seal(crypto, &s->deal, &diag);
	if (!err)
		err = check_successor(crypto, s, &diag);
	if (err)
		return bg_fail(err, &diag, "nothing was written; the old set stays in force");
	status = o->folder ? bg_confirm_in_folder(&s->deal, o->folder)
			   : bg_confirm_at_terminal(&s->deal, &s->tty);
	if (status)
		return status;
	status = bg_deal_write(crypto, &s->deal, out);
	if (status && o->folder)
		bg_confirm_remove(&s->deal, o->folder);
	return status;
}

static int reseal(struct bg_crypto *crypto, struct state *s, const struct options *o, bool has_tty)
{
	char out[64], set[BG_SHORT_ID_LEN + 1];
	const char *path = o->out ? o->out : out;
	int status = bg_load_seal(crypto, o->seal, &s->old);

	if (status)
		return status;
	(void)snprintf(out, sizeof(out), "%s.seal.%u", s->old.account, s->old.epoch + 1);
	succeed(&s->deal.seal, &s->old);
	status = bg_load_ssh_keys(o->ssh_keys, o->ssh_key_count, &s->deal.seal);
	if (!status)
		status = bg_load_absent(path);
	if (!status && o->folder)
		status = bg_confirm_folder_check(&s->deal, o->folder);
	if (!status)
		status = bg_load_contacts(o->contacts, o->seal, &s->deal.contacts);
	if (status)
		return status;
	bg_short_id(s->old.set_id, set);
	if (has_tty)
		bg_tty_say(&s->tty,
			"RESEAL %s@%s  set %s epoch %u -> epoch %u, the same people\n"
			" The old set opens until the new seal is installed.\n",
			s->old.account, s->old.zone, set, s->old.epoch, s->old.epoch + 1);
	status = gather(crypto, s, o);
	if (!status)
		status = recover(crypto, s);
	return status ? status : deal(crypto, s, o, path, has_tty);
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct options *o = options;
	struct state *s = state;
	bool has_tty = !o->folder || !o->is_stdin || !o->is_pin_stdin;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	if (has_tty) {
		err = bg_tty_open(&s->tty, false, &diag);
		if (err)
			return bg_fail(err, &diag,
				"without a terminal: --stdin --pin-stdin --shares-to DIR");
	}
	if (bg_tty_open(&s->lines, true, NULL) != BG_OK)
		return BG_EXIT_MACHINE;
	status = reseal(crypto, s, o, has_tty);
	if (has_tty)
		bg_tty_close(&s->tty);
	return status;
}

int bg_verb_reseal(int argc, char **argv)
{
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("reseal") : status;
	return bg_secrets_run(sizeof(struct state), run, &o);
}

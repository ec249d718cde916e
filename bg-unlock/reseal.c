/* SPDX-License-Identifier: BSD-2-Clause */
/* `reseal`: a new set, and who has it. The old one opens until the new seal is installed. */
#include "reseal.h"
#include "bg-unlock.h"
#include "load.h"
#include "plan.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static struct bg_plan plan; /* where something changes: the new people and keys; no secret */

static int parse(int argc, char **argv, struct bg_reseal_options *o)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' },
		{ "shares-to", required_argument, NULL, 'd' },
		{ "contacts", required_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'v' },
		{ "ssh-key", required_argument, NULL, 'y' },
		{ "envelope", required_argument, NULL, 'e' },
		{ "replace", required_argument, NULL, 'R' },
		{ "add", required_argument, NULL, 'A' }, { "remove", required_argument, NULL, 'D' },
		{ "add-key", required_argument, NULL, 'K' },
		{ "remove-key", required_argument, NULL, 'L' },
		{ "threshold", required_argument, NULL, 'T' },
		{ "keys-lost", no_argument, NULL, 'k' }, { "stdin", no_argument, NULL, 's' },
		{ "pin-stdin", no_argument, NULL, 'i' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c, status = BG_EXIT_DONE;

	while (!status && (c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
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
		else if (c == 'e' && o->envelope_count < BG_ENVELOPES_MAX)
			o->envelopes[o->envelope_count++] = optarg;
		else if (c == 'e')
			return bg_usage("more than %d times --envelope", BG_ENVELOPES_MAX);
		else if (c >= 'A' && c <= 'Z')
			status = bg_change_option(&o->change, c, optarg);
		else if (c == 'k')
			o->is_keys_lost = true;
		else if (c == 's')
			o->is_stdin = true;
		else if (c == 'i')
			o->is_pin_stdin = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("reseal does not know that option");
	}
	if (status)
		return status;
	if (argc - optind != 1)
		return bg_usage("reseal takes one seal, the one in force");
	o->seal = argv[optind];
	return BG_EXIT_DONE;
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

static void say_endorser(struct bg_reseal *s)
{
	bg_tty_say(&s->tty, "\nA key of the seal in force endorses the new one:");
	for (size_t i = 0; i < s->old.key_count; i++)
		bg_tty_say(&s->tty, "%s %s", i ? "," : "", s->old.keys[i].name);
	bg_tty_say(&s->tty, ". Plug it in.\n");
}

static int endorse(struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o,
	bool has_tty)
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
	seal->has_endorsement = true;
	if (o->is_keys_lost)
		return BG_EXIT_DONE;
	bg_load_device(device, sizeof(device));
	s->enrol.device = o->device ? o->device : device;
	if (has_tty && bg_change_is_any(&o->change))
		say_endorser(s);
	status = bg_enrol_endorse(crypto, &s->enrol, &s->old, hash, &key, &assertion);
	if (status)
		return status;
	memcpy(seal->predecessor_key, s->old.keys[key].name, sizeof(seal->predecessor_key));
	memcpy(seal->predecessor_key_authdata, assertion.authdata, assertion.authdata_len);
	seal->predecessor_key_authdata_len = assertion.authdata_len;
	memcpy(seal->predecessor_key_sig, assertion.sig, assertion.sig_len);
	seal->predecessor_key_sig_len = assertion.sig_len;
	return BG_EXIT_DONE;
}

/* What a host will ask of the new seal is asked here first. */
static enum bg_err check_successor(
	struct bg_crypto *crypto, struct bg_reseal *s, bool is_keys_lost, struct bg_diag *diag)
{
	static struct bg_seal next;
	enum bg_err err =
		bg_seal_parse(crypto, s->deal.text, s->deal.text_len, "the new seal", &next, diag);

	return err ? err
		   : bg_seal_check_successor(
			     crypto, &s->old, &next, s->deal.text, is_keys_lost, diag);
}

static int deal(struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o,
	const char *out, bool has_tty)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	err = bg_deal_shares(crypto, &s->deal);
	if (!err) {
		status = bg_reseal_envelopes_make(s, o);
		if (status)
			return status;
	}
	if (!err)
		err = bg_deal_body(&s->deal);
	if (err)
		return bg_fail(err, NULL, "nothing was written; the old set stays in force");
	status = endorse(crypto, s, o, has_tty);
	if (status)
		return status;
	err = bg_deal_seal(crypto, &s->deal, &diag);
	if (!err)
		err = check_successor(crypto, s, o->is_keys_lost, &diag);
	if (err)
		return bg_fail(err, &diag, "nothing was written; the old set stays in force");
	status = o->folder ? bg_confirm_in_folder(&s->deal, o->folder)
			   : bg_confirm_at_terminal(&s->deal, &s->tty);
	if (status)
		return status;
	status = bg_deal_write(crypto, &s->deal, out);
	if (!s->deal.is_written && o->folder)
		bg_confirm_remove(&s->deal, o->folder);
	if (s->deal.is_written && bg_reseal_envelopes_keep(crypto, s, o) != BG_EXIT_DONE)
		status = BG_EXIT_MACHINE;
	return status;
}

/* The new seal's people, keys and threshold, judged; nothing secret was asked for yet. */
static int prepare(struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o)
{
	struct bg_seal *seal = &s->deal.seal;
	struct bg_seal_changes changes;
	int status = bg_load_seal(crypto, o->seal, &s->old);

	if (!status)
		status = bg_load_contacts(o->contacts, o->seal, &s->deal.contacts);
	if (status)
		return status;
	s->contacts = s->deal.contacts;
	succeed(seal, &s->old);
	s->kept_keys = seal->key_count;
	s->deal.may_replace_contacts = o->contacts || o->change.replace_count ||
				       o->change.add_count || o->change.remove_count;
	if (bg_change_is_any(&o->change)) {
		status = bg_change_apply(&o->change, seal, &s->deal.contacts, &plan, &s->kept_keys);
	}
	if (status)
		return status;
	bg_seal_compare(&s->old, seal, &changes);
	if (o->is_keys_lost && changes.keys_stay[0]) {
		bg_error("--keys-lost, but key %s would stay", changes.keys_stay);
		bg_hint("a key that is there endorses the new seal; one that is lost leaves with "
			"--remove-key");
		return BG_EXIT_USAGE;
	}
	return bg_load_ssh_keys(o->ssh_keys, o->ssh_key_count, seal);
}

/* What is about to be, and a yes where it is more than a new set for the same people. */
static int announce(struct bg_reseal *s, const struct bg_reseal_options *o, bool has_tty)
{
	bool is_any = bg_change_is_any(&o->change);
	char set[BG_SHORT_ID_LEN + 1];
	size_t len = 0;

	if (is_any)
		bg_plan_warn(&plan);
	if (!has_tty && is_any)
		bg_change_show(NULL, &s->old, &s->deal.seal);
	if (!has_tty)
		return BG_EXIT_DONE;
	bg_short_id(s->old.set_id, set);
	bg_tty_say(&s->tty, "RESEAL %s@%s  set %s epoch %u -> epoch %u%s\n", s->old.account,
		s->old.zone, set, s->old.epoch, s->old.epoch + 1,
		is_any ? "" : ", the same people");
	if (is_any)
		bg_change_show(&s->tty, &s->old, &s->deal.seal);
	bg_tty_say(&s->tty, " %sThe old set opens until the new seal is installed.\n",
		is_any ? "Everybody gets a new share. " : "");
	if (o->is_keys_lost)
		bg_tty_say(&s->tty, " No key endorses it: root types install --keys-lost on each "
				    "host.\n");
	if (!is_any)
		return BG_EXIT_DONE;
	if (bg_tty_ask(&s->tty, true, "Is that right? Type yes to go on:", s->ask.text, &len) ||
		strcmp(s->ask.text, "yes") != 0) {
		bg_note("not confirmed: nothing was changed");
		return BG_EXIT_NO;
	}
	return BG_EXIT_DONE;
}

/* Before the first share is asked for: a key that cannot be enrolled exposes none. */
static int enrol_keys(struct bg_crypto *crypto, struct bg_reseal *s)
{
	struct bg_seal *seal = &s->deal.seal;
	char device[256];
	int status = BG_EXIT_DONE;

	bg_load_device(device, sizeof(device));
	for (size_t i = s->kept_keys; !status && i < seal->key_count; i++) {
		s->enrol.device = plan.keys[i].device[0] ? plan.keys[i].device : device;
		status = bg_enrol_key(crypto, &s->enrol, seal, i);
		if (!status)
			bg_note("key %s (holder %s) is enrolled%s", seal->keys[i].name,
				seal->keys[i].holder,
				seal->keys[i].ssh[0] ? ", with its ssh key" : "");
	}
	return status;
}

static int reseal(struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o,
	bool has_tty)
{
	char out[64];
	const char *path = o->out ? o->out : out;
	int status = prepare(crypto, s, o);

	if (status)
		return status;
	(void)snprintf(out, sizeof(out), "%s.seal.%u", s->old.account, s->old.epoch + 1);
	status = bg_load_absent(path);
	if (!status)
		status = bg_reseal_envelopes_check(s, o);
	if (!status && o->folder)
		status = bg_confirm_folder_check(&s->deal, o->folder);
	if (!status)
		status = announce(s, o, has_tty);
	s->enrol.tty = has_tty ? &s->tty : NULL;
	s->enrol.pins = o->is_pin_stdin ? &s->lines : NULL;
	if (!status)
		status = enrol_keys(crypto, s);
	if (!status)
		status = bg_reseal_gather(crypto, s, o);
	if (!status)
		status = bg_reseal_recover(crypto, s);
	if (!status)
		status = deal(crypto, s, o, path, has_tty);
	bg_reseal_envelopes_drop(o);
	return status;
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct bg_reseal_options *o = options;
	struct bg_reseal *s = state;
	bool has_tty = !o->folder || !o->is_stdin || !o->is_pin_stdin;
	int status = BG_EXIT_DONE;

	if (has_tty)
		status = bg_tty_begin(
			&s->tty, false, "without a terminal: --stdin --pin-stdin --shares-to DIR");
	if (!status)
		status = bg_tty_begin(&s->lines, true, NULL);
	if (status)
		return status;
	status = reseal(crypto, s, o, has_tty);
	if (has_tty)
		bg_tty_close(&s->tty);
	return status;
}

int bg_verb_reseal(int argc, char **argv)
{
	struct bg_reseal_options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("reseal") : status;
	return bg_secrets_run(sizeof(struct bg_reseal), run, &o);
}

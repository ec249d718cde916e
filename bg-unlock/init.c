/* SPDX-License-Identifier: BSD-2-Clause */
/* `init`: the ceremony. Nothing is written before everything is confirmed. */
#include "bg-unlock.h"
#include "deal.h"
#include "enrol.h"
#include "load.h"
#include "plan.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
	struct bg_plan_options plan;
	const char *out, *folder;
	bool is_pin_stdin;
};

/* In locked memory. */
struct state {
	struct bg_deal deal;
	struct bg_tty tty, pins;
	struct bg_fido2_ask enrol;
};

static struct bg_plan plan; /* no secret */

static int add_value(const char **list, size_t *count, size_t max, const char *what)
{
	if (*count == max)
		return bg_usage("more than %zu times --%s", max, what);
	list[(*count)++] = optarg;
	return BG_EXIT_DONE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' },
		{ "plan", required_argument, NULL, 'p' }, { "zone", required_argument, NULL, 'z' },
		{ "threshold", required_argument, NULL, 't' },
		{ "strength", required_argument, NULL, 's' },
		{ "custodian", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "ssh-key", required_argument, NULL, 'y' },
		{ "shares-to", required_argument, NULL, 'd' },
		{ "pin-stdin", no_argument, NULL, 'i' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c, status = BG_EXIT_DONE;

	while (!status && (c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == 'o')
			o->out = optarg;
		else if (c == 'p')
			o->plan.file = optarg;
		else if (c == 'z')
			o->plan.zone = optarg;
		else if (c == 't')
			o->plan.threshold = optarg;
		else if (c == 's')
			o->plan.strength = optarg;
		else if (c == 'c')
			status = add_value(o->plan.custodians, &o->plan.custodian_count,
				BG_CUSTODIANS_MAX, "custodian");
		else if (c == 'k')
			status = add_value(o->plan.keys, &o->plan.key_count, BG_KEYS_MAX, "key");
		else if (c == 'y')
			status = add_value(
				o->plan.ssh_keys, &o->plan.ssh_key_count, BG_KEYS_MAX, "ssh-key");
		else if (c == 'd')
			o->folder = optarg;
		else if (c == 'i')
			o->is_pin_stdin = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("init does not know that option");
	}
	if (status)
		return status;
	if (argc - optind != 1)
		return bg_usage("init takes one account");
	o->plan.account = argv[optind];
	if (!bg_is_account(o->plan.account, BG_ACCOUNT_LEN))
		return bg_usage("account \"%s\": it must be [a-z_][a-z0-9_-]*, at most %d letters",
			o->plan.account, BG_ACCOUNT_LEN);
	return BG_EXIT_DONE;
}

static void set_contacts(struct bg_contacts *contacts)
{
	char now[21];

	bg_deal_time(0, now);
	(void)snprintf(contacts->updated, sizeof(contacts->updated), "%.10s", now);
	for (size_t i = 0; i < plan.custodian_count; i++) {
		size_t n = contacts->count;

		if (!plan.custodians[i].phone[0])
			continue;
		memcpy(contacts->entries[n].name, plan.custodians[i].name,
			sizeof(contacts->entries[n].name));
		memcpy(contacts->entries[n].phone, plan.custodians[i].phone,
			sizeof(contacts->entries[n].phone));
		contacts->count++;
	}
}

static void set_seal(struct bg_seal *seal)
{
	seal->version = 1;
	memcpy(seal->account, plan.account, sizeof(seal->account));
	memcpy(seal->zone, plan.zone, sizeof(seal->zone));
	bg_deal_time(0, seal->created);
	seal->epoch = 1;
	seal->threshold = plan.threshold;
	seal->strength = plan.strength ? plan.strength : 128;
	(void)snprintf(seal->rp_id, sizeof(seal->rp_id), "breakglass:%s", plan.zone);
	seal->policy = plan.policy;
	if (!seal->policy.expires[0])
		bg_deal_time(90, seal->policy.expires);
	seal->custodian_count = plan.custodian_count;
	for (size_t i = 0; i < plan.custodian_count; i++)
		memcpy(seal->custodians[i].name, plan.custodians[i].name,
			sizeof(seal->custodians[i].name));
	seal->key_count = plan.key_count;
	for (size_t i = 0; i < plan.key_count; i++) {
		memcpy(seal->keys[i].name, plan.keys[i].name, sizeof(seal->keys[i].name));
		memcpy(seal->keys[i].holder, plan.keys[i].holder, sizeof(seal->keys[i].holder));
		memcpy(seal->keys[i].model, plan.keys[i].model, sizeof(seal->keys[i].model));
		memcpy(seal->keys[i].ssh, plan.keys[i].ssh, sizeof(seal->keys[i].ssh));
	}
}

static int enrol_keys(
	struct bg_crypto *crypto, struct state *s, bool has_tty, const struct options *o)
{
	char device[256];
	int status = BG_EXIT_DONE;

	bg_load_device(device, sizeof(device));
	s->enrol.tty = has_tty ? &s->tty : NULL;
	s->enrol.pins = o->is_pin_stdin ? &s->pins : NULL;
	for (size_t i = 0; !status && i < plan.key_count; i++) {
		s->enrol.device = plan.keys[i].device[0] ? plan.keys[i].device : device;
		status = bg_enrol_key(crypto, &s->enrol, &s->deal.seal, i);
		if (!status)
			bg_note("key %s (holder %s) is enrolled%s", plan.keys[i].name,
				plan.keys[i].holder,
				s->deal.seal.keys[i].ssh[0] ? ", with its ssh key" : "");
	}
	return status;
}

static int deal(struct bg_crypto *crypto, struct state *s, const struct options *o, const char *out)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_deal_shares(crypto, &s->deal);
	int status;

	if (!err)
		err = bg_deal_body(&s->deal);
	if (!err)
		err = bg_deal_seal(crypto, &s->deal, &diag);
	if (err)
		return bg_fail(err, &diag, "nothing was shown or written");
	status = o->folder ? bg_confirm_in_folder(&s->deal, o->folder)
			   : bg_confirm_at_terminal(&s->deal, &s->tty);
	if (status)
		return status;
	status = bg_load_absent(out);
	if (!status)
		status = bg_deal_write(crypto, &s->deal, out);
	if (!s->deal.is_written && o->folder)
		bg_confirm_remove(&s->deal, o->folder);
	return status;
}

static void show_plan(struct bg_tty *tty)
{
	bg_tty_say(tty, "\nCeremony for account %s, zone %s: %u of %zu custodians (", plan.account,
		plan.zone, plan.threshold, plan.custodian_count);
	for (size_t i = 0; i < plan.custodian_count; i++)
		bg_tty_say(tty, "%s%s", i ? ", " : "", plan.custodians[i].name);
	bg_tty_say(tty, "),\n%zu security key%s. ", plan.key_count, plan.key_count == 1 ? "" : "s");
	bg_tty_say(tty, "Nothing is written before every share was read back.\n"
			"Is that not as it should be? Ctrl-C, and begin anew.\n");
}

static int ceremony(
	struct bg_crypto *crypto, struct state *s, const struct options *o, bool has_tty)
{
	char out[BG_ACCOUNT_LEN + 8];
	const char *path = o->out ? o->out : out;
	int status = bg_plan_make(&o->plan, has_tty ? &s->tty : NULL, &plan);

	(void)snprintf(out, sizeof(out), "%s.seal", o->plan.account);
	if (!status)
		status = bg_load_absent(path);
	if (status)
		return status;
	set_seal(&s->deal.seal);
	set_contacts(&s->deal.contacts);
	status = bg_load_ssh_keys(o->plan.ssh_keys, o->plan.ssh_key_count, &s->deal.seal);
	if (!status && o->folder)
		status = bg_confirm_folder_check(&s->deal, o->folder);
	if (status)
		return status;
	bg_plan_warn(&plan);
	if (has_tty)
		show_plan(&s->tty);
	status = enrol_keys(crypto, s, has_tty, o);
	return status ? status : deal(crypto, s, o, path);
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct options *o = options;
	struct state *s = state;
	bool has_tty = !o->folder || !o->is_pin_stdin || !bg_plan_is_complete(&o->plan);
	int status = BG_EXIT_DONE;

	if (has_tty)
		status = bg_tty_begin(&s->tty, false,
			"without a terminal: --plan FILE --shares-to DIR --pin-stdin");
	if (!status && o->is_pin_stdin)
		status = bg_tty_begin(&s->pins, true, NULL);
	if (status)
		return status;
	status = ceremony(crypto, s, o, has_tty);
	if (has_tty)
		bg_tty_close(&s->tty);
	return status;
}

int bg_verb_init(int argc, char **argv)
{
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("init") : status;
	return bg_secrets_run(sizeof(struct state), run, &o);
}

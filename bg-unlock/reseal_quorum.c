/* SPDX-License-Identifier: BSD-2-Clause */
/* The quorum in force, which a reseal needs. */
#include "bg-unlock.h"
#include "exposure.h"
#include "reseal.h"

#include <stdio.h>

/* The numbers of those who are custodians. */
static void missing_names(const struct bg_reseal *s, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < s->old.custodian_count && used + 2 * BG_PHONE_LEN < size; i++) {
		const char *name = s->old.custodians[i].name;
		const char *phone = bg_contacts_phone(&s->contacts, name);

		if (!s->is_counted[i])
			used += (size_t)snprintf(ret + used, size - used, "%s%s%s%s",
				used ? ", " : "", name, *phone ? " " : "", phone);
	}
}

static int take(struct bg_crypto *crypto, struct bg_reseal *s, struct bg_given *given)
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
		s->is_recorded = bg_exposure_share(crypto, &s->old, whose.name, "reseal");
		bg_tty_say(s->ask.tty, " %s counted.\n", whose.name);
	}
	return BG_EXIT_DONE;
}

/* Also where it ends short: what was given was seen. */
static void say_exposed(const struct bg_reseal *s)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2)] = "";
	size_t used = 0;

	for (size_t i = 0; i < s->old.custodian_count; i++)
		if (s->is_counted[i])
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
				used ? ", " : "", s->old.custodians[i].name);
	if (used == 0)
		return;
	bg_note("this machine has now seen the share%s of %s, good until the new seal is "
		"installed everywhere%s",
		s->count > 1 ? "s" : "", names, s->is_recorded ? "; it is recorded" : "");
}

int bg_reseal_gather(
	struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o)
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
	say_exposed(s);
	return status;
}

int bg_reseal_recover(struct bg_crypto *crypto, struct bg_reseal *s)
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

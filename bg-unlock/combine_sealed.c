/* SPDX-License-Identifier: BSD-2-Clause */
#include "bg-unlock.h"
#include "combine.h"
#include "exposure.h"

#include <stdio.h>

/* "ops or dba", those not yet counted. */
static void missing_names(const struct bg_combine *s, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < s->seal.custodian_count && used + BG_NAME_LEN + 5 < size; i++)
		if (!s->is_counted[i])
			used += (size_t)snprintf(ret + used, size - used, "%s%s",
				used ? " or " : "", s->seal.custodians[i].name);
}

static void sealed_prompt(const struct bg_combine *s, const char *last, char *ret, size_t size)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 4)];
	int n;

	if (!s->count) {
		(void)snprintf(ret, size,
			"Share 1 of %u (words, or their first 4 letters; ? helps):",
			s->seal.threshold);
		return;
	}
	missing_names(s, names, sizeof(names));
	n = snprintf(
		ret, size, "%sShare %zu of %u (%s):", last, s->count + 1, s->seal.threshold, names);
	if (n > 78)
		(void)snprintf(ret, size, "%sShare %zu of %u (? helps):", last, s->count + 1,
			s->seal.threshold);
}

/* Judges the share just given: counts it, or says why not. What goes into last heads the next
   prompt. Reports go to report (stdout, or stderr where the secret takes stdout). */
static int judge(struct bg_crypto *crypto, struct bg_combine *s, FILE *report, unsigned int number,
	char *last, size_t size)
{
	struct bg_given *given = &s->given[s->count];
	struct bg_whose whose;
	enum bg_err err = bg_ask_whose(crypto, &s->seal, given, &whose);

	last[0] = '\0';
	if (err)
		return bg_fail(err, NULL, NULL);
	if (whose.standing != BG_SHARE_CURRENT) {
		s->wrong++;
		if (s->tty.is_stdin)
			(void)fprintf(report, "share %u: %s\n", number, whose.text);
		else
			bg_tty_say(&s->tty, " %s.\n Not counted.\n", whose.text);
		bg_given_wipe(given);
		return BG_EXIT_DONE;
	}
	if (s->tty.is_stdin)
		(void)fprintf(report, "share %u: %s%s\n", number, whose.text,
			s->is_counted[whose.custodian] ? " (given twice)" : "");
	if (s->is_counted[whose.custodian]) {
		(void)snprintf(last, size, "%s is counted already. ", whose.name);
		bg_given_wipe(given);
		return BG_EXIT_DONE;
	}
	s->is_counted[whose.custodian] = true;
	bg_given_complete(given, &s->seal);
	s->shares[s->count++] = given->share;
	(void)snprintf(last, size, "%s counted. ", whose.name);
	return BG_EXIT_DONE;
}

/* Who is needed, and how to reach them. */
static void sealed_head(struct bg_combine *s, const struct bg_combine_options *o)
{
	char set[BG_SHORT_ID_LEN + 1];

	bg_short_id(s->seal.set_id, set);
	if (o->envelope)
		bg_tty_say(&s->tty,
			"OPEN %.70s\n This machine is about to see the whole quorum: best one "
			"that is never on a\n network. Reseal afterwards.\n",
			o->envelope);
	bg_tty_say(&s->tty, "%s@%s  set %s epoch %u  need %u of:\n", s->seal.account, s->seal.zone,
		set, s->seal.epoch, s->seal.threshold);
	for (size_t i = 0; i < s->seal.custodian_count; i++)
		bg_tty_say(&s->tty, "  %-12s %s\n", s->seal.custodians[i].name,
			bg_contacts_phone(&s->contacts, s->seal.custodians[i].name));
}

static int sealed_gather(struct bg_crypto *crypto, struct bg_combine *s,
	const struct bg_combine_options *o, FILE *report)
{
	char prompt[256], last[64] = "";
	unsigned int number = 0;

	sealed_head(s, o);
	while (s->count < (s->tty.is_stdin ? BG_CUSTODIANS_MAX : s->seal.threshold)) {
		enum bg_asked asked;
		int status;

		sealed_prompt(s, last, prompt, sizeof(prompt));
		asked = bg_ask_share(&s->ask, prompt, &s->given[s->count]);
		if (asked == BG_ASKED_CANCELLED)
			break;
		number++;
		if (asked == BG_ASKED_MALFORMED) {
			s->malformed++;
			continue;
		}
		status = judge(crypto, s, report, number, last, sizeof(last));
		if (status)
			return status;
	}
	bg_tty_say(&s->tty, "%s\n", last);
	return BG_EXIT_DONE;
}

static int sealed_short(const struct bg_combine *s, FILE *report)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 4)];

	missing_names(s, names, sizeof(names));
	(void)fprintf(report, "quorum: short (%zu of %u)\n", s->count, s->seal.threshold);
	bg_error("the quorum is short: %zu of %u", s->count, s->seal.threshold);
	bg_hint("ask %s", names);
	return s->malformed && !s->wrong && !s->count ? BG_EXIT_USAGE : BG_EXIT_NO;
}

static void record_shares(struct bg_crypto *crypto, const struct bg_combine *s)
{
	for (size_t i = 0; i < s->seal.custodian_count; i++)
		if (s->is_counted[i])
			(void)!bg_exposure_share(
				crypto, &s->seal, s->seal.custodians[i].name, "combine");
}

int bg_combine_sealed(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o)
{
	BG_WIPE(bg_quorum_wipe) struct bg_quorum quorum = { 0 };
	FILE *report = o->is_reveal || o->envelope ? stderr : stdout;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status = sealed_gather(crypto, s, o, report);

	/* of an envelope's quorum its own record names them */
	if (!o->envelope || s->count < s->seal.threshold)
		record_shares(crypto, s);
	if (status)
		return status;
	if (s->count < s->seal.threshold)
		return sealed_short(s, report);
	err = bg_slip39_combine(crypto, s->shares, s->count, "", &s->secret, &diag);
	if (!err)
		err = bg_quorum_derive(crypto, &s->secret, s->seal.set_id, s->seal.epoch, &quorum);
	if (!err && !bg_equal(quorum.sign_pub, s->seal.quorum_pub, sizeof(quorum.sign_pub)))
		err = BG_ERR_MISMATCH;
	if (err)
		return bg_fail(err, &diag,
			"each share is right by itself, but not all together: the seal "
			"or a share is damaged; use other custodians' shares");
	(void)fprintf(report, "quorum: stands (%zu of %u)\n", s->count, s->seal.threshold);
	if (o->envelope)
		return bg_combine_open(crypto, s, o, &quorum);
	return o->is_reveal ? bg_combine_reveal(s) : BG_EXIT_DONE;
}

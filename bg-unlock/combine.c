/* SPDX-License-Identifier: BSD-2-Clause */
/* `combine`: do these shares make a quorum? The secret itself only with --reveal. */
#include "ask.h"
#include "bg-unlock.h"
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *seal, *passphrase_file;
	bool is_stdin, is_reveal;
};

/* In locked memory. */
struct state {
	struct bg_tty tty;
	struct bg_ask ask;
	struct bg_seal seal;
	struct bg_contacts contacts;
	struct bg_given given[BG_SLIP39_MAX_INPUT];
	struct bg_slip39_share shares[BG_SLIP39_MAX_INPUT];
	struct bg_secret values[BG_SLIP39_MAX_INPUT];
	uint8_t indices[BG_SLIP39_MAX_INPUT];
	size_t count;
	size_t malformed, wrong;
	bool has_sealed;
	bool is_counted[BG_CUSTODIANS_MAX];
	char passphrase[256];
	struct bg_secret secret;
	char hex[2 * BG_SECRET_MAX_LEN + 2];
};

static int write_secret(const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			bg_error("standard output: cannot be written");
			return BG_EXIT_MACHINE;
		}
		p += n;
		len -= (size_t)n;
	}
	return BG_EXIT_DONE;
}

static int reveal(struct state *s)
{
	size_t len = 0;

	if (!s->tty.is_stdin) {
		bg_tty_say(&s->tty, "The secret is about to be shown. Whoever sees it holds the "
				    "whole quorum, and\n"
				    "this machine has seen it from now on: reseal afterwards.\n");
		if (bg_tty_ask(&s->tty, true, "Type yes to show it:", s->ask.text, &len) ||
			strcmp(s->ask.text, "yes") != 0) {
			bg_note("not shown");
			return BG_EXIT_NO;
		}
	}
	bg_hex_encode(s->secret.bytes, s->secret.len, s->hex);
	s->hex[2 * s->secret.len] = '\n';
	return write_secret(s->hex, 2 * s->secret.len + 1);
}

/* The first share given in words, whose header compact ones then take; NULL: none. */
static const struct bg_slip39_share *first_words(const struct state *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->given[i].is_compact)
			return &s->given[i].share;
	return NULL;
}

static enum bg_err combine_compact(struct bg_crypto *crypto, struct state *s)
{
	for (size_t i = 0; i < s->count; i++) {
		s->indices[i] = s->given[i].share.member_index;
		s->values[i] = s->given[i].share.value;
	}
	return bg_slip39_combine_values(crypto, s->indices, s->values, s->count, &s->secret);
}

/* What is there so far, without a seal. */
static enum bg_err combine_plain(struct bg_crypto *crypto, struct state *s, struct bg_diag *diag)
{
	const struct bg_slip39_share *head = first_words(s);

	if (!head)
		return combine_compact(crypto, s);
	for (size_t i = 0; i < s->count; i++) {
		s->shares[i] = s->given[i].share;
		if (!s->given[i].is_compact)
			continue;
		s->shares[i] = *head;
		s->shares[i].member_index = s->given[i].share.member_index;
		s->shares[i].value = s->given[i].share.value;
	}
	return bg_slip39_combine(crypto, s->shares, s->count, s->passphrase, &s->secret, diag);
}

static void plain_prompt(const struct state *s, char *ret, size_t size)
{
	const struct bg_slip39_share *head = first_words(s);

	if (!head && s->count)
		(void)snprintf(ret, size,
			"Share %zu (an empty line: that is all; ? helps):", s->count + 1);
	else if (head && head->group_count == 1)
		(void)snprintf(ret, size,
			"Share %zu of %u (words, or their first 4 letters; ? helps):", s->count + 1,
			head->member_threshold);
	else
		(void)snprintf(ret, size,
			"Share %zu (words, or their first 4 letters; ? helps):", s->count + 1);
}

static int plain_done(
	struct state *s, enum bg_err err, const struct bg_diag *diag, const struct options *o)
{
	if (err && diag->index)
		bg_error(
			"share %u: %s", diag->index, diag->what[0] ? diag->what : bg_err_text(err));
	if (err)
		return bg_fail(err, diag,
			err == BG_ERR_TOO_FEW ? "give one share more, one a line"
					      : "give the shares of one set, each once");
	if (s->count && !first_words(s))
		bg_note("compact shares without a seal: checked by SLIP-39's digest alone");
	if (o->is_reveal)
		return reveal(s);
	(void)printf("quorum: stands (%zu shares, %zu bit)\n", s->count, s->secret.len * 8);
	return BG_EXIT_DONE;
}

/* At a prompt a share that does not fit is dropped, the good ones stay (RULES S13). */
static int plain_prompted(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	char prompt[128];

	while (s->count < BG_SLIP39_MAX_INPUT) {
		struct bg_diag diag = { 0 };
		enum bg_asked asked;
		enum bg_err err;

		s->ask.may_end = s->count && !first_words(s);
		plain_prompt(s, prompt, sizeof(prompt));
		asked = bg_ask_share(&s->ask, prompt, &s->given[s->count]);
		if (asked == BG_ASKED_END)
			return plain_done(s, combine_plain(crypto, s, &diag), &diag, o);
		if (asked != BG_ASKED_SHARE)
			return bg_fail(BG_ERR_CANCELLED, NULL, NULL);
		s->count++;
		if (!first_words(s))
			continue;
		err = combine_plain(crypto, s, &diag);
		if (err == BG_OK)
			return plain_done(s, err, &diag, o);
		if (err != BG_ERR_TOO_FEW) {
			bg_tty_say(&s->tty, " %s: this one is not counted.\n", bg_err_text(err));
			bg_given_wipe(&s->given[--s->count]);
		}
	}
	return bg_fail(BG_ERR_TOO_BIG, NULL, "these are more shares than any set has");
}

static int plain_lines(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	struct bg_diag diag = { 0 };
	enum bg_asked asked;

	while (s->count < BG_SLIP39_MAX_INPUT &&
		(asked = bg_ask_share(&s->ask, "", &s->given[s->count])) != BG_ASKED_CANCELLED) {
		if (asked == BG_ASKED_SHARE)
			s->count++;
		else
			s->malformed++;
	}
	if (s->malformed || !s->count) {
		if (!s->count && !s->malformed)
			bg_error("standard input: no share");
		bg_hint("one share a line: 20 or 33 words, or 38 or 70 modhex letters");
		return BG_EXIT_USAGE;
	}
	return plain_done(s, combine_plain(crypto, s, &diag), &diag, o);
}

/* "ops or dba", those not yet counted. */
static void missing_names(const struct state *s, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < s->seal.custodian_count && used + BG_NAME_LEN + 5 < size; i++)
		if (!s->is_counted[i])
			used += (size_t)snprintf(ret + used, size - used, "%s%s",
				used ? " or " : "", s->seal.custodians[i].name);
}

static void sealed_prompt(const struct state *s, const char *last, char *ret, size_t size)
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
static int judge(struct bg_crypto *crypto, struct state *s, FILE *report, unsigned int number,
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
static void sealed_head(struct state *s)
{
	char set[BG_SHORT_ID_LEN + 1];

	bg_short_id(s->seal.set_id, set);
	bg_tty_say(&s->tty, "%s@%s  set %s epoch %u  need %u of:\n", s->seal.account, s->seal.zone,
		set, s->seal.epoch, s->seal.threshold);
	for (size_t i = 0; i < s->seal.custodian_count; i++)
		bg_tty_say(&s->tty, "  %-12s %s\n", s->seal.custodians[i].name,
			bg_contacts_phone(&s->contacts, s->seal.custodians[i].name));
}

static int sealed_gather(struct bg_crypto *crypto, struct state *s, FILE *report)
{
	char prompt[256], last[64] = "";
	unsigned int number = 0;

	sealed_head(s);
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

static int sealed_short(const struct state *s, FILE *report)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 4)];

	missing_names(s, names, sizeof(names));
	(void)fprintf(report, "quorum: short (%zu of %u)\n", s->count, s->seal.threshold);
	bg_error("the quorum is short: %zu of %u", s->count, s->seal.threshold);
	bg_hint("ask %s", names);
	return s->malformed && !s->wrong && !s->count ? BG_EXIT_USAGE : BG_EXIT_NO;
}

static int sealed(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	BG_WIPE(bg_quorum_wipe) struct bg_quorum quorum = { 0 };
	FILE *report = o->is_reveal ? stderr : stdout;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status = sealed_gather(crypto, s, report);

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
	return o->is_reveal ? reveal(s) : BG_EXIT_DONE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "stdin", no_argument, NULL, 's' },
		{ "reveal", no_argument, NULL, 'r' },
		{ "passphrase-file", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's')
			o->is_stdin = true;
		else if (c == 'r')
			o->is_reveal = true;
		else if (c == 'p')
			o->passphrase_file = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("combine takes [SEAL] [--stdin] [--reveal] "
					"[--passphrase-file FILE]");
	}
	if (argc - optind > 1)
		return bg_usage(
			"combine takes one seal; shares are asked for, never given as arguments");
	o->seal = argv[optind];
	if (o->seal && o->passphrase_file)
		return bg_usage("--passphrase-file: a seal's secret has no passphrase");
	return BG_EXIT_DONE;
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct options *o = options;
	struct state *s = state;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status = BG_EXIT_DONE;

	if (o->passphrase_file)
		status = bg_load_passphrase(
			o->passphrase_file, s->passphrase, sizeof(s->passphrase));
	if (!status && o->seal)
		status = bg_load_seal(crypto, o->seal, &s->seal);
	if (!status && o->seal && !o->is_stdin)
		status = bg_load_contacts(NULL, o->seal, &s->contacts);
	if (status)
		return status;
	err = bg_tty_open(&s->tty, o->is_stdin, &diag);
	if (err)
		return bg_fail(err, &diag, "give the shares with --stdin, one a line");
	s->ask.tty = &s->tty;
	if (o->seal) {
		s->ask.seal = &s->seal;
		s->ask.expected =
			s->seal.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
		status = sealed(crypto, s, o);
	} else {
		status = o->is_stdin ? plain_lines(crypto, s, o) : plain_prompted(crypto, s, o);
	}
	bg_tty_close(&s->tty);
	return status;
}

int bg_verb_combine(int argc, char **argv)
{
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("combine") : status;
	return bg_secrets_run(sizeof(struct state), run, &o);
}

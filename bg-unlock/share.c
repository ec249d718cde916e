/* SPDX-License-Identifier: BSD-2-Clause */
/* `share`: what one custodian does with the own share. */
#include "ask.h"
#include "bg-unlock.h"
#include "exposure.h"
#include "load.h"
#include "sheet.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *seal, *name, *contacts;
	bool is_stdin;
};

/* In locked memory. */
struct state {
	struct bg_tty tty;
	struct bg_ask ask;
	struct bg_seal seal;
	struct bg_contacts contacts;
	struct bg_given given;
	struct bg_slip39_words words;
	struct bg_compact compact;
	char text[BG_SLIP39_TEXT_LEN + 1];
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "stdin", no_argument, NULL, 's' },
		{ "contacts", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's')
			o->is_stdin = true;
		else if (c == 'c')
			o->contacts = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("share %s does not know that option", argv[0]);
	}
	if (optind < argc)
		o->seal = argv[optind++];
	if (optind < argc)
		o->name = argv[optind++];
	if (optind < argc)
		return bg_usage("share %s: too many arguments; a share is never one", argv[0]);
	return BG_EXIT_DONE;
}

/* One share from the terminal or standard input into s->given. */
static int ask_one(struct state *s, const struct options *o, const char *whose)
{
	enum bg_asked asked;
	int status = bg_tty_begin(&s->tty, o->is_stdin, "give the share with --stdin, on one line");

	if (status)
		return status;
	s->ask.tty = &s->tty;
	s->ask.whose = whose;
	if (o->seal) {
		s->ask.seal = &s->seal;
		s->ask.expected =
			s->seal.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
	}
	asked = bg_ask_share(
		&s->ask, "Your share (words, or their first 4 letters; ? helps):", &s->given);
	bg_tty_close(&s->tty);
	if (asked == BG_ASKED_SHARE)
		return BG_EXIT_DONE;
	if (asked == BG_ASKED_MALFORMED) {
		bg_hint("look at the sheet again; nothing is ever corrected by guessing");
		return BG_EXIT_USAGE;
	}
	bg_error("no share was given");
	bg_hint("20 or 33 words, or 38 or 70 modhex letters, on one line");
	return BG_EXIT_USAGE;
}

static int verify(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	struct bg_whose whose;
	enum bg_err err;
	int status;

	if (!o->seal || o->name)
		return bg_usage("share verify takes one seal");
	status = bg_load_seal(crypto, o->seal, &s->seal);
	if (!status)
		status = ask_one(s, o, NULL);
	if (status)
		return status;
	err = bg_ask_whose(crypto, &s->seal, &s->given, &whose);
	if (err)
		return bg_fail(err, NULL, NULL);
	(void)printf("%s\n", whose.text);
	if (whose.standing == BG_SHARE_CURRENT) {
		if (bg_exposure_share(crypto, &s->seal, whose.name, "share verify"))
			bg_note("this host has now seen that share, and it is recorded");
		return BG_EXIT_DONE;
	}
	bg_hint(whose.standing == BG_SHARE_RETIRED
			? "this sheet may be destroyed once every host has the newer seal; find "
			  "the newer one"
			: "is it the sheet for this account and zone, and this seal's?");
	return BG_EXIT_NO;
}

static int print_secret(struct state *s)
{
	size_t len = strlen(s->text), done = 0;

	s->text[len++] = '\n';
	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, s->text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			bg_error("standard output: cannot be written");
			return BG_EXIT_MACHINE;
		}
		done += (size_t)n;
	}
	return BG_EXIT_DONE;
}

static int to_modhex(struct state *s)
{
	const struct bg_slip39_share *share = &s->given.share;
	enum bg_err err;

	if (share->group_count != 1 || share->exponent != 0 || !share->is_extendable) {
		bg_error("this share has no compact form: it is of a set with groups, an iteration "
			 "exponent or the older checksum");
		bg_hint("keep it in words");
		return BG_EXIT_NO;
	}
	s->compact.member_index = share->member_index;
	s->compact.value = share->value;
	err = bg_compact_encode(&s->compact, s->text);
	return err ? bg_fail(err, NULL, NULL) : print_secret(s);
}

static int to_words(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	struct bg_whose whose;
	enum bg_err err;

	if (!o->seal) {
		bg_error("modhex lacks the set's identifier and threshold");
		bg_hint("name the seal: bg-unlock share convert SEAL");
		return BG_EXIT_USAGE;
	}
	err = bg_ask_whose(crypto, &s->seal, &s->given, &whose);
	if (err)
		return bg_fail(err, NULL, NULL);
	if (whose.standing != BG_SHARE_CURRENT) {
		bg_error("%s", whose.text);
		bg_hint("only a share of the seal's own set can be turned into its words");
		return BG_EXIT_NO;
	}
	bg_given_complete(&s->given, &s->seal);
	err = bg_slip39_encode(&s->given.share, &s->words);
	if (err)
		return bg_fail(err, NULL, NULL);
	bg_slip39_words_text(&s->words, s->text);
	return print_secret(s);
}

static int convert(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	int status = BG_EXIT_DONE;

	if (o->name)
		return bg_usage("share convert takes one seal at the most");
	if (o->seal)
		status = bg_load_seal(crypto, o->seal, &s->seal);
	if (!status)
		status = ask_one(s, o, NULL);
	if (status)
		return status;
	return s->given.is_compact ? to_words(crypto, s, o) : to_modhex(s);
}

static int sheet(struct bg_crypto *crypto, struct state *s, const struct options *o)
{
	struct bg_whose whose;
	int custodian, status;

	if (!o->seal || !o->name)
		return bg_usage("share sheet takes a seal and a custodian's name");
	status = bg_load_seal(crypto, o->seal, &s->seal);
	if (!status)
		status = bg_load_contacts(o->contacts, o->seal, &s->contacts);
	if (status)
		return status;
	custodian = bg_seal_find_custodian(&s->seal, o->name);
	if (custodian < 0) {
		bg_error("%s: \"%s\" is no custodian of it", o->seal, o->name);
		bg_hint("the first is %s", s->seal.custodians[0].name);
		return BG_EXIT_USAGE;
	}
	if (!o->is_stdin)
		return bg_sheet_custodian(&s->seal, (size_t)custodian, &s->contacts, NULL);
	status = ask_one(s, o, o->name);
	if (status)
		return status;
	if (bg_ask_whose(crypto, &s->seal, &s->given, &whose) != BG_OK ||
		whose.standing != BG_SHARE_CURRENT || whose.custodian != (size_t)custodian) {
		bg_error("that is not the share of %s: %s", o->name, whose.text);
		bg_hint("leave --stdin out for a sheet with blanks");
		return BG_EXIT_NO;
	}
	bg_given_complete(&s->given, &s->seal);
	return bg_sheet_custodian(&s->seal, (size_t)custodian, &s->contacts, &s->given.share);
}

static int run(int argc, char **argv, struct state *s)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("share") : status;
	crypto = bg_load_crypto();
	if (!crypto)
		return BG_EXIT_MACHINE;
	if (strcmp(argv[0], "verify") == 0)
		return verify(crypto, s, &o);
	if (strcmp(argv[0], "convert") == 0)
		return convert(crypto, s, &o);
	return sheet(crypto, s, &o);
}

int bg_verb_share(int argc, char **argv)
{
	struct state *s;
	int status;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return bg_verb_help("share");
	if (argc < 2 || (strcmp(argv[1], "verify") != 0 && strcmp(argv[1], "convert") != 0 &&
				strcmp(argv[1], "sheet") != 0))
		return bg_usage("share needs verify, convert or sheet");
	status = bg_secrets_begin();
	if (status)
		return status;
	s = bg_secrets_take(sizeof(*s));
	status = run(argc - 1, argv + 1, s);
	bg_wipe(s, sizeof(*s));
	return status;
}

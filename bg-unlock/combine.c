/* SPDX-License-Identifier: BSD-2-Clause */
/* `combine`: a response to a request; an envelope; do these shares make a quorum; the secret. */
#include "bg-unlock.h"
#include "combine.h"
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

int bg_combine_write(const char *p, size_t len)
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

int bg_combine_reveal(struct bg_combine *s)
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
	return bg_combine_write(s->hex, 2 * s->secret.len + 1);
}

static int parse(int argc, char **argv, struct bg_combine_options *o)
{
	static const struct option longs[] = { { "stdin", no_argument, NULL, 's' },
		{ "reveal", no_argument, NULL, 'r' },
		{ "passphrase-file", required_argument, NULL, 'p' },
		{ "open", required_argument, NULL, 'e' },
		{ "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == 's')
			o->is_stdin = true;
		else if (c == 'r')
			o->is_reveal = true;
		else if (c == 'p')
			o->passphrase_file = optarg;
		else if (c == 'e')
			o->envelope = optarg;
		else if (c == 'o')
			o->out = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("combine does not know that option");
	}
	if (argc - optind > 1)
		return bg_usage(
			"combine takes one seal; shares are asked for, never given as arguments");
	o->seal = argv[optind];
	if (o->seal && o->passphrase_file)
		return bg_usage("--passphrase-file: a seal's secret has no passphrase");
	if (o->envelope && !o->seal)
		return bg_usage("--open wants the seal of the set that the envelope is for");
	if (o->envelope && o->is_reveal)
		return bg_usage("--open and --reveal: one of them");
	if (o->out && !o->envelope)
		return bg_usage("--output is where an envelope's content goes: --open FILE");
	return BG_EXIT_DONE;
}

static int combine(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o)
{
	bool is_none = o->is_stdin || o->is_reveal || o->passphrase_file || o->envelope;
	const struct bg_seal *seal = o->seal ? &s->seal : NULL;
	int status = is_none ? BG_EXIT_DONE : bg_respond_ask(crypto, s, seal, &is_none);

	if (status)
		return status;
	s->ask.seal = seal;
	if (!is_none)
		return bg_respond(crypto, s);
	if (!seal)
		return bg_combine_plain(crypto, s, o);
	s->ask.expected = seal->strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128;
	return bg_combine_sealed(crypto, s, o);
}

static int run(struct bg_crypto *crypto, void *state, const void *options)
{
	const struct bg_combine_options *o = options;
	struct bg_combine *s = state;
	int status = BG_EXIT_DONE;

	if (o->passphrase_file)
		status = bg_load_passphrase(
			o->passphrase_file, s->passphrase, sizeof(s->passphrase));
	if (!status && o->seal)
		status = bg_load_seal(crypto, o->seal, &s->seal);
	if (!status && o->seal && !o->is_stdin)
		status = bg_load_contacts(NULL, o->seal, &s->contacts);
	if (!status && o->envelope)
		status = bg_combine_open_begin(s, o);
	if (!status)
		status = bg_tty_begin(
			&s->tty, o->is_stdin, "give the shares with --stdin, one a line");
	if (status)
		return status;
	s->ask.tty = &s->tty;
	status = combine(crypto, s, o);
	bg_tty_close(&s->tty);
	return status;
}

int bg_verb_combine(int argc, char **argv)
{
	struct bg_combine_options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("combine") : status;
	return bg_secrets_run(sizeof(struct bg_combine), run, &o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* `revoke`: what is meant, and what came of it. */
#include "bg-unlock.h"
#include "revoke.h"

#include <breakglass/ini.h>
#include <breakglass/secret.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

struct options {
	struct bg_revoke_which which;
	bool is_code, is_stdin;
	struct bg_revoke_word word;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "account", required_argument, NULL, 'a' },
		{ "code", no_argument, NULL, 'c' }, { "stdin", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'a')
			o->which.account = optarg;
		else if (c == 'c')
			o->is_code = true;
		else if (c == 's')
			o->is_stdin = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("revoke does not know that option");
	}
	if (argc - optind > 1)
		return bg_usage("revoke takes one request, or none for all");
	o->which.id = argv[optind];
	if (o->is_code && (argc > optind || o->which.account != NULL))
		return bg_usage("--code: the refusal itself names the request, and it is asked "
				"for, never given as an argument");
	if (o->is_stdin && !o->is_code)
		return bg_usage("--stdin goes with --code");
	if (o->which.id != NULL && !bg_revoke_is_id(o->which.id))
		return bg_usage("\"%s\" is no request: the four characters of its short id, or all "
				"its hexadecimal digits",
			o->which.id);
	if (o->which.account != NULL && !bg_is_account(o->which.account, BG_ACCOUNT_LEN))
		return bg_usage("\"%s\" is no account's name", o->which.account);
	return BG_EXIT_DONE;
}

static int conclude(const struct options *o, const struct bg_revoked *revoked)
{
	if (revoked->alive > 0) {
		bg_error("%zu process%s of a session cannot be ended", revoked->alive,
			revoked->alive == 1 ? "" : "es");
		bg_hint("ps -eo pid,stat,args; one in state D waits for a disk or a network file "
			"system, and ends when that answers");
		return BG_EXIT_MACHINE;
	}
	if (revoked->matches > 0)
		return BG_EXIT_DONE;
	if (o->which.id != NULL) {
		bg_error("no request %s is open here", o->which.id);
		bg_hint("bg-unlock log show tells what was asked for");
		return BG_EXIT_NO;
	}
	(void)printf("nothing to revoke\n");
	return BG_EXIT_DONE;
}

int bg_verb_revoke(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct options o = { 0 };
	struct bg_revoked revoked;
	char who[BG_REVOKE_WHO_LEN];
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("revoke") : status;
	if (geteuid() != 0) {
		bg_error("revoke is root's");
		return BG_EXIT_MACHINE;
	}
	crypto = bg_crypto_open();
	if (crypto == NULL)
		return bg_fail(BG_ERR_CRYPTO, NULL, NULL);
	if (o.which.id != NULL && bg_revoke_count(crypto, &o.which) > 1) {
		bg_error("%s names more than one request", o.which.id);
		bg_hint("give all its digits, as the records have them: bg-unlock log show --json");
		return BG_EXIT_NO;
	}
	if (o.is_code) {
		status = bg_revoke_take_word(crypto, o.is_stdin, &o.word);
		if (status)
			return status;
		o.which.digest = o.word.digest;
		o.which.custodian = o.word.custodian;
	}
	bg_revoke_who(who);
	revoked = bg_revoke(crypto, &o.which, who);
	return conclude(&o, &revoked);
}

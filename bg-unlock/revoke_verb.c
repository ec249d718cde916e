/* SPDX-License-Identifier: BSD-2-Clause */
/* `revoke`: what is meant, and what came of it. */
#include "bg-unlock.h"
#include "install.h"
#include "revoke.h"

#include <breakglass/ini.h>
#include <breakglass/os_spool.h>
#include <breakglass/secret.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

struct options {
	struct bg_revoke_which which;
	bool is_code, is_stdin;
	struct bg_revoke_word word;
	bool is_lock, is_due;
};

/* The one argument: with --lock the account, else a request. */
static int take_argument(struct options *o, const char *text)
{
	if (!o->is_lock) {
		o->which.id = text;
		if (text == NULL || bg_revoke_is_id(text))
			return BG_EXIT_DONE;
		return bg_usage("\"%s\" is no request: the four characters of its short id, or six "
				"and more of its hexadecimal digits",
			text);
	}
	if (text == NULL || o->which.account != NULL)
		return bg_usage("revoke --lock takes one account");
	o->which.account = text;
	return BG_EXIT_DONE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "account", required_argument, NULL, 'a' },
		{ "code", no_argument, NULL, 'c' }, { "stdin", no_argument, NULL, 's' },
		{ "lock", no_argument, NULL, 'l' }, { "due", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	int c, status;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'a')
			o->which.account = optarg;
		else if (c == 'c')
			o->is_code = true;
		else if (c == 's')
			o->is_stdin = true;
		else if (c == 'l')
			o->is_lock = true;
		else if (c == 'd')
			o->is_due = true;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("revoke does not know that option");
	}
	if (o->is_due && (o->is_lock || o->is_code || o->which.account != NULL || optind < argc))
		return bg_usage("revoke --due takes nothing else");
	if (argc - optind > 1)
		return bg_usage("revoke takes one request, or none for all");
	if (o->is_code && (argc > optind || o->which.account != NULL || o->is_lock))
		return bg_usage("--code: the refusal itself names the request, and it is asked "
				"for, never given as an argument");
	if (o->is_stdin && !o->is_code)
		return bg_usage("--stdin goes with --code");
	status = take_argument(o, argv[optind]);
	if (status != BG_EXIT_DONE)
		return status;
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

static int lock_account(struct bg_crypto *crypto, const struct options *o, const char *who)
{
	static struct bg_tree tree;
	struct bg_diag diag = { 0 };
	struct bg_host host = { 0 };
	struct bg_revoked revoked;
	char folder[BG_TREE_PATH_LEN];
	enum bg_err err;
	int status = bg_tree_open(&tree, NULL, true), ended;

	if (status != BG_EXIT_DONE)
		return status;
	bg_account_path(o->which.account, "", folder);
	if (!bg_tree_has(&tree, folder)) {
		bg_error("%s is no emergency account here", o->which.account);
		return BG_EXIT_NO;
	}
	/* Without a good host file nothing opens anyway; it is locked all the same. */
	if (bg_account_host(&tree, o->which.account, &host, &diag) != BG_OK)
		diag = (struct bg_diag){ 0 };
	revoked = bg_revoke_lock(crypto, o->which.account, host.label, who, &err, &diag);
	ended = conclude(o, &revoked);
	if (err == BG_OK)
		return ended;
	return bg_fail(err, &diag, "what was open is ended, but nothing keeps it shut");
}

struct due {
	struct bg_crypto *crypto;
	int status;
};

static void settle(void *arg, const char *account)
{
	struct due *due = arg;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_locks_settle(due->crypto, account, &diag);

	if (err == BG_OK)
		(void)printf("removed: the lock of %s, which a quorum has lifted\n", account);
	else if (err != BG_ERR_NOENT)
		due->status = bg_fail(err, &diag, "remove it by hand: the lock is lifted");
}

static void revoke_due(void *arg, const struct bg_due *asked)
{
	struct due *due = arg;
	const struct options o = { .which = { .id = asked->request } };
	struct bg_revoked revoked;
	char who[BG_REVOKE_WHO_LEN];
	int status;

	if (asked->alert == 0 || !bg_revoke_is_id(asked->request))
		return;
	(void)snprintf(who, sizeof(who), "alert handler %s", asked->handler);
	revoked = bg_revoke(due->crypto, &o.which, who);
	/* Over before the answer came: nothing is amiss. */
	status = revoked.matches > 0 ? conclude(&o, &revoked) : BG_EXIT_DONE;
	if (status != BG_EXIT_DONE)
		due->status = status;
}

/* For breakglass-revoke.service. Revocations first: they cannot wait. */
static int do_due(struct bg_crypto *crypto)
{
	struct due due = { .crypto = crypto, .status = BG_EXIT_DONE };

	if (bg_state_prepare(NULL) == BG_OK)
		bg_due_take(revoke_due, &due);
	bg_locks_each_lifted(settle, &due);
	return due.status;
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
	if (o.is_due)
		return do_due(crypto);
	if (o.which.id != NULL && bg_revoke_list(crypto, &o.which) > 1)
		return BG_EXIT_NO;
	if (o.is_code) {
		status = bg_revoke_take_word(crypto, o.is_stdin, &o.word);
		if (status)
			return status;
		o.which.digest = o.word.digest;
		o.which.custodian = o.word.custodian;
	}
	bg_revoke_who(who);
	if (o.is_lock)
		return lock_account(crypto, &o, who);
	revoked = bg_revoke(crypto, &o.which, who);
	return conclude(&o, &revoked);
}

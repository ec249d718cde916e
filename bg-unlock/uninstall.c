/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `uninstall`: takes back what install made, the host file first, so that the
 * account is shut before the rest goes. Seals stay unless --purge: only a quorum
 * can make them again. The log always stays.
 */
#include "install.h"
#include "bg-unlock.h"

#include "recording.h"
#include "revoke.h"
#include "templates.h"

#include <breakglass/paths.h>
#include <breakglass/secret.h>

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *account, *root;
	bool is_all, is_dry;
	enum bg_undo undo;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "all", no_argument, NULL, 'a' },
		{ "keep-seals", no_argument, NULL, 's' }, { "purge", no_argument, NULL, 'p' },
		{ "dry-run", no_argument, NULL, 'n' }, { "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	bool is_purge = false, is_keep = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'a')
			o->is_all = true;
		else if (c == 's')
			is_keep = true;
		else if (c == 'p')
			is_purge = true;
		else if (c == 'n')
			o->is_dry = true;
		else if (c == 'r')
			o->root = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("uninstall does not know that option");
	}
	if (is_purge && is_keep)
		return bg_usage("--purge and --keep-seals are opposites");
	o->undo = is_purge ? BG_UNDO_PURGE : is_keep ? BG_UNDO_WAYS_ONLY : BG_UNDO_ALL_BUT_SEALS;
	if (o->is_all ? optind != argc : optind + 1 != argc)
		return bg_usage("uninstall takes one account, or --all");
	o->account = argv[optind];
	if (!o->is_all && !bg_is_account(o->account, BG_ACCOUNT_LEN))
		return bg_usage("\"%s\" is no account's name", o->account);
	return BG_EXIT_DONE;
}

struct others {
	const struct bg_tree *tree;
	const char *account;
	bool is_there;
};

static enum bg_err look_for_other(void *arg, const char *account)
{
	struct others *others = arg;
	char path[BG_TREE_PATH_LEN];

	bg_account_path(account, "host", path);
	if (strcmp(account, others->account) != 0 && bg_tree_has(others->tree, path))
		others->is_there = true;
	return BG_OK;
}

/* What is one for all accounts goes with the last. */
static bool is_last(const struct bg_tree *tree, const char *account)
{
	struct others others = { .tree = tree, .account = account };

	if (tree->is_all)
		return true;
	return bg_account_each(tree, look_for_other, &others) == BG_OK && !others.is_there;
}

static enum bg_err remove_files(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	char folder[BG_TREE_PATH_LEN], path[BG_TREE_PATH_LEN];
	enum bg_err err = BG_OK;
	struct dirent *entry;
	DIR *dir;

	bg_account_path(account, "", folder);
	dir = opendir(bg_tree_path(tree, folder));
	/* cppcheck-suppress readdirCalled ; a folder of our own */
	while (!err && dir && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "seal.", 5) != 0 &&
			strcmp(entry->d_name, "contacts") != 0)
			continue;
		bg_account_path(account, entry->d_name, path);
		err = bg_tree_remove(tree, path, diag);
	}
	if (dir)
		(void)closedir(dir);
	if (err || !dir)
		return err;
	return bg_tree_remove(tree, folder, diag);
}

static void keep_first(
	enum bg_err err, const struct bg_diag *diag, enum bg_err *first, struct bg_diag *ret)
{
	if (!err || *first)
		return;
	*first = err;
	if (ret)
		*ret = *diag;
}

/* breakglass.conf goes with the last account if nobody has edited it. */
static enum bg_err remove_conf(struct bg_tree *tree, struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	size_t len = 0;
	enum bg_err err = bg_tree_read(tree, BG_PATH_CONF, text, sizeof(text), &len, diag);

	if (err == BG_OK && strcmp(text, template_breakglass_conf) == 0)
		return bg_tree_remove(tree, BG_PATH_CONF, diag);
	return err == BG_ERR_NOENT || err == BG_ERR_TOO_BIG ? BG_OK : err;
}

enum bg_err bg_undo(
	struct bg_tree *tree, const char *account, enum bg_undo undo, struct bg_diag *ret)
{
	bool last = is_last(tree, account);
	char path[BG_TREE_PATH_LEN];
	struct bg_diag diag = { 0 };
	enum bg_err first = BG_OK;

	bg_account_path(account, "host", path);
	if (undo != BG_UNDO_WAYS_ONLY) {
		keep_first(bg_tree_remove(tree, path, &diag), &diag, &first, ret);
		/* The lock shuts what the host file opens, and goes with it, not before. */
		bg_account_path(account, "locked", path);
		keep_first(bg_tree_remove(tree, path, &diag), &diag, &first, ret);
	}
	keep_first(bg_uninstall_ssh(tree, account, last, &diag), &diag, &first, ret);
	keep_first(bg_uninstall_recording(tree, account, 0, &diag), &diag, &first, ret);
	keep_first(bg_uninstall_sudo(tree, account, last, &diag), &diag, &first, ret);
	keep_first(bg_uninstall_doors(tree, account, last, undo == BG_UNDO_WAYS_ONLY, &diag), &diag,
		&first, ret);
	if (last) {
		keep_first(bg_uninstall_timeout(tree, &diag), &diag, &first, ret);
		keep_first(bg_uninstall_runuser(tree, &diag), &diag, &first, ret);
	}
	if (undo != BG_UNDO_WAYS_ONLY)
		keep_first(bg_uninstall_account(tree, account, &diag), &diag, &first, ret);
	if (last && undo != BG_UNDO_WAYS_ONLY)
		keep_first(remove_conf(tree, &diag), &diag, &first, ret);
	if (undo == BG_UNDO_PURGE)
		keep_first(remove_files(tree, account, &diag), &diag, &first, ret);
	return first;
}

struct walk {
	struct bg_tree *tree;
	enum bg_undo undo;
	int status;
};

static enum bg_err undo_one(void *arg, const char *account)
{
	struct walk *walk = arg;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_undo(walk->tree, account, walk->undo, &diag);

	if (err)
		walk->status =
			bg_fail(err, &diag, "the rest was taken back; once more when it is mended");
	return BG_OK;
}

/* What is open ends with the account's seal. */
static void end_what_is_open(const char *account)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	const struct bg_revoke_which which = { .account = account };
	char who[BG_REVOKE_WHO_LEN];
	struct bg_revoked revoked;

	if (crypto == NULL)
		return;
	bg_revoke_who(who);
	revoked = bg_revoke(crypto, &which, who);
	if (revoked.alive > 0)
		bg_error("%zu processes of a session cannot be ended", revoked.alive);
}

int bg_verb_uninstall(int argc, char **argv)
{
	static struct bg_tree tree;
	struct options o = { 0 };
	struct walk walk = { .tree = &tree };
	char path[BG_TREE_PATH_LEN];
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("uninstall") : status;
	status = bg_tree_open(&tree, o.root, o.is_dry);
	if (status)
		return status;
	if (o.undo != BG_UNDO_WAYS_ONLY && !o.root && !o.is_dry && geteuid() == 0)
		end_what_is_open(o.is_all ? NULL : o.account);
	walk.undo = o.undo;
	tree.is_all = o.is_all;
	if (o.is_all) {
		if (bg_account_each(&tree, undo_one, &walk) != BG_OK)
			return bg_fail(BG_ERR_IO, NULL, BG_PATH_ACCOUNTS " cannot be read");
	} else {
		(void)undo_one(&walk, o.account);
	}
	if (walk.status)
		return walk.status;
	if (tree.changes == 0)
		(void)printf("nothing to do\n");
	else if (o.is_dry)
		(void)printf("nothing was changed\n");
	if (!o.is_all && o.undo == BG_UNDO_ALL_BUT_SEALS) {
		bg_account_path(o.account, "", path);
		if (bg_tree_has(&tree, path))
			bg_note("the seals in %s stay; --purge removes them too", path);
	}
	return BG_EXIT_DONE;
}

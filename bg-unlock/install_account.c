/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The account: made by shadow's own programs, with a locked password and an
 * expiry in the past, so that whatever logs people in without our module
 * refuses it. Its uid is an ordinary one (what auditd's usual rules watch), its
 * home "/", so that nothing that it could write is read at its next login.
 */
#include "bg-unlock.h"
#include "judge.h"

#include <breakglass/os_helper.h>

#include <stdlib.h>
#include <string.h>

#define PASSWD	     "/etc/passwd"
#define GROUP_LEN    (1u << 20)
#define TIMEOUT_SECS 60
#define LONG_PAST    "1970-01-02" /* chage -E 1; 0 would mean "never" to some */

#define LOGGED_IN 8 /* userdel(8) */

/* Runs one of shadow's programs on the tree; what it says becomes the diagnostic. */
static enum bg_err run(const struct bg_tree *tree, const char *const words[], int *ret_status,
	struct bg_diag *diag)
{
	const char *argv[24] = { words[0] };
	char out[512];
	size_t n = 1;
	enum bg_err err;

	if (!tree->is_host) {
		argv[n++] = "--prefix";
		argv[n++] = tree->root;
	}
	for (size_t i = 1; words[i] && n + 1 < sizeof(argv) / sizeof(argv[0]); i++)
		argv[n++] = words[i];
	err = bg_program_run(argv, NULL, TIMEOUT_SECS, out, sizeof(out), ret_status, diag);
	if (err == BG_OK && *ret_status != 0) {
		out[strcspn(out, "\n")] = '\0';
		return bg_diag_set(diag, BG_ERR_IO, words[0], "%s", out);
	}
	return err;
}

static enum bg_err make(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	const char *const words[] = { "/usr/sbin/useradd", "--no-create-home", "--home-dir", "/",
		"--shell", "/bin/bash", "--expiredate", LONG_PAST, "--comment", "emergency account",
		"--user-group", "--no-log-init", "-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0",
		account, NULL };
	struct bg_record record = { .is_account_made = true };
	enum bg_err err;
	int status = 0;

	/* The intention first: killed after useradd, uninstall still knows whose account it is. */
	err = bg_record_save(tree, account, &record, diag);
	if (err)
		return err;
	bg_tree_say(tree, "make the account %s: locked, expired on %s, home /", account, LONG_PAST);
	return tree->is_dry ? BG_OK : run(tree, words, &status, diag);
}

static enum bg_err shut(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	const char *const words[] = { "/usr/sbin/usermod", "--lock", "--expiredate", LONG_PAST,
		account, NULL };
	struct bg_shadow shadow = { 0 };
	enum bg_err err = bg_shadow_find(tree, account, &shadow, diag);
	int status = 0;

	if (err)
		return err;
	if (shadow.is_locked && shadow.expires == 1)
		return BG_OK;
	bg_tree_say(tree, "lock the account %s and let it expire on %s", account, LONG_PAST);
	return tree->is_dry ? BG_OK : run(tree, words, &status, diag);
}

static enum bg_err judge_found(
	const struct bg_passwd *entry, const char *account, struct bg_diag *diag)
{
	if (entry->uid == 0)
		return bg_diag_set(diag, BG_ERR_UNSAFE, account,
			"uid 0: its deeds could not be told from root's; name another account");
	if (strcmp(entry->home, "/") != 0)
		return bg_diag_set(diag, BG_ERR_UNSAFE, account,
			"is there already with home %.40s; if it is meant: usermod --home / %s",
			entry->home, account);
	if (strcmp(entry->shell, "/bin/bash") != 0 && strcmp(entry->shell, "/bin/sh") != 0)
		return bg_diag_set(diag, BG_ERR_UNSAFE, account,
			"is there already with shell %.40s; if it is meant: usermod --shell "
			"/bin/bash %s",
			entry->shell, account);
	return BG_OK;
}

enum bg_err bg_install_account(
	struct bg_tree *tree, const char *account, uint32_t *ret_uid, struct bg_diag *diag)
{
	const char *passwd = bg_tree_path(tree, PASSWD);
	struct bg_record record = { 0 };
	struct bg_passwd entry = { 0 };
	enum bg_err err = bg_passwd_find_in(passwd, account, &entry, diag);

	if (err == BG_ERR_NOENT) {
		err = make(tree, account, diag);
		if (err || tree->is_dry)
			return err;
		err = bg_passwd_find_in(passwd, account, &entry, diag);
	} else if (err == BG_OK) {
		err = judge_found(&entry, account, diag);
		if (!err)
			err = bg_record_load(tree, account, &record, diag);
		if (!err)
			err = bg_record_save(tree, account, &record, diag);
	}
	if (!err)
		err = shut(tree, account, diag);
	if (!err)
		*ret_uid = entry.uid;
	return err;
}

/* userdel leaves the group where USERGROUPS_ENAB is not set. */
static enum bg_err remove_group(
	const struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	const char *const words[] = { "/usr/sbin/groupdel", account, NULL };
	char *text = malloc(GROUP_LEN), *rest = text, *line;
	size_t len = 0, name = strlen(account);
	bool is_there = false;
	int status = 0;

	if (!text)
		return BG_ERR_MEMORY;
	if (bg_tree_read(tree, "/etc/group", text, GROUP_LEN, &len, NULL) == BG_OK)
		while ((line = strsep(&rest, "\n")) != NULL)
			if (strncmp(line, account, name) == 0 && line[name] == ':')
				is_there = true;
	free(text);
	return is_there ? run(tree, words, &status, diag) : BG_OK;
}

enum bg_err bg_uninstall_account(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	/* never --remove: the home is / */
	const char *const words[] = { "/usr/sbin/userdel", account, NULL };
	struct bg_record record = { 0 };
	struct bg_passwd entry;
	enum bg_err err = bg_record_load(tree, account, &record, diag);
	int status = 0;

	if (err)
		return err;
	err = bg_passwd_find_in(bg_tree_path(tree, PASSWD), account, &entry, diag);
	if (err == BG_ERR_NOENT)
		return bg_record_drop(tree, account, diag);
	if (!record.is_account_made) {
		if (!tree->is_quiet)
			bg_note("the account %s was there before: it stays, locked and expired",
				account);
		return bg_record_drop(tree, account, diag);
	}
	bg_tree_say(tree, "remove the account %s", account);
	err = tree->is_dry ? BG_OK : run(tree, words, &status, diag);
	if (err && status == LOGGED_IN)
		return bg_diag_set(diag, BG_ERR_BUSY, account,
			"somebody is logged in as it; once more when it is over");
	if (!err && !tree->is_dry)
		err = remove_group(tree, account, diag);
	return err ? err : bg_record_drop(tree, account, diag);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ssh door: two drop-ins, one for everybody (the grace time), one an account,
 * and the account's keys file where its seal has security keys for ssh. The drop-ins
 * are judged by sshd itself before it reads them, and all three are put back as they
 * were if it does not like them: a broken sshd would shut everybody out.
 */
#include "bg-unlock.h"
#include "judge.h"
#include "ssh_text.h"
#include "templates.h"

#include <breakglass/os_helper.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER	     "/etc/ssh/sshd_config.d"
#define GLOBAL	     FOLDER "/60-breakglass.conf"
#define SSHD	     "/usr/sbin/sshd"
#define SSHD_CONFIG  "/etc/ssh/sshd_config"
#define TIMEOUT_SECS 20
#define MODE	     0644

enum allow { ALLOW_USERS = 1, ALLOW_GROUPS = 2 };

/* One account's door while it is made; `saved` is what was there before. */
struct door {
	struct bg_tree *tree;
	const struct bg_seal *seal;
	unsigned int allow;
	bool is_saved, is_reloaded;
	struct bg_saved saved[3];
};
static struct door door;

static void drop_in_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, FOLDER "/60-breakglass-%s.conf", account);
}

/* Does sshd take its configuration as it is now? */
static enum bg_err test(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *const argv[] = { SSHD, "-t", NULL };

	return bg_tree_run(tree, argv, NULL,
		"correct it first, until sshd -t is quiet: sshd would not start with it", diag);
}

/* A running sshd reads its configuration again; one that does not run will. */
static enum bg_err reload(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *const argv[] = { "/usr/bin/systemctl", "try-reload-or-restart", "ssh.service",
		NULL };

	if (access("/run/systemd/system", F_OK) != 0) {
		bg_note("no systemd here: reload sshd yourself (kill -HUP its first process)");
		return BG_OK;
	}
	bg_tree_say(tree, "reload ssh.service");
	return bg_tree_run(tree, argv, NULL, "systemctl status ssh says why", diag);
}

static enum bg_err place(struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	const char *account = door.seal->account;
	char path[BG_TREE_PATH_LEN];
	size_t len;

	drop_in_path(account, path);
	len = bg_ssh_match_text(account, bg_ssh_has_keys(door.seal), text);
	if (door.allow & ALLOW_USERS)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "\tAllowUsers %s\n", account);
	if (door.allow & ALLOW_GROUPS)
		(void)snprintf(text + len, sizeof(text) - len, "\tAllowGroups %s\n", account);
	return bg_tree_place(door.tree, path, MODE, text, diag);
}

/* Where the site lists who may come in, the drop-in has to say so too. */
static unsigned int needed_allow(const char *view, const char *account)
{
	unsigned int allow = 0;
	bool is_set;

	if (!bg_judge_ssh_names(view, "allowusers", account, &is_set) && is_set)
		allow |= ALLOW_USERS;
	if (!bg_judge_ssh_names(view, "allowgroups", account, &is_set) && is_set)
		allow |= ALLOW_GROUPS;
	return allow;
}

/* Both drop-ins are in place: would sshd do as we want? */
static enum bg_err prove(struct bg_diag *diag)
{
	static char view[BG_INI_FILE_LEN];
	const char *account = door.seal->account;
	struct bg_first_critical first = { 0 };
	const struct bg_judge judge = { .tree = door.tree, .found = bg_judge_first, .arg = &first };
	unsigned int more;
	enum bg_err err = test(door.tree, diag);

	if (!err)
		err = bg_judge_ssh_run(NULL, account, view, sizeof(view), diag);
	if (err)
		return err;
	more = needed_allow(view, account);
	if (more) {
		door.allow |= more;
		err = place(diag);
		if (!err)
			err = test(door.tree, diag);
		if (!err)
			err = bg_judge_ssh_run(NULL, account, view, sizeof(view), diag);
		if (err)
			return err;
	}
	bg_judge_ssh(&judge, view, account, bg_ssh_has_keys(door.seal));
	return first.err ? bg_tree_refuse(door.tree, first.todo, "%s", first.text) : BG_OK;
}

static enum bg_err save(struct bg_diag *diag)
{
	char keys[BG_TREE_PATH_LEN], drop_in[BG_TREE_PATH_LEN];
	enum bg_err err;

	bg_ssh_keys_path(door.seal->account, keys);
	drop_in_path(door.seal->account, drop_in);
	err = bg_tree_save(door.tree, keys, MODE, &door.saved[0], diag);
	if (!err)
		err = bg_tree_save(door.tree, GLOBAL, MODE, &door.saved[1], diag);
	if (!err)
		err = bg_tree_save(door.tree, drop_in, MODE, &door.saved[2], diag);
	door.is_saved = !err;
	if (strstr(door.saved[2].text, "\tAllowUsers "))
		door.allow |= ALLOW_USERS;
	if (strstr(door.saved[2].text, "\tAllowGroups "))
		door.allow |= ALLOW_GROUPS;
	return err;
}

void bg_install_ssh_back(struct bg_tree *tree)
{
	enum bg_err first = BG_OK;

	if (!door.is_saved || tree->is_dry)
		return;
	door.is_saved = false;
	for (size_t i = 0; i < sizeof(door.saved) / sizeof(door.saved[0]); i++) {
		struct bg_diag diag = { 0 };
		enum bg_err err = bg_tree_restore(tree, &door.saved[i], &diag);

		if (err)
			first = err;
		if (err)
			(void)bg_fail(err, &diag, NULL);
	}
	bg_note("the ssh drop-ins are as they were before");
	if (first == BG_OK && door.is_reloaded)
		(void)!reload(tree, NULL);
}

static enum bg_err make(struct bg_diag *diag)
{
	struct bg_tree *tree = door.tree;
	unsigned int before = tree->changes;
	enum bg_err err = bg_tree_folder(tree, FOLDER, 0755, diag);

	if (!err)
		err = bg_tree_place(tree, GLOBAL, MODE, template_sshd_global_conf, diag);
	if (!err)
		err = place(diag);
	if (err || tree->changes == before)
		return !err && tree->is_host && !tree->is_dry ? prove(diag) : err;
	bg_note("LoginGraceTime 600 concerns everybody who logs in by ssh");
	if (tree->is_dry || !tree->is_host)
		return BG_OK;
	err = prove(diag);
	if (err)
		return err;
	door.is_reloaded = true;
	return reload(tree, diag);
}

enum bg_err bg_install_ssh(struct bg_tree *tree, const struct bg_seal *seal, struct bg_diag *diag)
{
	bool has_keys = bg_ssh_has_keys(seal);
	enum bg_err err;

	door = (struct door){ .tree = tree, .seal = seal };
	if (!bg_tree_has(tree, SSHD_CONFIG)) {
		bg_note("no " SSHD_CONFIG " here: no ssh door");
		return BG_OK;
	}
	err = save(diag);
	/* sshd looks for the file as long as it reads the drop-in that names it */
	if (!err && has_keys)
		err = bg_ssh_keys_place(tree, seal, diag);
	if (!err)
		err = make(diag);
	if (!err && !has_keys)
		err = bg_ssh_keys_place(tree, seal, diag);
	if (err)
		bg_install_ssh_back(tree);
	return err;
}

enum bg_err bg_uninstall_ssh(
	struct bg_tree *tree, const char *account, bool is_last, struct bg_diag *diag)
{
	unsigned int before = tree->changes;
	char path[BG_TREE_PATH_LEN];
	enum bg_err err;

	drop_in_path(account, path);
	err = bg_tree_take_back(tree, path, diag);
	bg_ssh_keys_path(account, path);
	if (!err)
		err = bg_tree_take_back(tree, path, diag);
	if (!err && is_last)
		err = bg_tree_take_back(tree, GLOBAL, diag);
	if (err || tree->is_dry || !tree->is_host || tree->changes == before ||
		access(SSHD, X_OK) != 0)
		return err;
	/* what is broken without our files was broken before: do not let sshd read it now */
	err = test(tree, diag);
	return err ? err : reload(tree, diag);
}

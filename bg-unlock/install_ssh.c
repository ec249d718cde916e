/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ssh door: two drop-ins, one for everybody (the grace time), one an account.
 * Both are judged by sshd itself before it reads them, and put back as they were
 * if it does not like them: a broken sshd would shut everybody out.
 */
#include "bg-unlock.h"
#include "judge.h"
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

static void drop_in_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, FOLDER "/60-breakglass-%s.conf", account);
}

/* Does sshd take its configuration as it is now? */
static enum bg_err test(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *const argv[] = { SSHD, "-t", NULL };
	char out[512];
	int status = 0;
	enum bg_err err = bg_program_run(argv, NULL, TIMEOUT_SECS, out, sizeof(out), &status, diag);

	if (err || status == 0)
		return err;
	out[strcspn(out, "\n")] = '\0';
	return bg_tree_refuse(
		tree, "correct it first: sshd would not start with it", "sshd -t: %s", out);
}

/* A running sshd reads its configuration again; one that does not run will. */
static enum bg_err reload(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *const argv[] = { "/usr/bin/systemctl", "try-reload-or-restart", "ssh.service",
		NULL };
	char out[512];
	int status = 0;
	enum bg_err err;

	if (access("/run/systemd/system", F_OK) != 0) {
		bg_note("no systemd here: reload sshd yourself (kill -HUP its first process)");
		return BG_OK;
	}
	bg_tree_say(tree, "reload ssh.service");
	err = bg_program_run(argv, NULL, TIMEOUT_SECS, out, sizeof(out), &status, diag);
	if (err || status == 0)
		return err;
	out[strcspn(out, "\n")] = '\0';
	return bg_tree_refuse(
		tree, "systemctl status ssh says why", "systemctl reload ssh: %s", out);
}

static enum bg_err place(
	struct bg_tree *tree, const char *account, unsigned int allow, struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];
	size_t len;

	drop_in_path(account, path);
	bg_template_fill(template_sshd_account_conf, account, text);
	len = strlen(text);
	if (allow & ALLOW_USERS)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "\tAllowUsers %s\n", account);
	if (allow & ALLOW_GROUPS)
		(void)snprintf(text + len, sizeof(text) - len, "\tAllowGroups %s\n", account);
	return bg_tree_place(tree, path, MODE, text, diag);
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

/* Both files are in place: would sshd do as we want? */
static enum bg_err prove(
	struct bg_tree *tree, const char *account, unsigned int allow, struct bg_diag *diag)
{
	static char view[BG_INI_FILE_LEN];
	struct bg_first_critical first = { 0 };
	const struct bg_judge judge = { .tree = tree, .found = bg_judge_first, .arg = &first };
	unsigned int more;
	enum bg_err err = test(tree, diag);

	if (!err)
		err = bg_judge_ssh_run(account, view, sizeof(view), diag);
	if (err)
		return err;
	more = needed_allow(view, account);
	if (more) {
		err = place(tree, account, allow | more, diag);
		if (!err)
			err = test(tree, diag);
		if (!err)
			err = bg_judge_ssh_run(account, view, sizeof(view), diag);
		if (err)
			return err;
	}
	bg_judge_ssh(&judge, view, account);
	return first.err ? bg_tree_refuse(tree, first.todo, "%s", first.text) : BG_OK;
}

static enum bg_err restore(struct bg_tree *tree, const struct bg_saved *saved, size_t count)
{
	enum bg_err first = BG_OK;

	for (size_t i = 0; i < count; i++) {
		struct bg_diag diag = { 0 };
		enum bg_err err = bg_tree_restore(tree, &saved[i], &diag);

		if (err)
			first = err;
		if (err)
			(void)bg_fail(err, &diag, NULL);
	}
	bg_note("the ssh drop-ins are as they were before");
	return first;
}

enum bg_err bg_install_ssh(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	static struct bg_saved saved[2];
	unsigned int allow = 0, before = tree->changes;
	char path[BG_TREE_PATH_LEN];
	bool is_reloaded = false;
	enum bg_err err;

	if (!bg_tree_has(tree, SSHD_CONFIG)) {
		bg_note("no " SSHD_CONFIG " here: no ssh door");
		return BG_OK;
	}
	drop_in_path(account, path);
	err = bg_tree_save(tree, GLOBAL, MODE, &saved[0], diag);
	if (!err)
		err = bg_tree_save(tree, path, MODE, &saved[1], diag);
	if (err)
		return err;
	if (strstr(saved[1].text, "\tAllowUsers "))
		allow |= ALLOW_USERS;
	if (strstr(saved[1].text, "\tAllowGroups "))
		allow |= ALLOW_GROUPS;
	err = bg_tree_folder(tree, FOLDER, 0755, diag);
	if (!err)
		err = bg_tree_place(tree, GLOBAL, MODE, template_sshd_global_conf, diag);
	if (!err)
		err = place(tree, account, allow, diag);
	if (!err && tree->changes != before)
		bg_note("LoginGraceTime 600 concerns everybody who logs in by ssh");
	if (tree->is_dry)
		return err;
	if (!err && tree->is_host)
		err = prove(tree, account, allow, diag);
	if (!err && tree->is_host && tree->changes != before) {
		is_reloaded = true;
		err = reload(tree, diag);
	}
	if (!err)
		return BG_OK;
	if (restore(tree, saved, 2) == BG_OK && is_reloaded)
		(void)!reload(tree, NULL);
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
	if (!err && is_last)
		err = bg_tree_take_back(tree, GLOBAL, diag);
	if (err || tree->is_dry || !tree->is_host || tree->changes == before ||
		access(SSHD, X_OK) != 0)
		return err;
	/* what is broken without our files was broken before: do not let sshd read it now */
	err = test(tree, diag);
	return err ? err : reload(tree, diag);
}

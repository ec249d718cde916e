/* SPDX-License-Identifier: BSD-2-Clause */
/* What the account may do as root: its role's lines for sudo. The role itself stands in `host`. */
#include "bg-unlock.h"
#include "doors.h"
#include "templates.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the account's file was before this install. */
static struct bg_saved saved;
static bool has_saved;

void bg_sudoers_text(const char *account, const char *role, bool is_recorded, char *ret)
{
	static char both[BG_SMALL_LEN];
	const char *template = strcmp(role, "identity") == 0	? template_sudoers_identity
			       : strcmp(role, "read-only") == 0 ? template_sudoers_read_only
								: template_sudoers;

	(void)snprintf(
		both, sizeof(both), "%s%s", template, is_recorded ? template_sudoers_record : "");
	bg_template_fill(both, account, ret);
}

const char *bg_account_role(const char *account, char ret[static BG_ROLE_LEN + 1])
{
	const struct bg_tree tree = { .is_host = true, .root = "/" };
	struct bg_host host;

	if (!bg_is_account(account, BG_ACCOUNT_LEN) ||
		bg_account_host(&tree, account, &host, NULL) != BG_OK)
		return NULL;
	(void)snprintf(ret, BG_ROLE_LEN + 1, "%s", host.role);
	return ret;
}

void bg_install_sudo_back(struct bg_tree *tree)
{
	if (!has_saved)
		return;
	has_saved = false;
	if (bg_tree_restore(tree, &saved, NULL) != BG_OK)
		bg_error("%s: could not be put back: see what it says", saved.path);
}

void bg_sudoers_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, "/etc/sudoers.d/60-breakglass-%s", account);
}

enum bg_err bg_install_sudo(struct bg_tree *tree, const char *account, const char *role,
	bool is_recorded, struct bg_diag *diag)
{
	static const char *const judge_text[] = { "/usr/sbin/visudo", "-c", "-f", "-", NULL };
	static const char *const judge_all[] = { "/usr/sbin/visudo", "-c", NULL };
	static char text[BG_SMALL_LEN];
	bool is_judged = tree->is_host && access("/usr/sbin/visudo", X_OK) == 0, was_good;
	char path[BG_TREE_PATH_LEN];
	unsigned int before = tree->changes;
	enum bg_err err;

	if (!bg_tree_has(tree, "/etc/sudoers")) {
		bg_note("no sudo here: inside the session su - gives root, to role full");
		return BG_OK;
	}
	bg_sudoers_path(account, path);
	bg_sudoers_text(account, role, is_recorded, text);
	err = is_judged ? bg_tree_run(
				  tree, judge_text, text, "this sudo does not know our lines", diag)
			: BG_OK;
	if (!err)
		err = bg_tree_save(tree, path, 0440, &saved, diag);
	was_good = !err && is_judged && bg_tree_run(tree, judge_all, NULL, "", NULL) == BG_OK;
	/* first the stack, then the line that names it */
	if (!err)
		err = bg_tree_place(tree, BG_SUDO_PAM, 0644, template_breakglass_sudo_pam, diag);
	if (!err)
		err = bg_tree_folder(tree, "/etc/sudoers.d", 0750, diag);
	if (!err)
		err = bg_tree_place(tree, path, 0440, text, diag);
	has_saved = !err && tree->changes != before;
	if (!has_saved || !was_good || tree->is_dry)
		return err;
	err = bg_tree_run(tree, judge_all, NULL, "the line of the account was taken back", diag);
	if (err)
		bg_install_sudo_back(tree);
	return err;
}

enum bg_err bg_uninstall_sudo(
	struct bg_tree *tree, const char *account, bool is_last, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];
	enum bg_err err;

	bg_sudoers_path(account, path);
	err = bg_tree_take_back(tree, path, diag);
	return err || !is_last ? err : bg_tree_take_back(tree, BG_SUDO_PAM, diag);
}

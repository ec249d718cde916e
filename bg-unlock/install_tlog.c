/* SPDX-License-Identifier: BSD-2-Clause */
/* --record tlog, and what --record wants as a whole. The account's shell stays what it is: a line
   in /etc/profile.d starts breakglass-tlog, which can fail (its main.c). */
#include "bg-unlock.h"
#include "recording.h"
#include "templates.h"

#include <stdio.h>

void bg_tlog_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, "/etc/profile.d/breakglass-%s.sh", account);
}

/* As with auditd's rules: told, and stops nothing. */
static void install_tlog(struct bg_tree *tree, const char *account, uint32_t uid)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN], line[400];
	struct bg_diag diag = { 0 };
	enum bg_err err;

	bg_tlog_path(account, path);
	bg_recording_fill(template_profile_tlog_sh, account, uid, text);
	err = bg_tree_has(tree, "/etc/profile.d")
		      ? bg_tree_place(tree, path, 0644, text, &diag)
		      : bg_diag_set(&diag, BG_ERR_NOENT, "/etc/profile.d", "is not there");
	if (err) {
		bg_diag_format(&diag, err, line, sizeof(line));
		bg_note("tlog does not record: %s", line);
	} else if (!bg_tree_has(tree, BG_PATH_TLOG_REC)) {
		bg_note("tlog is not installed: it records nothing");
		bg_hint("apt-get install tlog; nothing else is to be done");
	}
}

enum bg_err bg_install_recording(struct bg_tree *tree, const char *account, uint32_t uid,
	unsigned int recording, struct bg_diag *diag)
{
	if (recording & BG_RECORDING_AUDIT)
		bg_install_audit(tree, account, uid);
	if (recording & BG_RECORDING_TLOG)
		install_tlog(tree, account, uid);
	return bg_uninstall_recording(tree, account, recording, diag);
}

enum bg_err bg_uninstall_recording(
	struct bg_tree *tree, const char *account, unsigned int recording, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];
	enum bg_err audit = BG_OK, tlog = BG_OK;

	if (!(recording & BG_RECORDING_AUDIT))
		audit = bg_uninstall_audit(tree, account, diag);
	bg_tlog_path(account, path);
	if (!(recording & BG_RECORDING_TLOG))
		tlog = bg_tree_take_back(tree, path, audit ? NULL : diag);
	return audit ? audit : tlog;
}

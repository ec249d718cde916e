/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runuser's PAM stack: put in, taken out, checked. Debian's includes no
 * common-session, so that without a line of our own there root would become the
 * account unnoticed.
 */
#include "bg-unlock.h"
#include "check.h"
#include "install.h"

#include <stdio.h>
#include <string.h>

#define RUNUSER	 "/etc/pam.d/runuser" /* runuser-l includes it */
#define MODULE	 "pam_breakglass.so"
#define OUR_LINE "session [success=ok ignore=ignore module_unknown=ignore default=die] " MODULE "\n"

static char old[BG_INI_FILE_LEN + 1];
static char next[BG_INI_FILE_LEN + sizeof(OUR_LINE)];

/* Writes the stack with len bytes at the place replaced. */
static enum bg_err replace(
	struct bg_tree *tree, const char *place, size_t len, const char *by, struct bg_diag *diag)
{
	int n = snprintf(next, sizeof(next), "%.*s%s%s", (int)(place - old), old, by, place + len);

	return bg_tree_write(tree, RUNUSER, 0644, next, (size_t)n, diag);
}

enum bg_err bg_install_runuser(struct bg_tree *tree, struct bg_diag *diag)
{
	size_t len = 0, head = 0;
	enum bg_err err;

	if (!bg_tree_has(tree, RUNUSER))
		return BG_OK;
	err = bg_tree_read(tree, RUNUSER, old, sizeof(old), &len, diag);
	if (err || strstr(old, MODULE))
		return err;
	/* first of all session lines, below the "#%PAM-1.0" that is to be the first line */
	if (old[0] == '#') {
		const char *end = strchr(old, '\n');

		head = end ? (size_t)(end - old) + 1 : 0;
	}
	return replace(tree, old + head, 0, OUR_LINE, diag);
}

enum bg_err bg_uninstall_runuser(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *line;
	size_t len = 0;
	enum bg_err err;

	if (!bg_tree_has(tree, RUNUSER))
		return BG_OK;
	err = bg_tree_read(tree, RUNUSER, old, sizeof(old), &len, diag);
	if (err)
		return err;
	line = strstr(old, OUR_LINE);
	return line ? replace(tree, line, strlen(OUR_LINE), "", diag) : BG_OK;
}

void bg_check_runuser(struct bg_check *check)
{
	struct bg_diag diag = { 0 };
	size_t len = 0;

	if (!bg_tree_has(&check->tree, RUNUSER))
		return;
	if (bg_tree_read(&check->tree, RUNUSER, old, sizeof(old), &len, &diag))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, "make it root's, mode 0644",
			RUNUSER ": %s", diag.what);
	else if (!strstr(old, OUR_LINE))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"run bg-unlock install again with the seal in force",
			RUNUSER " lacks our session line: root's runuser to the account is not "
				"recorded");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			RUNUSER ": runuser to the account is refused and recorded");
}

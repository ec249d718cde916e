/* SPDX-License-Identifier: BSD-2-Clause */
/* The rest of the host: PAM's lines (looked at, mended) and login's patience. */
#include "bg-unlock.h"
#include "doors.h"
#include "judge.h"

#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>

#define PROFILE	    "/usr/share/pam-configs/breakglass"
#define LOGIN_DEFS  "/etc/login.defs"
#define OUR_TIMEOUT "LOGIN_TIMEOUT 600\n"

static void judge_pam(const struct bg_tree *tree, struct bg_first_critical *ret)
{
	const struct bg_judge judge = { .tree = tree, .found = bg_judge_first, .arg = ret };
	struct bg_conf conf;

	*ret = (struct bg_first_critical){ 0 };
	bg_conf_defaults(&conf);
	bg_judge_pam(&judge, &conf);
}

enum bg_err bg_install_pam(struct bg_tree *tree, struct bg_diag *diag)
{
	const char *const argv[] = { "/usr/sbin/pam-auth-update", "--package", "--enable",
		"breakglass", NULL };
	static struct bg_first_critical first;
	enum bg_err err;

	judge_pam(tree, &first);
	if (first.err && bg_tree_has(tree, PROFILE) && tree->is_host) {
		bg_tree_say(tree, "pam-auth-update --package --enable breakglass");
		if (tree->is_dry)
			return BG_OK;
		err = bg_tree_run(tree, argv, NULL, "run it by hand and read what it says", diag);
		if (err)
			return err;
		judge_pam(tree, &first);
	}
	if (!first.err)
		return BG_OK;
	if (tree->is_host)
		return bg_tree_refuse(tree, first.todo, "%s", first.text);
	bg_note("not yet: %s", first.text);
	bg_hint("%s", first.todo);
	return BG_OK;
}

static char defs[BG_INI_FILE_LEN + 1];
static char next[BG_INI_FILE_LEN + 1024];

/* Writes login.defs with what is at line (len bytes of it, with its line end) replaced. */
static enum bg_err replace_line(
	struct bg_tree *tree, const char *line, size_t len, const char *by, struct bg_diag *diag)
{
	int n = snprintf(next, sizeof(next), "%.*s%s%s", (int)(line - defs), defs, by, line + len);

	return bg_tree_write(tree, LOGIN_DEFS, 0, next, (size_t)n, diag);
}

static size_t line_len(const char *line)
{
	size_t len = strcspn(line, "\n");

	return line[len] == '\n' ? len + 1 : len;
}

enum bg_err bg_install_timeout(struct bg_tree *tree, struct bg_diag *diag)
{
	struct bg_record record = { 0 };
	char *line = defs;
	size_t len = 0;
	enum bg_err err;
	long secs;

	if (!bg_tree_has(tree, LOGIN_DEFS))
		return BG_OK;
	err = bg_tree_read(tree, LOGIN_DEFS, defs, sizeof(defs), &len, diag);
	if (!err)
		err = bg_record_load(tree, NULL, &record, diag);
	if (err)
		return err;
	line = NULL;
	secs = bg_timeout_of(defs, &line);
	if (secs == 0 || secs >= 600)
		return BG_OK;
	/* none: ours goes first, where the file's last byte does not matter */
	len = line ? line_len(line) : 0;
	if (len >= sizeof(record.timeout))
		return bg_diag_set(
			diag, BG_ERR_TOO_BIG, LOGIN_DEFS, "a shorter LOGIN_TIMEOUT line");
	/* what is recorded is what was there before the first change, and it goes first */
	if (!record.has_timeout) {
		record.has_timeout = true;
		(void)snprintf(
			record.timeout, sizeof(record.timeout), "%.*s", (int)len, line ? line : "");
		err = bg_record_save(tree, NULL, &record, diag);
	}
	if (!err)
		err = replace_line(tree, line ? line : defs, len, OUR_TIMEOUT, diag);
	if (!err)
		bg_note("LOGIN_TIMEOUT 600 concerns everybody who logs in at a console (was %ld s)",
			secs);
	return err;
}

enum bg_err bg_uninstall_timeout(struct bg_tree *tree, struct bg_diag *diag)
{
	struct bg_record record = { 0 };
	char *line = NULL;
	size_t len = 0;
	enum bg_err err = bg_record_load(tree, NULL, &record, diag);

	if (err || !record.has_timeout)
		return err;
	err = bg_tree_has(tree, LOGIN_DEFS)
		      ? bg_tree_read(tree, LOGIN_DEFS, defs, sizeof(defs), &len, diag)
		      : BG_OK;
	if (!err && len) {
		(void)bg_timeout_of(defs, &line);
		if (line && strncmp(line, OUR_TIMEOUT, strlen(OUR_TIMEOUT)) == 0)
			err = replace_line(tree, line, strlen(OUR_TIMEOUT), record.timeout, diag);
		else
			bg_note("LOGIN_TIMEOUT was changed since: it stays");
	}
	record.has_timeout = false;
	return err ? err : bg_record_save(tree, NULL, &record, diag);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rest of the host: PAM's lines (looked at, mended), sudo, and login's patience. */
#include "bg-unlock.h"
#include "doors.h"
#include "judge.h"
#include "templates.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROFILE	     "/usr/share/pam-configs/breakglass"
#define LOGIN_DEFS   "/etc/login.defs"
#define TIMEOUT_SECS 60
#define OUR_TIMEOUT  "LOGIN_TIMEOUT 600\n"

static enum bg_err run(struct bg_tree *tree, const char *const argv[], const char *input,
	const char *hint, struct bg_diag *diag)
{
	char out[512];
	int status = 0;
	enum bg_err err =
		bg_program_run(argv, input, TIMEOUT_SECS, out, sizeof(out), &status, diag);

	if (err || status == 0)
		return err;
	out[strcspn(out, "\n")] = '\0';
	return bg_tree_refuse(tree, hint, "%s: %s", argv[0], out);
}

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
		err = run(tree, argv, NULL, "run it by hand and read what it says", diag);
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

void bg_sudoers_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, "/etc/sudoers.d/60-breakglass-%s", account);
}

enum bg_err bg_install_sudo(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	static const char *const judge_text[] = { "/usr/sbin/visudo", "-c", "-f", "-", NULL };
	static const char *const judge_all[] = { "/usr/sbin/visudo", "-c", NULL };
	static char text[BG_SMALL_LEN];
	static struct bg_saved saved;
	bool is_judged = tree->is_host && access("/usr/sbin/visudo", X_OK) == 0, was_good;
	char path[BG_TREE_PATH_LEN];
	unsigned int before = tree->changes;
	enum bg_err err;

	if (!bg_tree_has(tree, "/etc/sudoers")) {
		bg_note("no sudo here: inside the session, su - gives root");
		return BG_OK;
	}
	bg_sudoers_path(account, path);
	bg_template_fill(template_sudoers, account, text);
	err = is_judged ? run(tree, judge_text, text, "this sudo does not know our lines", diag)
			: BG_OK;
	if (!err)
		err = bg_tree_save(tree, path, 0440, &saved, diag);
	was_good = !err && is_judged && run(tree, judge_all, NULL, "", NULL) == BG_OK;
	/* first the stack, then the line that names it */
	if (!err)
		err = bg_tree_place(tree, BG_SUDO_PAM, 0644, template_breakglass_sudo_pam, diag);
	if (!err)
		err = bg_tree_folder(tree, "/etc/sudoers.d", 0750, diag);
	if (!err)
		err = bg_tree_place(tree, path, 0440, text, diag);
	if (err || !was_good || tree->is_dry || tree->changes == before)
		return err;
	err = run(tree, judge_all, NULL, "the line of the account was taken back", diag);
	if (err && bg_tree_restore(tree, &saved, NULL) != BG_OK)
		bg_error("%s: could not be taken back: remove it", path);
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

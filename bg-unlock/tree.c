/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of the host or of a folder that holds a system: each change is named, then made. */
#include "bg-unlock.h"
#include "install.h"

#include <breakglass/os_file.h>
#include <breakglass/os_helper.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What each placed file begins with; somebody else's does not. */
#define MARK	 "# Placed by bg-unlock install"
#define RUN_SECS 60

int bg_tree_open(struct bg_tree *ret, const char *root, bool is_dry)
{
	*ret = (struct bg_tree){ .is_host = !root, .is_dry = is_dry, .root = "/" };
	if (!root && geteuid() != 0) {
		bg_error("what is installed on this host is root's alone");
		bg_hint("sudo bg-unlock ...");
		return BG_EXIT_MACHINE;
	}
	if (root && (strlen(root) >= sizeof(ret->root) || !realpath(root, ret->root))) {
		bg_error("%s: no such folder", root);
		bg_hint("--root names a folder that holds a system: etc/, usr/ ...");
		return BG_EXIT_USAGE;
	}
	if (root && strcmp(ret->root, "/") == 0)
		ret->is_host = true;
	/* Relative paths keep every look below it: the opener follows no link. */
	if (chdir(ret->root) != 0) {
		bg_error("%s: cannot be entered: %s", ret->root, strerror(errno));
		bg_hint("is it a folder, and yours?");
		return BG_EXIT_USAGE;
	}
	return BG_EXIT_DONE;
}

const char *bg_tree_path(const struct bg_tree *tree, const char *path)
{
	return tree->is_host ? path : path + 1;
}

void bg_tree_say(struct bg_tree *tree, const char *fmt, ...)
{
	va_list args;

	tree->changes++;
	if (tree->is_quiet)
		return;
	va_start(args, fmt);
	(void)fputs(tree->is_dry ? "would: " : "did: ", stdout);
	(void)vprintf(fmt, args);
	(void)fputc('\n', stdout);
	va_end(args);
	(void)fflush(stdout);
}

enum bg_err bg_tree_refuse(struct bg_tree *tree, const char *hint, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(tree->reason, sizeof(tree->reason), fmt, args);
	va_end(args);
	(void)snprintf(tree->hint, sizeof(tree->hint), "%s", hint);
	return BG_ERR_STATE;
}

enum bg_err bg_tree_run(struct bg_tree *tree, const char *const argv[], const char *input,
	const char *hint, struct bg_diag *diag)
{
	char out[512];
	int status = 0;
	enum bg_err err = bg_program_run(argv, input, RUN_SECS, out, sizeof(out), &status, diag);

	if (err || status == 0)
		return err;
	out[strcspn(out, "\n")] = '\0';
	return bg_tree_refuse(tree, hint, "%s: %s", argv[0], out);
}

int bg_tree_fail(
	struct bg_tree *tree, enum bg_err err, const struct bg_diag *diag, const char *hint)
{
	if (err != BG_ERR_STATE || tree->reason[0] == '\0')
		return bg_fail(err, diag, hint);
	bg_error("%s", tree->reason);
	bg_hint("%s", tree->hint);
	tree->reason[0] = '\0';
	return BG_EXIT_NO;
}

enum bg_err bg_tree_read(const struct bg_tree *tree, const char *path, char *buf, size_t size,
	size_t *ret_len, struct bg_diag *diag)
{
	return bg_file_read(bg_tree_path(tree, path), 0, buf, size, ret_len, diag);
}

bool bg_tree_has(const struct bg_tree *tree, const char *path)
{
	struct stat st;

	return lstat(bg_tree_path(tree, path), &st) == 0;
}

/* mode 0: as it is, or 0644 */
static mode_t wanted_mode(const struct bg_tree *tree, const char *path, mode_t mode)
{
	struct stat st;

	if (mode != 0)
		return mode;
	return lstat(bg_tree_path(tree, path), &st) == 0 ? st.st_mode & 07777 : 0644;
}

static bool has_mode(const struct bg_tree *tree, const char *path, mode_t mode)
{
	struct stat st;

	return lstat(bg_tree_path(tree, path), &st) == 0 && (st.st_mode & 07777) == mode;
}

enum bg_err bg_tree_write(struct bg_tree *tree, const char *path, mode_t mode, const char *data,
	size_t len, struct bg_diag *diag)
{
	static char old[BG_INI_FILE_LEN + 1];
	size_t old_len = 0;
	enum bg_err err = bg_tree_read(tree, path, old, sizeof(old), &old_len, diag);

	if (err != BG_OK && err != BG_ERR_NOENT)
		return err;
	mode = wanted_mode(tree, path, mode);
	if (err == BG_OK && old_len == len && memcmp(old, data, len) == 0 &&
		has_mode(tree, path, mode))
		return BG_OK;
	bg_tree_say(tree, "%s %s, mode %04o", err == BG_OK ? "replace" : "write", path,
		(unsigned int)mode);
	if (tree->is_dry)
		return BG_OK;
	return bg_file_replace(bg_tree_path(tree, path), 0, mode, data, len, diag);
}

/* BG_OK: ours; BG_ERR_NOENT: nothing there; BG_ERR_DUPLICATE: somebody else's. */
static enum bg_err is_placed(const struct bg_tree *tree, const char *path, struct bg_diag *diag)
{
	static char old[BG_SMALL_LEN];
	size_t len = 0;
	enum bg_err err = bg_tree_read(tree, path, old, sizeof(old), &len, diag);

	if (err == BG_OK && strncmp(old, MARK, strlen(MARK)) != 0)
		return bg_diag_set(diag, BG_ERR_DUPLICATE, path,
			"a file that install did not place is in the way; move it");
	return err;
}

enum bg_err bg_tree_place(
	struct bg_tree *tree, const char *path, mode_t mode, const char *text, struct bg_diag *diag)
{
	enum bg_err err = is_placed(tree, path, diag);

	if (err != BG_OK && err != BG_ERR_NOENT)
		return err;
	return bg_tree_write(tree, path, mode, text, strlen(text), diag);
}

enum bg_err bg_tree_folder(
	struct bg_tree *tree, const char *path, mode_t mode, struct bg_diag *diag)
{
	const char *here = bg_tree_path(tree, path);
	struct stat st;

	if (lstat(here, &st) == 0)
		return bg_folder_check(here, diag);
	bg_tree_say(tree, "make the folder %s, mode %04o", path, (unsigned int)mode);
	if (tree->is_dry)
		return BG_OK;
	if (mkdir(here, mode) == 0 && chmod(here, mode) == 0)
		return bg_folder_check(here, diag);
	if (diag)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, path, "the folder cannot be made");
}

enum bg_err bg_tree_remove(struct bg_tree *tree, const char *path, struct bg_diag *diag)
{
	const char *here = bg_tree_path(tree, path);
	struct stat st;

	if (lstat(here, &st) != 0)
		return BG_OK;
	bg_tree_say(tree, "remove %s", path);
	if (tree->is_dry || (S_ISDIR(st.st_mode) ? rmdir(here) : unlink(here)) == 0)
		return BG_OK;
	if (diag)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, path, "cannot be removed");
}

enum bg_err bg_tree_take_back(struct bg_tree *tree, const char *path, struct bg_diag *diag)
{
	struct bg_diag why = { 0 };
	enum bg_err err = is_placed(tree, path, &why);

	if (err == BG_ERR_NOENT)
		return BG_OK;
	if (err == BG_ERR_DUPLICATE) {
		bg_note("%s is not what install placed: it stays", path);
		return BG_OK;
	}
	if (err != BG_OK) {
		if (diag)
			*diag = why;
		return err;
	}
	return bg_tree_remove(tree, path, diag);
}

enum bg_err bg_tree_save(const struct bg_tree *tree, const char *path, mode_t mode,
	struct bg_saved *ret, struct bg_diag *diag)
{
	enum bg_err err;

	*ret = (struct bg_saved){ .mode = mode };
	(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
	err = bg_tree_read(tree, path, ret->text, sizeof(ret->text), &ret->len, diag);
	ret->was_there = err == BG_OK;
	return err == BG_ERR_NOENT ? BG_OK : err;
}

enum bg_err bg_tree_restore(
	struct bg_tree *tree, const struct bg_saved *saved, struct bg_diag *diag)
{
	if (tree->is_dry)
		return BG_OK;
	if (saved->was_there)
		return bg_file_replace(bg_tree_path(tree, saved->path), 0, saved->mode, saved->text,
			saved->len, diag);
	if (unlink(bg_tree_path(tree, saved->path)) == 0 || errno == ENOENT)
		return BG_OK;
	return bg_diag_set(diag, BG_ERR_IO, saved->path, "cannot be taken back; remove it");
}

void bg_template_fill(const char *template, const char *account, char *ret)
{
	static const char mark[] = "@ACCOUNT@";
	size_t len = 0;

	while (*template != '\0' && len + BG_ACCOUNT_LEN + 1 < BG_SMALL_LEN) {
		if (strncmp(template, mark, strlen(mark)) != 0) {
			ret[len++] = *template ++;
			continue;
		}
		len += (size_t)snprintf(ret + len, BG_ACCOUNT_LEN + 1, "%s", account);
		template += strlen(mark);
	}
	ret[len] = '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an account's files are, and the record of what install found, for uninstall. */
#include "doors.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RECORD "installed"

void bg_account_path(const char *account, const char *file, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, BG_PATH_ACCOUNTS "/%s%s%s", account,
		file[0] ? "/" : "", file);
}

enum bg_err bg_account_host(
	const struct bg_tree *tree, const char *account, struct bg_host *ret, struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];
	size_t len = 0;
	enum bg_err err;

	bg_account_path(account, "host", path);
	err = bg_file_read(
		bg_tree_path(tree, path), BG_FILE_PRIVATE, text, sizeof(text), &len, diag);
	if (err == BG_OK)
		err = bg_host_parse(text, len, path, ret, diag);
	return err;
}

enum bg_err bg_account_each(
	const struct bg_tree *tree, enum bg_err (*each)(void *arg, const char *account), void *arg)
{
	DIR *dir = opendir(bg_tree_path(tree, BG_PATH_ACCOUNTS));
	enum bg_err err = BG_OK;
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? BG_OK : BG_ERR_IO;
	/* cppcheck-suppress readdirCalled ; a folder of our own */
	while (!err && (entry = readdir(dir)) != NULL)
		if (bg_is_account(entry->d_name, BG_PAM_NAME_LEN))
			err = each(arg, entry->d_name);
	(void)closedir(dir);
	return err;
}

static void record_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	if (account)
		bg_account_path(account, RECORD, ret);
	else
		(void)snprintf(ret, BG_TREE_PATH_LEN, "%s", BG_PATH_ETC "/" RECORD);
}

static enum bg_err set_account(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_record *record = object;

	record->is_account_made = strcmp(v->text, "made") == 0;
	if (!record->is_account_made && strcmp(v->text, "found") != 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"account\" must be made or found");
	return BG_OK;
}

/* As hex: the line may hold tabs. */
static enum bg_err set_timeout(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_record *record = object;
	uint8_t line[sizeof(record->timeout)] = { 0 };

	if (v->len % 2 != 0 || v->len / 2 >= sizeof(line) ||
		!bg_hex_decode(v->text, v->len, line, v->len / 2))
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"login-timeout\" must be a line's hex digits");
	memcpy(record->timeout, line, sizeof(line));
	record->has_timeout = true;
	return BG_OK;
}

static enum bg_err add_door(void *object, const char *word, struct bg_diag *diag)
{
	struct bg_record *record = object;

	return bg_door_parse(&record->doors, word)
		       ? BG_OK
		       : bg_diag_set(diag, BG_ERR_RANGE, NULL, "a door is sshd or console=TTY");
}

static enum bg_err set_doors(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_words(v, add_door, object, diag);
}

static enum bg_err add_getty(void *object, const char *word, struct bg_diag *diag)
{
	struct bg_doors *doors = &((struct bg_record *)object)->doors;

	if (doors->getty_count == BG_CONSOLES_MAX || strlen(word) > BG_DOOR_TTY_LEN)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "terminals that had a getty");
	(void)snprintf(doors->gettys[doors->getty_count++], BG_DOOR_TTY_LEN + 1, "%.*s",
		BG_DOOR_TTY_LEN, word);
	return BG_OK;
}

static enum bg_err set_gettys(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_words(v, add_getty, object, diag);
}

static const struct bg_ini_rule rules[] = {
	{ "installed", false, "account", false, false, set_account },
	{ "installed", false, "login-timeout", false, true, set_timeout },
	{ "installed", false, "doors", false, false, set_doors },
	{ "installed", false, "gettys", false, false, set_gettys },
};
static const struct bg_ini_schema schema = { .rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]) };

enum bg_err bg_record_load(const struct bg_tree *tree, const char *account, struct bg_record *ret,
	struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];
	struct bg_record record = { 0 };
	size_t len = 0;
	enum bg_err err;

	record_path(account, path);
	err = bg_tree_read(tree, path, text, sizeof(text), &len, diag);
	if (err == BG_OK)
		err = bg_ini_parse(text, len, path, &schema, &record, diag);
	if (err != BG_OK && err != BG_ERR_NOENT)
		return err;
	*ret = record;
	return BG_OK;
}

static void add(char *text, size_t size, const char *word, const char *value)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, size - len, "%s%s", word, value);
}

static void host_text(const struct bg_record *record, char *text, size_t size)
{
	const struct bg_doors *doors = &record->doors;
	char hex[2 * sizeof(record->timeout) + 1];

	add(text, size, "[installed]\n", "");
	bg_hex_encode((const uint8_t *)record->timeout, strlen(record->timeout), hex);
	if (record->has_timeout)
		add(text, size, "login-timeout = ", hex);
	if (record->has_timeout)
		add(text, size, "\n", "");
	if (doors->has_sshd)
		add(text, size, "doors = sshd", "");
	for (size_t i = 0; i < doors->console_count; i++)
		add(text, size, " console=", doors->consoles[i]);
	if (doors->has_sshd)
		add(text, size, "\n", "");
	for (size_t i = 0; i < doors->getty_count; i++)
		add(text, size, i ? " " : "gettys = ", doors->gettys[i]);
	if (doors->getty_count)
		add(text, size, "\n", "");
}

enum bg_err bg_record_save(struct bg_tree *tree, const char *account,
	const struct bg_record *record, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN], text[2048] = "";

	record_path(account, path);
	if (!account && !record->has_timeout && !record->doors.has_sshd)
		return bg_tree_remove(tree, path, diag);
	if (account)
		add(text, sizeof(text),
			"[installed]\naccount = ", record->is_account_made ? "made\n" : "found\n");
	else
		host_text(record, text, sizeof(text));
	return bg_tree_write(tree, path, 0600, text, strlen(text), diag);
}

enum bg_err bg_record_drop(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];

	record_path(account, path);
	return bg_tree_remove(tree, path, diag);
}

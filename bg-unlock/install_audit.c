/* SPDX-License-Identifier: BSD-2-Clause */
/* --record audit: the account's rules for the audit system. Only this account's rules are loaded
   and unloaded, by their key; what else the host has there stays as it is. */
#include "bg-unlock.h"
#include "recording.h"
#include "templates.h"

#include <breakglass/os_helper.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_SECS 20
#define KEY_LEN	     (BG_ACCOUNT_LEN + 16)

void bg_audit_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	(void)snprintf(ret, BG_TREE_PATH_LEN, BG_AUDIT_DIR "/60-breakglass-%s.rules", account);
}

static void put_key(const char *account, char ret[static KEY_LEN])
{
	(void)snprintf(ret, KEY_LEN, "breakglass-%.*s", BG_ACCOUNT_LEN, account);
}

void bg_recording_fill(const char *template, const char *account, uint32_t uid, char *ret)
{
	static char named[BG_SMALL_LEN];
	static const char mark[] = "@UID@";
	const char *from = named, *at;
	size_t len = 0;

	bg_template_fill(template, account, named);
	ret[0] = '\0';
	while ((at = strstr(from, mark)) != NULL && len < BG_SMALL_LEN) {
		len += (size_t)snprintf(ret + len, BG_SMALL_LEN - len, "%.*s%u", (int)(at - from),
			from, (unsigned int)uid);
		from = at + strlen(mark);
	}
	if (len < BG_SMALL_LEN)
		(void)snprintf(ret + len, BG_SMALL_LEN - len, "%s", from);
}

/* Lines that end in -F key=KEY; auditctl -l says -k KEY of some. */
static unsigned int count_lines(const char *text, const char *key)
{
	char ends[2][KEY_LEN + 8];
	unsigned int count = 0;

	(void)snprintf(ends[0], sizeof(ends[0]), "key=%s", key);
	(void)snprintf(ends[1], sizeof(ends[1]), "-k %s", key);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		for (size_t i = 0; *text == '-' && i < 2; i++)
			if (len > strlen(ends[i]) &&
				memcmp(text + len - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
				count++;
		text += len + (text[len] == '\n');
	}
	return count;
}

unsigned int bg_audit_count_loaded(const char *list, const char *account, unsigned int *ret_all)
{
	char key[KEY_LEN];

	put_key(account, key);
	if (ret_all) {
		static char rules[BG_SMALL_LEN];

		bg_recording_fill(template_audit_rules, account, 1, rules);
		*ret_all = count_lines(rules, key);
	}
	return count_lines(list, key);
}

static bool run(const char *const argv[], char *out, size_t size)
{
	struct bg_diag diag = { 0 };
	int status = 0;
	enum bg_err err = bg_program_run(argv, NULL, TIMEOUT_SECS, out, size, &status, &diag);

	if (err)
		bg_diag_format(&diag, err, out, size);
	return !err && status == 0;
}

static bool is_loaded(const char *account)
{
	static const char *const argv[] = { BG_AUDITCTL, "-l", NULL };
	static char list[BG_INI_FILE_LEN];
	unsigned int all, loaded;

	if (!run(argv, list, sizeof(list)))
		return false;
	loaded = bg_audit_count_loaded(list, account, &all);
	return loaded == all;
}

static void unload(const char *account)
{
	char key[KEY_LEN], out[512];
	const char *const argv[] = { BG_AUDITCTL, "-D", "-k", key, NULL };

	put_key(account, key);
	(void)run(argv, out, sizeof(out));
}

/* Anew: the kernel refuses a rule that it has. */
static void load(const char *account, const char *path)
{
	const char *const argv[] = { BG_AUDITCTL, "-R", path, NULL };
	char out[512] = "";

	if (access(BG_AUDITCTL, X_OK) != 0) {
		bg_note("auditd is not installed: its rules are in place, and record nothing");
		bg_hint("apt-get install auditd; they load as it starts");
		return;
	}
	unload(account);
	if (run(argv, out, sizeof(out)) && is_loaded(account))
		return;
	out[strcspn(out, "\n")] = '\0';
	bg_note("auditd's rules are in place, but the kernel did not take them now: %s",
		out[0] ? out : "it has fewer than it was given");
	bg_hint("they load as auditd starts next; in a container the host must record");
}

void bg_install_audit(struct bg_tree *tree, const char *account, uint32_t uid)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN], line[400];
	unsigned int before = tree->changes;
	struct bg_diag diag = { 0 };
	enum bg_err err;

	if (!bg_tree_has(tree, BG_AUDIT_DIR)) {
		bg_note("no auditd here (no " BG_AUDIT_DIR "): it records nothing");
		bg_hint("apt-get install auditd, then bg-unlock install SEAL again");
		return;
	}
	bg_audit_path(account, path);
	bg_recording_fill(template_audit_rules, account, uid, text);
	err = bg_tree_place(tree, path, 0640, text, &diag);
	if (err) {
		bg_diag_format(&diag, err, line, sizeof(line));
		bg_note("auditd's rules are not in place: %s", line);
		return;
	}
	if (tree->is_host && !tree->is_dry && (tree->changes != before || !is_loaded(account)))
		load(account, path);
}

enum bg_err bg_uninstall_audit(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];
	unsigned int before = tree->changes;
	enum bg_err err;

	bg_audit_path(account, path);
	err = bg_tree_take_back(tree, path, diag);
	if (tree->is_host && !tree->is_dry && tree->changes != before &&
		access(BG_AUDITCTL, X_OK) == 0)
		unload(account);
	return err;
}

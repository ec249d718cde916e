/* SPDX-License-Identifier: BSD-2-Clause */
/* What sshd itself says it would do with the account: `sshd -T -C user=NAME`. */
#include "judge.h"
#include "ssh_text.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSHD	     "/usr/sbin/sshd"
#define TIMEOUT_SECS 20
#define GRACE_SECS   300 /* less is too little for two people on the telephone */

#define PLACE_AGAIN                                                                                \
	"bg-unlock install puts the drop-in back; an earlier Match in sshd_config wins over it"

/* The value of keyword's next line from *text on, cut at its end into ret. */
static bool next_value(const char **text, const char *keyword, char *ret, size_t size)
{
	size_t len = strlen(keyword);

	for (const char *p = *text; *p != '\0';) {
		const char *end = strchrnul(p, '\n');
		const char *next = *end ? end + 1 : end;

		if (strncmp(p, keyword, len) == 0 && p[len] == ' ') {
			(void)snprintf(
				ret, size, "%.*s", (int)(end - p - (long)len - 1), p + len + 1);
			*text = next;
			return true;
		}
		p = next;
	}
	return false;
}

/* sshd matches USER or USER@HOST with * and ?; where it says from where, it is not judged. */
static bool is_named(const char *pattern, const char *name)
{
	char user[128];

	(void)snprintf(user, sizeof(user), "%s", pattern);
	user[strcspn(user, "@")] = '\0';
	return fnmatch(user, name, FNM_NOESCAPE) == 0;
}

bool bg_judge_ssh_names(const char *text, const char *keyword, const char *name, bool *ret_is_set)
{
	char value[512], *rest, *word;
	bool is_found = false;

	*ret_is_set = false;
	while (next_value(&text, keyword, value, sizeof(value))) {
		*ret_is_set = true;
		rest = value;
		while ((word = strsep(&rest, " ")) != NULL)
			if (word[0] == '!' ? is_named(word + 1, name) : is_named(word, name))
				is_found = word[0] != '!';
	}
	return is_found;
}

enum when { ALWAYS, KEYS, NO_KEYS };

static const struct {
	const char *keyword, *value;
	enum bg_level level;
	const char *todo;
	enum when when;
} wanted[] = {
	{ "usepam", "yes", BG_LEVEL_CRITICAL, "UsePAM yes in sshd_config", ALWAYS },
	{ "kbdinteractiveauthentication", "yes", BG_LEVEL_CRITICAL, PLACE_AGAIN, ALWAYS },
	{ "authenticationmethods", "keyboard-interactive:pam", BG_LEVEL_CRITICAL, PLACE_AGAIN,
		NO_KEYS },
	{ "authenticationmethods", "publickey,keyboard-interactive:pam keyboard-interactive:pam",
		BG_LEVEL_CRITICAL, PLACE_AGAIN, KEYS },
	{ "passwordauthentication", "no", BG_LEVEL_CRITICAL, PLACE_AGAIN, ALWAYS },
	{ "pubkeyauthentication", "no", BG_LEVEL_CRITICAL, PLACE_AGAIN, NO_KEYS },
	{ "pubkeyauthentication", "yes", BG_LEVEL_CRITICAL, PLACE_AGAIN, KEYS },
	/* or a touch alone would do: sshd does not tell the module whether a PIN was checked */
	{ "pubkeyauthoptions", "touch-required verify-required", BG_LEVEL_CRITICAL, PLACE_AGAIN,
		KEYS },
	{ "pubkeyacceptedalgorithms",
		"sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com", BG_LEVEL_CRITICAL,
		PLACE_AGAIN, KEYS },
	{ "authorizedkeysfile", BG_PATH_ACCOUNTS "/%u/authorized_keys", BG_LEVEL_CRITICAL,
		PLACE_AGAIN, KEYS },
	{ "authorizedkeyscommand", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN, KEYS },
	{ "trustedusercakeys", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN, KEYS },
	{ "maxauthtries", "20", BG_LEVEL_WARNING, PLACE_AGAIN, KEYS },
	{ "permittty", "yes", BG_LEVEL_CRITICAL, PLACE_AGAIN, ALWAYS },
	{ "forcecommand", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN, ALWAYS },
	{ "chrootdirectory", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN, ALWAYS },
	{ "permituserrc", "no", BG_LEVEL_WARNING, PLACE_AGAIN, ALWAYS },
	{ "allowtcpforwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN, ALWAYS },
	{ "allowagentforwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN, ALWAYS },
	{ "x11forwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN, ALWAYS },
	{ "permittunnel", "no", BG_LEVEL_WARNING, PLACE_AGAIN, ALWAYS },
};

static unsigned int judge_values(
	const struct bg_judge *judge, const char *text, const char *account, bool has_keys)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const char *from = text;
		char value[256];

		if (wanted[i].when == (has_keys ? NO_KEYS : KEYS))
			continue;
		if (!next_value(&from, wanted[i].keyword, value, sizeof(value)))
			(void)snprintf(value, sizeof(value), "not said");
		if (strcmp(value, wanted[i].value) == 0)
			continue;
		bg_judge_say(judge, wanted[i].level, wanted[i].todo,
			"sshd: %s is \"%s\" for %s, wanted \"%s\"", wanted[i].keyword, value,
			account, wanted[i].value);
		wrong++;
	}
	return wrong;
}

/* Is the line of group(5) one that the account is in? *ret_name: its name. */
static bool is_in_group(char *line, const char *account, uint32_t gid, const char **ret_name)
{
	const char *number, *member;

	*ret_name = strsep(&line, ":");
	(void)strsep(&line, ":");
	number = strsep(&line, ":");
	if (number == NULL || line == NULL)
		return false;
	if (number[0] != '\0' && strtoul(number, NULL, 10) == gid)
		return true;
	while ((member = strsep(&line, ",")) != NULL)
		if (strcmp(member, account) == 0)
			return true;
	return false;
}

/* By its own name or by any group of the files that it is in. */
static bool is_listed(const struct bg_judge *judge, const char *text, const char *keyword,
	const char *account, bool *ret_is_set)
{
	static char groups[BG_INI_FILE_LEN + 1];
	bool is_found = bg_judge_ssh_names(text, keyword, account, ret_is_set), is_set;
	char *rest = groups, *line;
	struct bg_passwd entry;
	const char *name;
	size_t len = 0;

	if (!*ret_is_set || !strstr(keyword, "groups") ||
		bg_passwd_find_in(
			bg_tree_path(judge->tree, "/etc/passwd"), account, &entry, NULL) != BG_OK ||
		bg_tree_read(judge->tree, "/etc/group", groups, sizeof(groups), &len, NULL) !=
			BG_OK)
		return is_found;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (is_in_group(line, account, entry.gid, &name))
			is_found |= bg_judge_ssh_names(text, keyword, name, &is_set);
	return is_found;
}

static unsigned int judge_lists(const struct bg_judge *judge, const char *text, const char *account)
{
	static const struct {
		const char *keyword;
		bool is_deny;
	} lists[] = { { "allowusers", false }, { "allowgroups", false }, { "denyusers", true },
		{ "denygroups", true } };
	unsigned int wrong = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		bool is_set, is_in = is_listed(judge, text, lists[i].keyword, account, &is_set);

		if (!is_set || is_in != lists[i].is_deny)
			continue;
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			lists[i].is_deny ? "take it out of that list in sshd_config" : PLACE_AGAIN,
			"sshd: %s %s %s", lists[i].keyword,
			lists[i].is_deny ? "shuts out" : "does not let in", account);
		wrong++;
	}
	return wrong;
}

void bg_judge_ssh(
	const struct bg_judge *judge, const char *text, const char *account, bool has_keys)
{
	unsigned int wrong =
		judge_values(judge, text, account, has_keys) + judge_lists(judge, text, account);
	const char *from = text;
	char value[64] = "";
	long grace;

	(void)next_value(&from, "logingracetime", value, sizeof(value));
	grace = strtol(value, NULL, 10);
	if (grace != 0 && grace < GRACE_SECS) {
		bg_judge_say(judge, BG_LEVEL_WARNING,
			"LoginGraceTime 600 in sshd_config (an earlier line wins over the drop-in)",
			"sshd: LoginGraceTime is %ld s: a dropped login goes on with the same key, "
			"but that is tiresome",
			grace);
		wrong++;
	}
	if (!wrong)
		bg_judge_say(judge, BG_LEVEL_OK, NULL, "sshd: opens %s by pam_breakglass alone%s",
			account, has_keys ? ", security keys at the client too" : "");
}

/* What is wrong with the file of a seal that has such keys, NULL if nothing is. */
static const char *keys_fault(
	const struct bg_tree *tree, const struct bg_seal *seal, const char *path)
{
	static char text[BG_SMALL_LEN], want[BG_SMALL_LEN];
	size_t len = 0;
	struct stat st;
	enum bg_err err = bg_tree_read(tree, path, text, sizeof(text), &len, NULL);

	if (err == BG_ERR_NOENT)
		return "is missing: no security key at a client is taken";
	if (err)
		return "is not root's own file of mode 0644";
	bg_ssh_keys_text(seal, want);
	if (strcmp(text, want) != 0)
		return "does not say what the seal says";
	if (lstat(bg_tree_path(tree, path), &st) != 0 || (st.st_mode & 07777) != 0644)
		return "has not mode 0644: sshd reads it as the account";
	return NULL;
}

void bg_judge_ssh_keys(const struct bg_judge *judge, const struct bg_seal *seal)
{
	char path[BG_TREE_PATH_LEN];
	const char *fault;

	bg_ssh_keys_path(seal->account, path);
	if (!bg_ssh_has_keys(seal)) {
		if (bg_tree_has(judge->tree, path))
			bg_judge_say(judge, BG_LEVEL_WARNING, "remove it; who put it there?",
				"%s is there, but the seal has no keys for ssh", path);
		return;
	}
	fault = keys_fault(judge->tree, seal, path);
	if (fault)
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			"who changed it? bg-unlock install puts it back", "%s %s", path, fault);
	else
		bg_judge_say(judge, BG_LEVEL_OK, NULL, "%s says what the seal says", path);
}

enum bg_err bg_judge_ssh_run(
	const char *config, const char *account, char *ret, size_t size, struct bg_diag *diag)
{
	char user[64 + BG_ACCOUNT_LEN];
	const char *const argv[] = { SSHD, "-T", "-C", user, config ? "-f" : NULL, config, NULL };
	enum bg_err err;
	int status = 0;

	if (access(SSHD, X_OK) != 0)
		return BG_ERR_NOENT;
	/* its unit makes this; a check must not need the unit */
	(void)mkdir("/run/sshd", 0755);
	(void)snprintf(user, sizeof(user), "user=%s,host=localhost,addr=127.0.0.1", account);
	err = bg_program_run(argv, NULL, TIMEOUT_SECS, ret, size, &status, diag);
	if (err == BG_ERR_NOENT)
		return BG_ERR_IO;
	if (err == BG_OK && status != 0) {
		ret[strcspn(ret, "\n")] = '\0';
		return bg_diag_set(diag, BG_ERR_IO, "sshd -T", "%s", ret);
	}
	return err;
}

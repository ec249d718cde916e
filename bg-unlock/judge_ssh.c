/* SPDX-License-Identifier: BSD-2-Clause */
/* What sshd itself says it would do with the account: `sshd -T -C user=NAME`. */
#include "judge.h"

#include <breakglass/os_helper.h>

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

static const struct {
	const char *keyword, *value;
	enum bg_level level;
	const char *todo;
} wanted[] = {
	{ "usepam", "yes", BG_LEVEL_CRITICAL, "UsePAM yes in sshd_config" },
	{ "kbdinteractiveauthentication", "yes", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "authenticationmethods", "keyboard-interactive:pam", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "passwordauthentication", "no", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "pubkeyauthentication", "no", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "permittty", "yes", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "forcecommand", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "chrootdirectory", "none", BG_LEVEL_CRITICAL, PLACE_AGAIN },
	{ "permituserrc", "no", BG_LEVEL_WARNING, PLACE_AGAIN },
	{ "allowtcpforwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN },
	{ "allowagentforwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN },
	{ "x11forwarding", "no", BG_LEVEL_WARNING, PLACE_AGAIN },
	{ "permittunnel", "no", BG_LEVEL_WARNING, PLACE_AGAIN },
};

static unsigned int judge_values(
	const struct bg_judge *judge, const char *text, const char *account)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const char *from = text;
		char value[256];

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

static unsigned int judge_lists(const struct bg_judge *judge, const char *text, const char *account)
{
	static const struct {
		const char *keyword;
		bool is_deny;
	} lists[] = { { "allowusers", false }, { "allowgroups", false }, { "denyusers", true },
		{ "denygroups", true } };
	unsigned int wrong = 0;

	/* the account's one group has its name */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		bool is_set, is_in = bg_judge_ssh_names(text, lists[i].keyword, account, &is_set);

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

void bg_judge_ssh(const struct bg_judge *judge, const char *text, const char *account)
{
	unsigned int wrong = judge_values(judge, text, account) + judge_lists(judge, text, account);
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
		bg_judge_say(judge, BG_LEVEL_OK, NULL, "sshd: opens %s by pam_breakglass alone",
			account);
}

enum bg_err bg_judge_ssh_run(const char *account, char *ret, size_t size, struct bg_diag *diag)
{
	char user[64 + BG_ACCOUNT_LEN];
	const char *const argv[] = { SSHD, "-T", "-C", user, NULL };
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

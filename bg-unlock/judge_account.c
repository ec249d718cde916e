/* SPDX-License-Identifier: BSD-2-Clause */
/* The account itself: passwd, shadow, and how long login(1) lets it take. */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSWD	    "/etc/passwd"
#define SHADOW	    "/etc/shadow"
#define LOGIN_DEFS  "/etc/login.defs"
#define SHADOW_LEN  (1u << 20)
#define TIMEOUT_MIN 300

/* Fields 2 and 8 of shadow(5). */
static enum bg_err parse_shadow(char *line, struct bg_shadow *ret)
{
	struct bg_shadow shadow = { .expires = -1 };
	const char *field;

	for (int i = 1; (field = strsep(&line, ":")) != NULL; i++) {
		if (i == 2)
			shadow.is_locked = field[0] == '!' || field[0] == '*';
		if (i == 8 && field[0] != '\0')
			shadow.expires = strtol(field, NULL, 10);
		if (i == 9) {
			*ret = shadow;
			return BG_OK;
		}
	}
	return BG_ERR_SYNTAX;
}

enum bg_err bg_shadow_find(const struct bg_tree *tree, const char *account, struct bg_shadow *ret,
	struct bg_diag *diag)
{
	char *text = malloc(SHADOW_LEN), *rest = text, *line;
	size_t len = 0, name = strlen(account);
	enum bg_err err;

	if (!text)
		return BG_ERR_MEMORY;
	err = bg_tree_read(tree, SHADOW, text, SHADOW_LEN, &len, diag);
	if (err == BG_OK) {
		(void)bg_diag_set(diag, BG_ERR_NOENT, SHADOW, "a line of %s", account);
		err = BG_ERR_NOENT;
		while (err == BG_ERR_NOENT && (line = strsep(&rest, "\n")) != NULL)
			if (strncmp(line, account, name) == 0 && line[name] == ':')
				err = parse_shadow(line, ret);
	}
	explicit_bzero(text, SHADOW_LEN);
	free(text);
	return err;
}

static unsigned int judge_entry(
	const struct bg_judge *judge, const char *account, const struct bg_host *host)
{
	struct bg_passwd entry;
	struct bg_diag diag = { 0 };
	enum bg_err err =
		bg_passwd_find_in(bg_tree_path(judge->tree, PASSWD), account, &entry, &diag);
	char text[320];
	unsigned int wrong = 0;

	if (err) {
		bg_diag_format(&diag, err, text, sizeof(text));
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			"give it one line with a uid of its own, then bg-unlock install", "%s",
			text);
		return 1;
	}
	if (entry.uid != host->uid || entry.uid == 0) {
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "give it that uid back; the account is shut",
			"%s has uid %u, install recorded %u", account, (unsigned int)entry.uid,
			(unsigned int)host->uid);
		wrong++;
	}
	if (strcmp(entry.home, "/") != 0) {
		bg_judge_say(judge, BG_LEVEL_WARNING, "usermod --home / @ACCOUNT@",
			"%s has the home %s: what is written there is read at its next login",
			account, entry.home);
		wrong++;
	}
	if (strcmp(entry.shell, "/bin/bash") != 0 && strcmp(entry.shell, "/bin/sh") != 0) {
		bg_judge_say(judge, BG_LEVEL_WARNING, "usermod --shell /bin/bash @ACCOUNT@",
			"%s has the shell \"%s\"", account, entry.shell);
		wrong++;
	}
	return wrong;
}

static unsigned int judge_shadow(const struct bg_judge *judge, const char *account)
{
	struct bg_shadow shadow = { 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_shadow_find(judge->tree, account, &shadow, &diag);
	unsigned int wrong = 0;
	char text[320];

	if (err) {
		bg_diag_format(&diag, err, text, sizeof(text));
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "pwconv makes a missing line", "%s", text);
		return 1;
	}
	if (!shadow.is_locked) {
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "usermod --lock @ACCOUNT@",
			"%s has a password: it opens wherever pam_breakglass is not asked",
			account);
		wrong++;
	}
	/* 0 means "never" to some programs */
	if (shadow.expires < 1 || shadow.expires > time(NULL) / 86400) {
		bg_judge_say(judge, BG_LEVEL_CRITICAL, "chage --expiredate 1 @ACCOUNT@",
			"%s is not past its expiry: where the module is missing its account phase "
			"is open",
			account);
		wrong++;
	}
	return wrong;
}

void bg_judge_account(const struct bg_judge *judge, const char *account, const struct bg_host *host)
{
	unsigned int wrong = judge_entry(judge, account, host) + judge_shadow(judge, account);

	if (!wrong)
		bg_judge_say(judge, BG_LEVEL_OK, NULL, "%s is uid %u, locked and past its expiry",
			account, (unsigned int)host->uid);
}

/* login.defs(5): blanks around name and value; the last line of a name wins. */
long bg_timeout_of(char *text, char **ret_line)
{
	static const char name[] = "LOGIN_TIMEOUT";
	long secs = 60; /* login(1)'s own */

	for (char *line = text; line && *line;
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *p = line + strspn(line, " \t");
		size_t len = strlen(name);

		if (strncmp(p, name, len) != 0 || (p[len] != ' ' && p[len] != '\t'))
			continue;
		secs = strtol(p + len + strspn(p + len, " \t\""), NULL, 10);
		if (ret_line)
			*ret_line = line;
	}
	return secs;
}

void bg_judge_timeout(const struct bg_judge *judge)
{
	static char text[BG_INI_FILE_LEN + 1];
	struct bg_diag diag = { 0 };
	size_t len = 0;
	long secs;

	if (!bg_tree_has(judge->tree, LOGIN_DEFS))
		text[0] = '\0';
	else if (bg_tree_read(judge->tree, LOGIN_DEFS, text, sizeof(text), &len, &diag)) {
		bg_judge_say(judge, BG_LEVEL_WARNING, "make it root's, mode 0644", "%s: %s",
			LOGIN_DEFS, diag.what);
		return;
	}
	secs = bg_timeout_of(text, NULL);
	if (secs != 0 && secs < TIMEOUT_MIN)
		bg_judge_say(judge, BG_LEVEL_WARNING, "LOGIN_TIMEOUT 600 in " LOGIN_DEFS,
			"login: LOGIN_TIMEOUT is %ld s: a dropped login goes on with the same key, "
			"but that is tiresome",
			secs);
	else
		bg_judge_say(judge, BG_LEVEL_OK, NULL, "login: LOGIN_TIMEOUT is %ld s", secs);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at where names come from: may another source have the account, or hang? And does the
   C library give what the files say? */
#include "check.h"

#include <breakglass/os_ways.h>

#include <stdio.h>
#include <string.h>

#define LOOKUP_SECS 6

static char text[BG_INI_FILE_LEN + 1];

void bg_check_sources(struct bg_check *check, const char *database, char ret[static BG_SOURCES_LEN])
{
	size_t len = 0;

	ret[0] = '\0';
	if (bg_tree_read(&check->tree, BG_PATH_NSSWITCH, text, sizeof(text), &len, NULL) == BG_OK)
		bg_sources_find(text, database, ret);
}

/* Another source before files: sss, ldap, aad, himmelblau ... may have the same name. */
static bool is_shadowed(struct bg_check *check)
{
	static const char *const databases[] = { "passwd", "shadow", "group" };
	char sources[256], first[64];
	bool is_any = false;

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		bg_check_sources(check, databases[i], sources);
		if (!bg_sources_first(sources, true, first))
			continue;
		is_any = true;
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"put files first in that line of " BG_PATH_NSSWITCH,
			"%s is looked up in \"%s\", in %s before files: its account of the name "
			"would win",
			databases[i], sources, first);
	}
	return is_any;
}

void bg_check_names(struct bg_check *check)
{
	static const char *const databases[] = { "initgroups", "group" };
	char sources[256], other[64];

	if (is_shadowed(check))
		return;
	/* initgroups, where it is set, is asked instead of group */
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		bg_check_sources(check, databases[i], sources);
		if (sources[0] == '\0')
			continue;
		if (!bg_sources_first(sources, false, other))
			break;
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"give that source a time limit of its own of a few seconds",
			"groups are looked up in \"%s\" too: while it hangs, sshd and login wait "
			"for it",
			other);
		return;
	}
	bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "names are looked up in files");
}

/* What sshd and login get when they ask for the account. */
void bg_check_lookup(struct bg_check *check)
{
	char wanted[64 + BG_PAM_NAME_LEN];
	enum bg_err err;

	if (!check->host.uid)
		return;
	text[0] = '\0';
	(void)snprintf(
		wanted, sizeof(wanted), "%s:x:%u:", check->account, (unsigned int)check->host.uid);
	err = bg_names_ask("passwd", check->account, "", LOOKUP_SECS, text, sizeof(text));
	if (err == BG_ERR_HELPER)
		return; /* no getent here */
	if (err == BG_ERR_IO)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"getent passwd @ACCOUNT@ shows it; mend the source, or put files first "
			"in " BG_PATH_NSSWITCH,
			"a source of names ends the program that asks for the account");
	else if (err != BG_OK && err != BG_ERR_NOENT)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"mend the source, or put files first in " BG_PATH_NSSWITCH,
			"the account's name is not answered within %d s: no door opens",
			LOOKUP_SECS);
	else if (strncmp(text, wanted, strlen(wanted)) != 0)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"put files first in " BG_PATH_NSSWITCH
			"; is there an account of that name elsewhere?",
			"asked for %s, the system gives \"%.80s\", not uid %u", check->account,
			(text[strcspn(text, "\n")] = '\0', text), (unsigned int)check->host.uid);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"the system's own answer for %s is that of the files", check->account);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at what else in a door's PAM stack may say no to an account that the module has opened. */
#include "check.h"
#include "pam_stack.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ACCESS_CONF "/etc/security/access.conf"
#define ACCESS_D    "/etc/security/access.d/*.conf"

/* Modules that refuse for reasons of their own. */
enum veto { VETO_NOLOGIN, VETO_LOCK, VETO_OTHER }; /* pam_access: bg_check_access */
static const struct {
	const char *module;
	enum veto veto;
} vetoes[] = {
	{ "pam_nologin.so", VETO_NOLOGIN },
	{ "pam_faillock.so", VETO_LOCK },
	{ "pam_tally2.so", VETO_LOCK },
	{ "pam_listfile.so", VETO_OTHER },
	{ "pam_succeed_if.so", VETO_OTHER },
	{ "pam_time.so", VETO_OTHER },
	{ "pam_wheel.so", VETO_OTHER },
	{ "pam_shells.so", VETO_OTHER },
	{ "pam_securetty.so", VETO_OTHER },
	{ "pam_sss.so", VETO_OTHER },
	{ "pam_krb5.so", VETO_OTHER },
	{ "pam_ldap.so", VETO_OTHER },
	{ "pam_aad.so", VETO_OTHER },
	{ "pam_himmelblau.so", VETO_OTHER },
	{ "pam_duo.so", VETO_OTHER },
	{ "pam_google_authenticator.so", VETO_OTHER },
};

struct met {
	enum veto wanted;
	bool is_found;
	char file[64], module[96]; /* the first one */
};

/* By its control words a failure may be no end. */
static bool is_harmless(const char *control)
{
	return strcmp(control, "optional") == 0 || strcmp(control, "sufficient") == 0 ||
	       (strstr(control, "default=ignore") && !strstr(control, "=die") &&
		       !strstr(control, "=bad"));
}

static void meet(void *arg, const char *file, const struct bg_pam_line *line)
{
	struct met *met = arg;

	if (met->is_found || is_harmless(line->control))
		return;
	for (size_t i = 0; i < sizeof(vetoes) / sizeof(vetoes[0]); i++) {
		if (vetoes[i].veto != met->wanted || strcmp(vetoes[i].module, line->module) != 0)
			continue;
		met->is_found = true;
		(void)snprintf(met->file, sizeof(met->file), "%s", file);
		(void)snprintf(met->module, sizeof(met->module), "%s", line->module);
	}
}

/* Does a door's stack come to such a module? */
static bool find(const struct bg_check *check, enum veto wanted, struct met *ret)
{
	*ret = (struct met){ .wanted = wanted };
	for (size_t i = 0; i < check->conf.service_count && !ret->is_found; i++) {
		bg_pam_meet(&check->tree, check->conf.services[i], "auth", meet, ret);
		bg_pam_meet(&check->tree, check->conf.services[i], "account", meet, ret);
	}
	return ret->is_found;
}

static bool has_own_door(const struct bg_check *check)
{
	struct bg_record record = { 0 };

	return bg_record_load(&check->tree, NULL, &record, NULL) == BG_OK && record.doors.has_sshd;
}

void bg_check_nologin(struct bg_check *check)
{
	static const char *const paths[] = { "/run/nologin", "/etc/nologin" };
	bool is_open = has_own_door(check);
	struct met met;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!bg_tree_has(&check->tree, paths[i]) || !find(check, VETO_NOLOGIN, &met))
			continue;
		bg_judge_say(&check->judge, is_open ? BG_LEVEL_WARNING : BG_LEVEL_CRITICAL,
			"remove it when the maintenance is over",
			"%s is there: sshd and login refuse everybody but root%s", paths[i],
			is_open ? ", the own door does not"
				: "; there is no own door (install --door sshd)");
		return;
	}
	bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "no nologin file");
}

/* A record of failures of this account, wherever they were made. */
static bool has_failures(const struct bg_check *check)
{
	static const char *const folders[] = { "/run/faillock", "/var/lib/faillock" };
	char path[BG_TREE_PATH_LEN];
	struct stat st;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folders[i], check->account);
		if (stat(bg_tree_path(&check->tree, path), &st) == 0 && st.st_size > 0)
			return true;
	}
	return false;
}

void bg_check_faillock(struct bg_check *check)
{
	struct met met;

	if (!find(check, VETO_LOCK, &met))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "no failed login locks it");
	else if (has_failures(check))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"faillock --user @ACCOUNT@ --reset, and have it behind " BG_PAM_OURS,
			"/etc/pam.d/%s: %s counts failures of %s and may have locked it", met.file,
			met.module, check->account);
	else
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"have it behind " BG_PAM_OURS " in common-auth, where it is passed over",
			"/etc/pam.d/%s: %s may lock %s: whoever fails logins as it shuts it",
			met.file, met.module, check->account);
}

enum access { ACCESS_UNSAID, ACCESS_YES, ACCESS_NO };

/* One list of access.conf(5): does it hold the name (its own group's too) before an EXCEPT, and not
   behind it? */
static bool is_listed(char *list, const char *name)
{
	bool is_except = false, is_in = false, is_out = false;
	char *word, group[BG_PAM_NAME_LEN + 3];

	(void)snprintf(group, sizeof(group), "(%s)", name);
	while ((word = strsep(&list, " \t,")) != NULL) {
		bool is_it = strcmp(word, "ALL") == 0 || strcmp(word, name) == 0 ||
			     strcmp(word, group) == 0;

		if (strcmp(word, "EXCEPT") == 0)
			is_except = true;
		else if (is_except)
			is_out |= is_it;
		else
			is_in |= is_it;
	}
	return is_in && !is_out;
}

/* What a line says: a refusal from anywhere counts, a permission only from everywhere. */
static enum access judge_line(char *line, const char *account)
{
	bool is_plus = line[0] == '+';
	char *rest = line, *users, *origins;

	(void)strsep(&rest, ":");
	users = strsep(&rest, ":");
	origins = rest;
	if (users == NULL || origins == NULL || !is_listed(users, account))
		return ACCESS_UNSAID;
	if (!is_plus)
		return ACCESS_NO;
	/* "ALL EXCEPT x" is not everywhere */
	return strstr(origins, "EXCEPT") == NULL && is_listed(origins, "ALL") ? ACCESS_YES
									      : ACCESS_UNSAID;
}

/* The first line that says something decides. ret: that line. */
static enum access judge_access(
	const struct bg_check *check, const char *path, char ret[static 128])
{
	static char text[BG_INI_FILE_LEN + 1];
	char *rest = text, *line;
	size_t len = 0;

	if (bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL) != BG_OK)
		return ACCESS_UNSAID;
	while ((line = strsep(&rest, "\n")) != NULL) {
		enum access said;

		line += strspn(line, " \t");
		if (line[0] != '+' && line[0] != '-')
			continue;
		(void)snprintf(ret, 128, "%s", line);
		said = judge_line(line, check->account);
		if (said != ACCESS_UNSAID)
			return said;
	}
	return ACCESS_UNSAID;
}

/* pam_access(8): of accessfile=; else access.conf, and behind it those of access.d. Paths as this
   tree's, but for ret_path. */
static enum access judge_files(const struct bg_check *check, const char *options,
	char ret_path[static BG_TREE_PATH_LEN], char ret_line[static 128])
{
	const char *named = strstr(options, "accessfile=");
	enum access said = ACCESS_UNSAID;
	glob_t found = { 0 };

	(void)snprintf(ret_path, BG_TREE_PATH_LEN, "%s", ACCESS_CONF);
	if (named != NULL) {
		named += strlen("accessfile=");
		(void)snprintf(
			ret_path, BG_TREE_PATH_LEN, "%.*s", (int)strcspn(named, " \t"), named);
	}
	if (ret_path[0] == '/')
		said = judge_access(check, ret_path, ret_line);
	if (named == NULL && said == ACCESS_UNSAID)
		(void)glob(bg_tree_path(&check->tree, ACCESS_D), 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && said == ACCESS_UNSAID; i++) {
		(void)snprintf(ret_path, BG_TREE_PATH_LEN, "%s%s", check->tree.is_host ? "" : "/",
			found.gl_pathv[i]);
		said = judge_access(check, ret_path, ret_line);
	}
	globfree(&found);
	return said;
}

struct access_look {
	const struct bg_check *check;
	bool is_met, is_refused;
	char file[64], path[BG_TREE_PATH_LEN], line[128]; /* of the first that refuses */
};

/* Each such line may name a file of its own. */
static void meet_access(void *arg, const char *file, const struct bg_pam_line *line)
{
	struct access_look *look = arg;

	if (look->is_refused || strcmp(line->module, "pam_access.so") != 0 ||
		is_harmless(line->control))
		return;
	look->is_met = true;
	look->is_refused =
		judge_files(look->check, line->rest, look->path, look->line) == ACCESS_NO;
	(void)snprintf(look->file, sizeof(look->file), "%s", file);
}

void bg_check_access(struct bg_check *check)
{
	struct access_look look = { .check = check };

	for (size_t i = 0; i < check->conf.service_count; i++) {
		bg_pam_meet(&check->tree, check->conf.services[i], "auth", meet_access, &look);
		bg_pam_meet(&check->tree, check->conf.services[i], "account", meet_access, &look);
	}
	if (!look.is_met)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "no pam_access before it");
	else if (look.is_refused)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"put a line before it: + : @ACCOUNT@ : ALL",
			"/etc/pam.d/%s: pam_access refuses %s by \"%s\" in %s", look.file,
			check->account, look.line, look.path);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "pam_access lets %s through",
			check->account);
}

void bg_check_vetoes(struct bg_check *check)
{
	struct met met;

	if (find(check, VETO_OTHER, &met))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"does it let the emergency account through? Better: where " BG_PAM_OURS
			" passes over it",
			"/etc/pam.d/%s: %s may refuse after the module has opened", met.file,
			met.module);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"no other module may refuse what the module opens");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at the ways to root inside a session: they must stand in files, whatever hangs. */
#include "check.h"
#include "pam_stack.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char text[BG_INI_FILE_LEN + 1];

/* A line of these two words, the second one's beginning. */
static bool has_line(
	const struct bg_check *check, const char *path, const char *first, const char *second)
{
	char *rest = text, *line;
	size_t len = 0;

	if (bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL) != BG_OK)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *word = strsep(&line, " \t");

		if (line && strcmp(word, first) == 0 &&
			strncmp(line + strspn(line, " \t"), second, strlen(second)) == 0)
			return true;
	}
	return false;
}

/* The account's own rule, by its name, in a file that sudoers includes. */
static bool has_rule(struct bg_check *check)
{
	static char wanted[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];
	size_t len = 0;

	bg_sudoers_path(check->account, path);
	bg_sudoers_text(
		check->account, BG_ROLE_FULL, check->host.recording & BG_RECORDING_SUDO, wanted);
	if (bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL) != BG_OK ||
		strcmp(text, wanted) != 0) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"bg-unlock install @SEAL@ puts it back",
			"%s is missing or not as install placed it: su - is the way to root", path);
		return false;
	}
	if (!has_line(check, "/etc/sudoers", "@includedir", "/etc/sudoers.d") &&
		!has_line(check, "/etc/sudoers", "#includedir", "/etc/sudoers.d")) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"put @includedir /etc/sudoers.d at the end of /etc/sudoers",
			"/etc/sudoers does not include /etc/sudoers.d: su - is the way to root");
		return false;
	}
	return true;
}

/* sudo asks nothing that may hang before it finds the rule. */
static bool is_independent(struct bg_check *check)
{
	char sources[256], other[64];

	bg_check_sources(check, "sudoers", sources);
	if (bg_sources_first(sources, false, other)) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"take it out of the sudoers line of /etc/nsswitch.conf, or rely on su -",
			"sudoers are looked up in \"%s\" too: while it hangs, sudo does", other);
		return false;
	}
	if (has_line(check, "/etc/sudo.conf", "Plugin", "") &&
		!has_line(check, "/etc/sudo.conf", "Plugin", "sudoers_policy sudoers.so")) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"name sudoers.so in /etc/sudo.conf, or rely on su -",
			"/etc/sudo.conf gives sudo's decision to another plugin than sudoers");
		return false;
	}
	return true;
}

/* A program whose bit is gone, or that lies on a file system without such bits, gives root to
   nobody. */
static bool is_setuid(
	struct bg_check *check, const char *path, enum bg_level level, const char *effect)
{
	struct stat st;
	struct statvfs fs;
	bool is_there = stat(bg_tree_path(&check->tree, path), &st) == 0;

	if (!is_there && !check->tree.is_host)
		return true; /* a folder may hold less than a system */
	if (is_there && st.st_uid == geteuid() && (st.st_mode & S_ISUID) != 0 &&
		(!check->tree.is_host || statvfs(path, &fs) != 0 || !(fs.f_flag & ST_NOSUID)))
		return true;
	bg_judge_say(&check->judge, level,
		"who changed it? apt-get install --reinstall sudo util-linux; mount without nosuid",
		"%s does not run as root, its setuid bit is gone or ignored: %s", path, effect);
	return false;
}

static void meet(void *arg, const char *file, const struct bg_pam_line *line)
{
	(void)file;
	if (strcmp(line->module, "pam_wheel.so") == 0 && strcmp(line->control, "sufficient") != 0)
		*(bool *)arg = true;
}

void bg_check_root(struct bg_check *check)
{
	bool has_wheel = false, has_sudo, is_there;

	if (!check->host.uid || strcmp(check->host.role, BG_ROLE_FULL) != 0 ||
		!bg_tree_has(&check->tree, "/etc/sudoers"))
		return; /* said by role and by sudo */
	bg_pam_meet(&check->tree, "su", "auth", meet, &has_wheel);
	/* that there is none is said by sudo */
	is_there = !check->tree.is_host || bg_tree_has(&check->tree, "/usr/bin/sudo");
	has_sudo = has_rule(check) && is_independent(check) && is_there &&
		   is_setuid(check, "/usr/bin/sudo", BG_LEVEL_WARNING, "su - is the way to root");
	if (has_wheel)
		bg_judge_say(&check->judge, has_sudo ? BG_LEVEL_WARNING : BG_LEVEL_CRITICAL,
			"take pam_wheel out of /etc/pam.d/su, or put it behind common-auth",
			"/etc/pam.d/su: pam_wheel does not let %s become root%s", check->account,
			has_sudo ? ": sudo is the only way" : ", and sudo may not either");
	else if (is_setuid(check, "/usr/bin/su", has_sudo ? BG_LEVEL_WARNING : BG_LEVEL_CRITICAL,
			 has_sudo ? "sudo is the only way to root" : "and sudo may not either") &&
		 has_sudo)
		bg_judge_say(
			&check->judge, BG_LEVEL_OK, NULL, "sudo by a rule in files, su - besides");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* `check`: does what `install --record` asked for really record? None of it is a condition of a
   login, so all that is wrong is a warning. */
#include "check.h"
#include "doors.h"
#include "recording.h"
#include "templates.h"

#include <breakglass/os_helper.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_SECS 10
#define ROOM_MIB     16
#define IOLOG	     "/var/log/sudo-io"
#define AUDIT_LOG    "/var/log/audit"
#define AUDITD_CONF  "/etc/audit/auditd.conf"

static char text[BG_INI_FILE_LEN];

BG_PRINTF(3, 4)
static void warn(struct bg_check *check, const char *todo, const char *fmt, ...)
{
	char line[400];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	bg_judge_say(&check->judge, BG_LEVEL_WARNING, todo, "%s", line);
}

static bool runs(const char *const argv[])
{
	int status = 0;

	text[0] = '\0';
	return bg_program_run(argv, NULL, TIMEOUT_SECS, text, sizeof(text), &status, NULL) ==
		       BG_OK &&
	       status == 0;
}

/* sudo: the option that stands last holds, whichever file it is from. */
static bool is_output_logged(const char *list)
{
	const char *p = strstr(list, "Matching Defaults"), *end = p ? strstr(p, "\n\n") : NULL;
	bool is_on = false;

	while (p && (!end || p < end) && *p != '\0') {
		size_t len = strcspn(p, ", \n");

		if (len == strlen("log_output") && strncmp(p, "log_output", len) == 0)
			is_on = true;
		else if (len == strlen("!log_output") && strncmp(p, "!log_output", len) == 0)
			is_on = false;
		p += len + (p[len] != '\0');
	}
	return is_on;
}

static bool is_sudo_good(struct bg_check *check)
{
	const char *const list[] = { "/usr/bin/sudo", "-n", "-l", "-U", check->account, NULL };
	struct stat st;
	bool is_there = lstat(bg_tree_path(&check->tree, IOLOG), &st) == 0;

	if (!bg_tree_has(&check->tree, "/etc/sudoers")) {
		warn(check, "apt-get install sudo",
			"sudo's I/O logs are asked for, but there is no sudo here");
		return false;
	}
	if (check->tree.is_host && (!runs(list) || !is_output_logged(text))) {
		warn(check,
			"bg-unlock install @SEAL@; what else switches it off: sudo -l -U @ACCOUNT@",
			"sudoers as they are in force do not keep what %s's commands show",
			check->account);
		return false;
	}
	if (is_there && (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))) {
		warn(check, "move it away: sudo makes it anew",
			IOLOG " is no folder of root's alone: sudo's I/O logs are not kept, or "
			      "not safe");
		return false;
	}
	return bg_check_room(check, is_there ? IOLOG : "/var/log", ROOM_MIB, BG_LEVEL_WARNING,
		"sudo runs on, but what commands show is not kept");
}

/* A number of auditctl -s. */
static long status_of(const char *name)
{
	char line[48];
	const char *at;

	(void)snprintf(line, sizeof(line), "\n%s ", name);
	if (strncmp(text, line + 1, strlen(line) - 1) == 0)
		return strtol(text + strlen(line) - 1, NULL, 10);
	at = strstr(text, line);
	return at ? strtol(at + strlen(line), NULL, 10) : -1;
}

/* Is the file as install made it of its template? Leaves what stands there in text. */
static bool is_as_made(struct bg_check *check, const char *path, const char *template)
{
	static char wanted[BG_SMALL_LEN];
	size_t len = 0;

	bg_recording_fill(template, check->account, check->host.uid, wanted);
	return bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL) == BG_OK &&
	       strcmp(text, wanted) == 0;
}

static bool is_placed(struct bg_check *check)
{
	char path[BG_TREE_PATH_LEN];

	bg_audit_path(check->account, path);
	if (is_as_made(check, path, template_audit_rules))
		return true;
	warn(check,
		bg_tree_has(&check->tree, BG_AUDIT_DIR)
			? "bg-unlock install @SEAL@ puts it back"
			: "apt-get install auditd, then bg-unlock install @SEAL@",
		"%s is missing or not as install placed it: auditd does not know this account",
		path);
	return false;
}

/* What the site made of auditd may shut the host as our rules fill its log. */
static bool is_conf_gentle(struct bg_check *check)
{
	static const char *const keys[] = { "space_left_action", "admin_space_left_action",
		"disk_full_action", "disk_error_action" };
	char *rest = text, *line, *end;
	size_t len = 0;

	if (bg_tree_read(&check->tree, AUDITD_CONF, text, sizeof(text), &len, NULL) != BG_OK)
		return true;
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *key = line + strspn(line, " \t"), *value = strchr(key, '=');
		bool is_key = false;

		if (!value)
			continue;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			is_key |= strncmp(key, keys[i], strlen(keys[i])) == 0;
		value += 1 + strspn(value + 1, " \t");
		if (!is_key || (strncasecmp(value, "halt", 4) != 0 &&
				       strncasecmp(value, "single", 6) != 0))
			continue;
		end = line + strlen(line);
		warn(check, "make it suspend or rotate in " AUDITD_CONF,
			"auditd.conf has \"%.*s\": this host goes down as its audit log fills",
			(int)(end - key), key);
		return false;
	}
	return true;
}

static bool is_kernel_ready(struct bg_check *check)
{
	static const char *const argv[] = { BG_AUDITCTL, "-s", NULL };

	if (access(BG_AUDITCTL, X_OK) != 0) {
		warn(check, "apt-get install auditd",
			"auditd's rules are placed, but auditd is not "
			"installed");
		return false;
	}
	if (!runs(argv) || status_of("enabled") < 0) {
		text[strcspn(text, "\n")] = '\0';
		warn(check, "in a container its host must record; else boot without audit=0",
			"the kernel's audit system does not answer here: %.120s", text);
		return false;
	}
	if (status_of("failure") > 1)
		warn(check, "-f 1 in /etc/audit/rules.d, then augenrules --load",
			"auditctl -s says failure 2: this host panics as audit records pile up");
	if (status_of("enabled") > 0 && status_of("pid") > 0)
		return true;
	if (status_of("pid") == 0)
		warn(check, "systemctl enable --now auditd",
			"auditd does not run: what its rules see is not kept");
	else
		warn(check, "auditctl -e 1; what switched it off?",
			"the audit system is switched off (auditctl -s: enabled 0)");
	return false;
}

static bool are_rules_loaded(struct bg_check *check)
{
	static const char *const argv[] = { BG_AUDITCTL, "-l", NULL };
	unsigned int all = 0, loaded = 0;

	if (runs(argv))
		loaded = bg_audit_count_loaded(text, check->account, &all);
	if (loaded != 0 && loaded >= all)
		return true;
	warn(check, "bg-unlock install @SEAL@ loads them; after auditctl -e 2 the next boot does",
		"%u of the %u rules of %s are loaded: auditd does not see all", loaded, all,
		check->account);
	return false;
}

static bool is_audit_good(struct bg_check *check)
{
	bool is_good = is_placed(check);

	is_good &= is_conf_gentle(check);
	if (!check->tree.is_host)
		return is_good;
	is_good = is_good && is_kernel_ready(check) && are_rules_loaded(check);
	return is_good && (access(AUDIT_LOG, F_OK) != 0 ||
				  bg_check_room(check, AUDIT_LOG, ROOM_MIB, BG_LEVEL_WARNING,
					  "auditd keeps no more than that"));
}

/* The login's part: bash (the row account wants it) reads the line, and starts what it names. */
static bool is_profile_good(struct bg_check *check)
{
	char path[BG_TREE_PATH_LEN];
	size_t len = 0;

	bg_tlog_path(check->account, path);
	if (!is_as_made(check, path, template_profile_tlog_sh)) {
		warn(check, "bg-unlock install @SEAL@ puts it back",
			"%s is missing or not as install placed it: tlog is not started", path);
		return false;
	}
	if (bg_tree_read(&check->tree, "/etc/profile", text, sizeof(text), &len, NULL) != BG_OK ||
		!strstr(text, "/etc/profile.d")) {
		warn(check, "put Debian's lines back: dpkg -S /etc/profile",
			"/etc/profile does not read /etc/profile.d: tlog is not started");
		return false;
	}
	return true;
}

static bool is_tlog_good(struct bg_check *check)
{
	struct bg_passwd user;

	if (!is_profile_good(check))
		return false;
	if (!bg_tree_has(&check->tree, BG_PATH_TLOG_REC)) {
		warn(check, "apt-get install tlog",
			"tlog is asked for and not installed: sessions go on unrecorded");
		return false;
	}
	if (!bg_tree_has(&check->tree, BG_PATH_TLOG)) {
		warn(check, "apt-get install --reinstall libpam-breakglass",
			BG_PATH_TLOG " is missing: sessions go on unrecorded");
		return false;
	}
	if (bg_passwd_find_in(bg_tree_path(&check->tree, "/etc/passwd"), check->account, &user,
		    NULL) == BG_OK &&
		strcmp(user.shell, "/bin/sh") == 0) {
		warn(check, "usermod --shell /bin/bash @ACCOUNT@",
			"%s's shell is /bin/sh: tlog is started by bash only", check->account);
		return false;
	}
	if (!check->tree.is_host || access("/var/log/journal", F_OK) == 0)
		return true;
	warn(check, "mkdir /var/log/journal; systemctl restart systemd-journald",
		"the journal is lost at a reboot (no /var/log/journal), and tlog's recordings with "
		"it");
	return false;
}

void bg_check_recording(struct bg_check *check)
{
	unsigned int recording = check->host.recording;

	if (!check->host.uid)
		return;
	if (!recording)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"nothing keeps single commands (install --record sudo,audit would)");
	if ((recording & BG_RECORDING_SUDO) && is_sudo_good(check))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"sudo keeps what commands show, below " IOLOG "/%s", check->account);
	if ((recording & BG_RECORDING_TLOG) && is_tlog_good(check))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"tlog keeps what %s's terminals show (journalctl -t breakglass-tlog)",
			check->account);
	if ((recording & BG_RECORDING_AUDIT) && is_audit_good(check))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"auditd keeps commands and changed files (ausearch -i -k breakglass-%s)",
			check->account);
}

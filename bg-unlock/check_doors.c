/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the own doors: that they run, answer with the key that the console's
 * client knows, and stand on nothing that may break; and at what no door of ours
 * can help against, a source of groups that hangs.
 */
#include "check.h"
#include "doors.h"
#include "ssh_text.h"
#include "templates.h"

#include <breakglass/os_helper.h>
#include <breakglass/os_ways.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_SECS 20
#define GROUP_SECS   6
#define AGAIN	     "run bg-unlock install again with the seal in force"

static char text[BG_INI_FILE_LEN + 1];

/* What a program says comes into text. Its exit status; -1: it did not run or end. */
static int ask(const char *const argv[], unsigned int secs)
{
	int status = -1;

	text[0] = '\0';
	return bg_program_run(argv, NULL, secs, text, sizeof(text), &status, NULL) == BG_OK ? status
											    : -1;
}

static void critical(struct bg_check *check, const char *todo, const char *what, const char *why)
{
	bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, todo, "%s: %s", what, why);
}

/* A placed file must be the template, to the byte: nobody else has business in it. */
static bool is_whole(struct bg_check *check, const char *path, const char *wanted)
{
	size_t len = 0;
	enum bg_err err = bg_tree_read(&check->tree, path, text, sizeof(text), &len, NULL);

	if (err == BG_OK && strcmp(text, wanted) == 0)
		return true;
	critical(check, AGAIN, path,
		err == BG_ERR_NOENT ? "is missing"
		: err		    ? "cannot be read, or is not root's alone"
				    : "is not as install placed it");
	return false;
}

static bool has_files(struct bg_check *check)
{
	static const struct {
		const char *path;
		mode_t more;
	} files[] = { { BG_OWN_CONFIG, 0022 }, { BG_OWN_KEY, 0077 }, { BG_OWN_KNOWN, 0022 } };
	bool is_good = is_whole(check, BG_OWN_PAM, template_breakglass_sshd_pam);
	struct stat st;

	is_good &= is_whole(check, BG_SSH_DROP_IN, template_ssh_service_conf);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *here = bg_tree_path(&check->tree, files[i].path);

		if (lstat(here, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
			!(st.st_mode & files[i].more))
			continue;
		critical(check, AGAIN, files[i].path, "is missing, not root's, or open to others");
		is_good = false;
	}
	if (bg_other_is_fragile(&check->tree)) {
		critical(check, AGAIN, "/etc/pam.d/other",
			"includes whole files: one that is missing would shut every door");
		is_good = false;
	}
	return is_good;
}

/* The unit is enabled and runs. */
static bool is_up(struct bg_check *check, const char *unit)
{
	char restart[2 * BG_UNIT_NAME_LEN + 64];
	bool is_enabled = bg_systemctl_is(&check->tree, "is-enabled", unit);
	bool is_active =
		!bg_systemd_runs(&check->tree) || bg_systemctl_is(&check->tree, "is-active", unit);

	(void)snprintf(restart, sizeof(restart), "systemctl restart %s; journalctl -u %s says why",
		unit, unit);
	if (!is_enabled)
		critical(check, AGAIN, unit, "is not enabled: shut after the next boot");
	if (!is_active)
		critical(check, restart, unit, "does not run");
	return is_enabled && is_active;
}

void bg_judge_own_answer(const struct bg_judge *judge)
{
	const char *const scan[] = { "/usr/bin/ssh-keyscan", "-T", "5", "-t", "ed25519", "-p",
		BG_OWN_PORT, "127.0.0.1", NULL };
	static char known[1024];
	size_t len = 0;
	int status = ask(scan, TIMEOUT_SECS);

	if (bg_tree_read(judge->tree, BG_OWN_KNOWN, known, sizeof(known), &len, NULL) || len == 0)
		return; /* said by others */
	if (strstr(text, known))
		bg_judge_say(judge, BG_LEVEL_OK, NULL,
			BG_OWN_UNIT " answers on port " BG_OWN_PORT " with its own key");
	else if (status != 0 || !strstr(text, "ssh-ed25519 "))
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			"ss -ltnp 'sport = :" BG_OWN_PORT "'; /etc/hosts.deny; its journal",
			BG_OWN_UNIT ": nobody answers as an ssh server on port " BG_OWN_PORT);
	else
		bg_judge_say(judge, BG_LEVEL_CRITICAL,
			AGAIN "; who listens there: ss -ltnp 'sport = :" BG_OWN_PORT "'",
			BG_OWN_KNOWN ": the server on port " BG_OWN_PORT " shows another key");
}

static void judge_console(struct bg_check *check, const char *tty)
{
	char unit[BG_UNIT_NAME_LEN], getty[BG_UNIT_NAME_LEN];

	bg_console_unit(tty, unit);
	bg_getty_unit(tty, getty);
	if (!is_up(check, unit))
		return;
	if (bg_systemd_runs(&check->tree) && bg_systemctl_is(&check->tree, "is-active", getty))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, AGAIN,
			"%s runs on %s too: both would read what is typed", getty, tty);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "%s waits on /dev/%s", unit, tty);
}

void bg_check_doors(struct bg_check *check)
{
	static const char config[] = BG_OWN_CONFIG;
	const char *const test[] = { BG_OWN_SSHD, "-t", "-f", config, NULL };
	struct bg_record record = { 0 };
	bool is_good;

	if (bg_record_load(&check->tree, NULL, &record, NULL)) {
		critical(check, AGAIN, "/etc/breakglass/installed", "cannot be read");
		return;
	}
	if (!record.doors.has_sshd)
		return;
	is_good = has_files(check);
	if (!check->tree.is_host) {
		if (is_good)
			bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "the files are in order");
		return;
	}
	if (ask(test, TIMEOUT_SECS) != 0) {
		text[strcspn(text, "\n")] = '\0';
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL, AGAIN, "%s: %.200s",
			access(BG_OWN_SSHD, X_OK) == 0 ? BG_OWN_CONFIG : "no " BG_OWN_SSHD,
			text[0] ? text : "sshd -t says nothing, or does not end");
	}
	if (is_up(check, BG_OWN_UNIT) && bg_systemd_runs(&check->tree))
		bg_judge_own_answer(&check->judge);
	for (size_t i = 0; i < record.doors.console_count; i++)
		judge_console(check, record.doors.consoles[i]);
}

/* How the second sshd sees the account. */
void bg_check_own_ssh(struct bg_check *check)
{
	struct bg_record record = { 0 };
	struct bg_diag diag = { 0 };

	if (check->seal.key_count == 0 ||
		bg_record_load(&check->tree, NULL, &record, NULL) != BG_OK ||
		!record.doors.has_sshd)
		return;
	if (!bg_conf_is_door(&check->conf, "breakglass-sshd")) {
		critical(check, "add it to services in breakglass.conf", "breakglass-sshd",
			"is not among the services that are doors");
		return;
	}
	if (bg_judge_ssh_run(BG_OWN_CONFIG, check->account, text, sizeof(text), &diag))
		return; /* said by the host's row */
	bg_judge_ssh(&check->judge, text, check->account, bg_ssh_has_keys(&check->seal));
}

/* Emergency accounts' own sudo stack. */
void bg_check_sudo_stack(struct bg_check *check)
{
	if (check->host.uid && bg_tree_has(&check->tree, "/etc/sudoers") &&
		is_whole(check, BG_SUDO_PAM, template_breakglass_sudo_pam))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, BG_SUDO_PAM " is in its place");
}

/* glibc asks every source of groups at each login, ours too: there is no way around one that
   does not answer. */
void bg_check_groups(struct bg_check *check)
{
	enum bg_err err;
	char out[1024];

	if (!check->host.uid)
		return;
	err = bg_names_ask("initgroups", check->account, "", GROUP_SECS, out, sizeof(out));
	if (err == BG_ERR_HELPER)
		return; /* no getent here */
	if (err == BG_OK || err == BG_ERR_NOENT)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "the sources of groups answer");
	else if (err == BG_ERR_IO)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"getent initgroups @ACCOUNT@ shows it; mend it, or take it out of the "
			"group "
			"line of /etc/nsswitch.conf",
			"a source of groups ends the program that asks for them: no door opens");
	else
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"mend it, or take it out of the group line of /etc/nsswitch.conf",
			"a source of groups does not answer within %d s: no door opens while it "
			"hangs",
			GROUP_SECS);
}

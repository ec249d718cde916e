/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at the host: configuration, PAM, login, the module, the helper, ssh and sudo. */
#include "check.h"
#include "ssh_text.h"

#include <breakglass/os_file.h>
#include <breakglass/os_group.h>
#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_SECS 20

static char text[BG_INI_FILE_LEN + 1];

void bg_check_conf(struct bg_check *check)
{
	struct bg_diag diag = { 0 };
	char line[400];
	size_t len = 0;
	enum bg_err err = bg_tree_read(&check->tree, BG_PATH_CONF, text, sizeof(text), &len, &diag);

	bg_conf_defaults(&check->conf);
	if (!err) {
		bg_conf_parse(text, len, BG_PATH_CONF, &check->conf);
		if (check->conf.is_degraded) {
			err = check->conf.first_err;
			diag = check->conf.first_error;
		}
	}
	if (!err) {
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, BG_PATH_CONF " is right");
		return;
	}
	bg_diag_format(&diag, err, line, sizeof(line));
	bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
		err == BG_ERR_NOENT
			? "bg-unlock install SEAL, with the seal in force, puts one there"
		: err == BG_ERR_UNSAFE
			? "chown root:root and chmod 0644 it"
			: "correct it (breakglass.conf(5)); until then that setting is at its "
			  "default",
		"%s", line);
}

void bg_check_pam(struct bg_check *check)
{
	bg_judge_pam(&check->judge, &check->conf);
}

void bg_check_login(struct bg_check *check)
{
	bg_judge_timeout(&check->judge);
}

/* Like the hosts of PAM: loaded at once, all symbols or none. In a child, for a damaged file may
   kill who maps it. */
_Noreturn static void load_module(const char *path)
{
	static const char *const symbols[] = { "pam_sm_authenticate", "pam_sm_setcred",
		"pam_sm_acct_mgmt", "pam_sm_open_session", "pam_sm_close_session" };
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!module)
		_exit(1);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (!dlsym(module, symbols[i]))
			_exit(2);
	_exit(0);
}

void bg_check_module(struct bg_check *check)
{
	char path[BG_TREE_PATH_LEN];
	int status = 0;
	pid_t pid;

	if (!bg_module_find(&check->tree, path, sizeof(path)))
		return; /* said by pam */
	pid = fork();
	if (pid == 0) {
		(void)alarm(TIMEOUT_SECS);
		load_module(path);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		WEXITSTATUS(status) != 0)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"apt-get install --reinstall libpam-breakglass; dpkg -V libpam-breakglass",
			"%s cannot be loaded: the account is shut", path);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "%s loads", path);
}

/* The kernel's part; that pam_loginuid sets it is PAM's. */
void bg_check_audit(struct bg_check *check)
{
	if (access("/proc/self/sessionid", R_OK) != 0 || access("/proc/self/loginuid", R_OK) != 0)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"boot a kernel with audit (no audit=0)",
			"no audit session ids here: sudo and su are refused inside a session");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "audit session ids are there");
}

static bool is_program(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 0122) == 0100;
}

void bg_check_limits(struct bg_check *check)
{
	if (!is_program(bg_tree_path(&check->tree, BG_PATH_WATCHDOG)))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"apt-get install --reinstall libpam-breakglass",
			"%s is missing, not root's or not a program: only logind, where it is, "
			"ends a session at its deadline",
			BG_PATH_WATCHDOG);
	else if (check->tree.is_host && !bg_group_is_usable())
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"mount cgroup2 at /sys/fs/cgroup for writing (a container: let it have its "
			"own)",
			"no control groups of version 2 that can be written: processes that fork "
			"all the time may outlive a session");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"the watchdog that ends sessions is there");
}

void bg_check_helper(struct bg_check *check)
{
	struct bg_passwd user;
	struct bg_diag diag = { 0 };

	if (!is_program(bg_tree_path(&check->tree, BG_PATH_FIDO2)))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"apt-get install --reinstall bg-unlock",
			"%s is missing, not root's or not a program: no key in the host can be "
			"asked",
			BG_PATH_FIDO2);
	else if (bg_passwd_find_in(bg_tree_path(&check->tree, "/etc/passwd"), BG_HELPER_USER, &user,
			 &diag) != BG_OK)
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"systemd-sysusers /usr/lib/sysusers.d/bg-unlock.conf",
			"no user " BG_HELPER_USER ": the helper has nobody to become");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "the helper and its user are there");
}

void bg_check_account(struct bg_check *check)
{
	if (check->host.uid)
		bg_judge_account(&check->judge, check->account, &check->host);
}

void bg_check_ssh(struct bg_check *check)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;
	char line[400];

	if (check->seal.key_count == 0 || !bg_conf_is_door(&check->conf, "sshd"))
		return;
	err = bg_judge_ssh_run(NULL, check->account, text, sizeof(text), &diag);
	if (err == BG_ERR_NOENT) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"take sshd out of breakglass.conf's services if it is meant",
			"no sshd here");
		return;
	}
	if (err) {
		bg_diag_format(&diag, err, line, sizeof(line));
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"correct it: sshd will not start with it", "%s", line);
		return;
	}
	bg_judge_ssh(&check->judge, text, check->account, bg_ssh_has_keys(&check->seal));
}

void bg_check_ssh_keys(struct bg_check *check)
{
	if (check->seal.key_count != 0)
		bg_judge_ssh_keys(&check->judge, &check->seal);
}

static bool runs(const char *const argv[])
{
	int status = 0;

	return bg_program_run(argv, NULL, TIMEOUT_SECS, text, sizeof(text), &status, NULL) ==
		       BG_OK &&
	       status == 0;
}

void bg_check_sudo(struct bg_check *check)
{
	const char *const visudo[] = { "/usr/sbin/visudo", "-c", NULL };
	const char *const list[] = { "/usr/bin/sudo", "-n", "-l", "-U", check->account, NULL };

	if (!check->host.uid)
		return;
	if (access(list[0], X_OK) != 0)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"apt-get install sudo, or rely on su -",
			"no sudo here: su - is the only way to root inside the session, and only "
			"for role full");
	else if (!runs(visudo))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"visudo -c names the line; until then su - is the only way to root",
			"sudoers is broken");
	else
		bg_judge_sudo_list(check, runs(list) ? text : "");
}

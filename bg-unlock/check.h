/* SPDX-License-Identifier: BSD-2-Clause */
/* `check`: a table of looks at the host; each adds its findings. Nothing is changed. */
#ifndef BG_UNLOCK_CHECK_H
#define BG_UNLOCK_CHECK_H

#include "judge.h"

#include <breakglass/sources.h>
#include <time.h>

#define BG_FINDINGS_MAX 1024 /* some forty accounts; the last one says how many more */

struct bg_check_finding {
	enum bg_level level;
	char name[BG_ACCOUNT_LEN + 24]; /* "ACCOUNT/seal" or "pam" */
	char text[400];
	char todo[320];
};

struct bg_check {
	struct bg_tree tree;
	struct bg_crypto *crypto;
	struct bg_judge judge; /* its findings come here, under the name of the row */
	struct bg_conf conf;
	/* of the account being looked at */
	char account[BG_PAM_NAME_LEN + 1];
	struct bg_host host;
	struct bg_seal seal; /* key_count 0: it could not be read */
	/* of all */
	const char *row;
	char label[BG_HOST_LABEL_LEN + 1]; /* of this host, as the first account has it */
	unsigned int accounts;		   /* looked at so far */
	size_t count, dropped;
	struct bg_check_finding findings[BG_FINDINGS_MAX];
};

typedef void bg_check_fn(struct bg_check *check);

struct bg_check_row {
	const char *name;
	bg_check_fn *run;
	bool is_host_only; /* asks programs or the kernel: not under --root */
};

/* Looks at the seal: files and modes; who; when. */
bg_check_fn bg_check_files, bg_check_keys, bg_check_quorum, bg_check_expiry, bg_check_contacts;
/* Looks at the ways in and to root. */
bg_check_fn bg_check_account, bg_check_ssh, bg_check_ssh_keys, bg_check_sudo, bg_check_own_ssh,
	bg_check_groups, bg_check_sudo_stack, bg_check_role, bg_check_recording, bg_check_lookup,
	bg_check_root, bg_check_faillock, bg_check_access, bg_check_succession, bg_check_key_use;
/* Looks at the lock of `revoke --lock`. */
bg_check_fn bg_check_lock;
/* Looks at what the log says is owed. */
bg_check_fn bg_check_reviews;
/* Looks at the host. */
bg_check_fn bg_check_conf, bg_check_pam, bg_check_module, bg_check_login, bg_check_names,
	bg_check_audit, bg_check_helper, bg_check_limits, bg_check_log, bg_check_journal,
	bg_check_runuser, bg_check_doors, bg_check_alerts, bg_check_nologin, bg_check_vetoes,
	bg_check_disk, bg_check_permissions, bg_check_clock, bg_check_bypass, bg_check_accounts;

/* Looks at the people: when it was last practised. */
bg_check_fn bg_check_drill;

/* The sources of a database in nsswitch.conf, "" where there is none. */
void bg_check_sources(
	struct bg_check *check, const char *database, char ret[static BG_SOURCES_LEN]);

/* A finding if records have not been taken from /run for minutes. */
void bg_check_carried(struct bg_check *check);
/* Is no alert behind `done` (the last one that the handler took) waiting for minutes? Else a
 * finding.
 */
bool bg_check_handed(struct bg_check *check, const char *handler, uint64_t done);
/* The newest record of the log: when it was made, and whether in this boot. False: there is none
   that has a time. */
bool bg_check_newest(const struct bg_check *check, time_t *ret_time, bool *ret_is_of_boot);

/* check_print.c */
enum bg_level bg_check_worst(const struct bg_check *check);
/* is_terminal: for a person; else each finding is one line. */
void bg_check_print_text(const struct bg_check *check, bool is_terminal);
void bg_check_print_json(const struct bg_check *check);

/* Writes the findings as metrics, atomically. status: check's own. */
BG_CHECKED enum bg_err bg_check_prometheus(
	const struct bg_check *check, int status, const char *path, struct bg_diag *diag);

/* Is there room for mib MiB at path? If not, a finding of that level with the effect. */
bool bg_check_room(struct bg_check *check, const char *path, unsigned int mib, enum bg_level level,
	const char *effect);
/* What `sudo -l` says of the account, against its role. */
void bg_judge_sudo_list(struct bg_check *check, const char *list);

/* Records CHECK_FAILED if a row has become critical that was not at the last call. */
BG_CHECKED enum bg_err bg_check_announce(const struct bg_check *check, struct bg_diag *diag);

/* Gives every handler an alert that says that it is a test, and prints who takes it. A level. */
int bg_check_try_alerts(void);

#endif

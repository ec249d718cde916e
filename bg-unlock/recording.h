/* SPDX-License-Identifier: BSD-2-Clause */
/* What keeps the commands of an account's sessions, beside our own log: the audit system's rules.
 */
#ifndef BG_UNLOCK_RECORDING_H
#define BG_UNLOCK_RECORDING_H

#include "install.h"

#define BG_AUDITCTL  "/usr/sbin/auditctl"
#define BG_AUDIT_DIR "/etc/audit/rules.d"

#define BG_PATH_TLOG_REC "/usr/bin/tlog-rec"
#define BG_PATH_TLOG	 "/usr/libexec/breakglass/breakglass-tlog"

/* A template with account and uid put in; ret: BG_SMALL_LEN bytes. */
void bg_recording_fill(const char *template, const char *account, uint32_t uid, char *ret);

/* The audit system's rules. */
void bg_audit_path(const char *account, char ret[static BG_TREE_PATH_LEN]);
/* How many of its rules `list`, the output of auditctl -l, has; *ret_all: how many there are. */
unsigned int bg_audit_count_loaded(const char *list, const char *account, unsigned int *ret_all);
/* Places and loads the rules. What does not work is told and stops nothing: an account without them
   is better than none. */
void bg_install_audit(struct bg_tree *tree, const char *account, uint32_t uid);
/* Takes them back, from the kernel too. */
BG_CHECKED enum bg_err bg_uninstall_audit(
	struct bg_tree *tree, const char *account, struct bg_diag *diag);

/* The line of /etc/profile.d that has tlog record the account's terminals. */
void bg_tlog_path(const char *account, char ret[static BG_TREE_PATH_LEN]);

/* What is wanted is made so, the rest is taken back. sudo's is in its own file (install_role.c). */
BG_CHECKED enum bg_err bg_install_recording(struct bg_tree *tree, const char *account, uint32_t uid,
	unsigned int recording, struct bg_diag *diag);
/* Takes back all but those of `recording`. */
BG_CHECKED enum bg_err bg_uninstall_recording(
	struct bg_tree *tree, const char *account, unsigned int recording, struct bg_diag *diag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What keeps the commands of an account's sessions, beside our own log: the audit system's rules.
 */
#ifndef BG_UNLOCK_RECORDING_H
#define BG_UNLOCK_RECORDING_H

#include "install.h"

#define BG_AUDITCTL  "/usr/sbin/auditctl"
#define BG_AUDIT_DIR "/etc/audit/rules.d"

void bg_audit_path(const char *account, char ret[static BG_TREE_PATH_LEN]);
/* What that file holds; ret: BG_SMALL_LEN bytes. */
void bg_audit_text(const char *account, uint32_t uid, char *ret);
/* How many of its rules `list`, the output of auditctl -l, has; *ret_all: how many there are. */
unsigned int bg_audit_count_loaded(const char *list, const char *account, unsigned int *ret_all);

/* Places and loads the rules. What does not work is told and stops nothing: an account without them
   is better than none. */
void bg_install_audit(struct bg_tree *tree, const char *account, uint32_t uid);
/* Takes them back, from the kernel too. */
BG_CHECKED enum bg_err bg_uninstall_audit(
	struct bg_tree *tree, const char *account, struct bg_diag *diag);

#endif

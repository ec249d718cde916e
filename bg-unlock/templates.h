/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of the files in data/ that install places; @ACCOUNT@ stands for the account. */
#ifndef BG_UNLOCK_TEMPLATES_H
#define BG_UNLOCK_TEMPLATES_H

extern const char template_sshd_global_conf[];
extern const char template_sshd_account_conf[];
extern const char template_sshd_keys_conf[];
extern const char template_sshd_keyless_conf[];
extern const char template_sudoers[]; /* of the roles */
extern const char template_sudoers_identity[];
extern const char template_sudoers_read_only[];
extern const char template_sudoers_record[];  /* behind one of them */
extern const char template_audit_rules[];     /* @UID@: the account's */
extern const char template_profile_tlog_sh[]; /* the same */
extern const char template_breakglass_conf[];
extern const char template_own_sshd_conf[];
extern const char template_breakglass_sshd_pam[];
extern const char template_breakglass_sudo_pam[];
extern const char template_ssh_service_conf[];

#endif

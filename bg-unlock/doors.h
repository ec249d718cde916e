/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The own doors: breakglass-sshd.service and breakglass-console@TTY.service.
 * Which of them a host has is in its record (/etc/breakglass/installed), so that a
 * later install keeps them and uninstall gives back what they took.
 */
#ifndef BG_UNLOCK_DOORS_H
#define BG_UNLOCK_DOORS_H

#include "judge.h"

#define BG_OWN_SSHD	 "/usr/libexec/breakglass/breakglass-sshd"
#define BG_OWN_FOLDER	 "/etc/breakglass/sshd"
#define BG_OWN_CONFIG	 BG_OWN_FOLDER "/sshd_config"
#define BG_OWN_KEY	 BG_OWN_FOLDER "/ssh_host_ed25519_key"
#define BG_OWN_KNOWN	 BG_OWN_FOLDER "/known_hosts"
#define BG_OWN_PAM	 "/etc/pam.d/breakglass-sshd"
#define BG_OWN_PORT	 "922"
#define BG_OWN_UNIT	 "breakglass-sshd.service"
#define BG_SUDO_PAM	 "/etc/pam.d/breakglass-sudo"
#define BG_SSH_DROP_IN	 "/etc/systemd/system/ssh.service.d/60-breakglass.conf"
#define BG_UNIT_NAME_LEN 64

/* Takes the value of one --door: "sshd" or "console=TTY" (which brings sshd along). The exit
   status, error printed. */
BG_CHECKED int bg_door_add(struct bg_doors *doors, const char *value);
/* The same without a word, for the record. */
bool bg_door_parse(struct bg_doors *doors, const char *value);

/* Runs systemctl VERB UNIT, below the root of the tree. ret_status: its exit status (0 for
   is-enabled and is-active: yes). text: size bytes, what it said. */
BG_CHECKED enum bg_err bg_systemctl(const struct bg_tree *tree, const char *verb, const char *unit,
	int *ret_status, char *text, size_t size, struct bg_diag *diag);
bool bg_systemctl_is(const struct bg_tree *tree, const char *verb, const char *unit);
/* Is there a systemd to talk to, not only its files? */
bool bg_systemd_runs(const struct bg_tree *tree);

void bg_console_unit(const char *tty, char ret[static BG_UNIT_NAME_LEN]);
/* The login that a distribution puts on tty. */
void bg_getty_unit(const char *tty, char ret[static BG_UNIT_NAME_LEN]);

/* The console part: takes tty from its getty and starts our unit there, and back. The record is
   saved by the caller. */
BG_CHECKED enum bg_err bg_console_install(
	struct bg_tree *tree, struct bg_record *record, const char *tty, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_console_uninstall(
	struct bg_tree *tree, struct bg_record *record, const char *tty, struct bg_diag *diag);

/* /etc/pam.d/other, which libpam reads for every service: its whole-file includes, of which a
   missing one shuts every service, become includes by type, and back. */
BG_CHECKED enum bg_err bg_install_other(struct bg_tree *tree, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_uninstall_other(struct bg_tree *tree, struct bg_diag *diag);
/* Does it include a whole file? */
bool bg_other_is_fragile(const struct bg_tree *tree);

/* Starts, stops or reloads a unit if there is a systemd: named, then done. */
BG_CHECKED enum bg_err bg_unit_enable(struct bg_tree *tree, const char *unit, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_unit_disable(
	struct bg_tree *tree, const char *unit, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_unit_do(
	struct bg_tree *tree, const char *verb, const char *unit, struct bg_diag *diag);

/* Does whoever listens on the port show the key that the console's client will ask for? sshd starts
   also where only one of its two addresses is free. */
void bg_judge_own_answer(const struct bg_judge *judge);

/* "SHA256:..." of the host key; false where there is none. */
bool bg_own_fingerprint(const struct bg_tree *tree, char ret[static 64]);

#endif

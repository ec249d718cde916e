/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is right and what is not on a host, read and never changed: for `check`,
 * which lists it all, and for `install`, which will not go on where one of them
 * is critical. A finding is one line; `todo` is what a person does about it.
 */
#ifndef BG_UNLOCK_JUDGE_H
#define BG_UNLOCK_JUDGE_H

#include "install.h"

enum bg_level { BG_LEVEL_OK, BG_LEVEL_WARNING, BG_LEVEL_CRITICAL };

struct bg_judge {
	const struct bg_tree *tree;
	/* todo: NULL where nothing is to be done; of BG_LEVEL_OK: what may be, if somebody
	   minds. In an account's rows @ACCOUNT@ stands for its name there, @SEAL@ for the file of
	   its seal. Borrowed texts. */
	void (*found)(void *arg, enum bg_level level, const char *text, const char *todo);
	void *arg;
};

/* One finding. */
void bg_judge_say(const struct bg_judge *judge, enum bg_level level, const char *todo,
	const char *fmt, ...) BG_PRINTF(4, 5);

/* Collects what is critical: a judge->found whose arg is one of these. */
struct bg_first_critical {
	enum bg_err err; /* BG_OK: nothing is */
	char text[512], todo[512];
};
void bg_judge_first(void *arg, enum bg_level level, const char *text, const char *todo);

/* The lines of common-*, that the doors include them, and that the module is there and whole. */
void bg_judge_pam(const struct bg_judge *judge, const struct bg_conf *conf);
/* Where the module's file is. */
bool bg_module_find(const struct bg_tree *tree, char *ret, size_t size);

/* sshd's own view of account: the output of `sshd -T -C user=...` in text. has_keys:
   bg_ssh_has_keys() of the seal in force. */
void bg_judge_ssh(
	const struct bg_judge *judge, const char *text, const char *account, bool has_keys);
/* Is the account's authorized_keys what its seal says? */
void bg_judge_ssh_keys(const struct bg_judge *judge, const struct bg_seal *seal);
/* Runs it on the host, of this configuration (NULL: sshd's usual one). ret: size bytes.
   BG_ERR_NOENT: no sshd here. */
BG_CHECKED enum bg_err bg_judge_ssh_run(
	const char *config, const char *account, char *ret, size_t size, struct bg_diag *diag);
/* Does a list (AllowUsers, DenyGroups ...) of that output name it? false also when it is not set;
 *ret_is_set tells. */
bool bg_judge_ssh_names(const char *text, const char *keyword, const char *name, bool *ret_is_set);

/* The account's lines of passwd and shadow. */
struct bg_shadow {
	bool is_locked;
	long expires; /* days since 1970; -1: never */
};
BG_CHECKED enum bg_err bg_shadow_find(const struct bg_tree *tree, const char *account,
	struct bg_shadow *ret, struct bg_diag *diag);
void bg_judge_account(
	const struct bg_judge *judge, const char *account, const struct bg_host *host);

/* Seconds of LOGIN_TIMEOUT in login.defs; *ret_line (may be NULL) its place in text. */
long bg_timeout_of(char *text, char **ret_line);
void bg_judge_timeout(const struct bg_judge *judge);

#endif

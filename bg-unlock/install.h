/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What install and uninstall share: the tree that they work on (this host, or a
 * folder that holds a system, --root), the changes, each named before it is
 * made, and the record of what was there before. A file is only ever replaced
 * or removed if install placed it; what it was placed from is in data/.
 */
#ifndef BG_UNLOCK_INSTALL_H
#define BG_UNLOCK_INSTALL_H

#include <breakglass/conf.h>
#include <breakglass/err.h>
#include <breakglass/ini.h>
#include <breakglass/os_passwd.h>
#include <breakglass/seal.h>

#include <stdbool.h>
#include <sys/types.h>

#define BG_TREE_PATH_LEN 160
#define BG_SMALL_LEN	 8192 /* bytes of a file that install places */

struct bg_tree {
	bool is_host;	 /* else the working directory is the root of the tree */
	bool is_dry;	 /* name the changes, make none */
	bool is_quiet;	 /* make them, name none */
	bool is_all;	 /* every account goes: what is one for all of them goes too */
	char root[4096]; /* absolute, for shadow's --prefix; "/" on the host */
	unsigned int changes;
	char reason[512],
		hint[512]; /* why a step gave up, where a diagnostic is too short for it */
};

/* root NULL: this host, which takes root's rights. Changes the working directory. The
   exit status, error printed. */
BG_CHECKED int bg_tree_open(struct bg_tree *ret, const char *root, bool is_dry);
/* path of the host as this tree's: as it is, or relative. Static or path's own storage. */
const char *bg_tree_path(const struct bg_tree *tree, const char *path);
/* Names one change on stdout: "did: ..." or "would: ...". */
void bg_tree_say(struct bg_tree *tree, const char *fmt, ...) BG_PRINTF(2, 3);

/* Keeps why a step gives up and what to do about it; returns BG_ERR_STATE. */
enum bg_err bg_tree_refuse(struct bg_tree *tree, const char *hint, const char *fmt, ...)
	BG_PRINTF(3, 4);
/* Runs a program (as bg_program_run, for a minute at most); one that says no is a refusal with the
   first line of what it said. */
BG_CHECKED enum bg_err bg_tree_run(struct bg_tree *tree, const char *const argv[],
	const char *input, const char *hint, struct bg_diag *diag);
/* Prints the reason kept, or err with diag and hint; the exit status. */
int bg_tree_fail(
	struct bg_tree *tree, enum bg_err err, const struct bg_diag *diag, const char *hint);

/* A file of the tree, as bg_file_read. */
BG_CHECKED enum bg_err bg_tree_read(const struct bg_tree *tree, const char *path, char *buf,
	size_t size, size_t *ret_len, struct bg_diag *diag);
bool bg_tree_has(const struct bg_tree *tree, const char *path);
/* Makes path hold data with this mode (0: the mode that it has); nothing is done or said where it
 * does already. */
BG_CHECKED enum bg_err bg_tree_write(struct bg_tree *tree, const char *path, mode_t mode,
	const char *data, size_t len, struct bg_diag *diag);
/* The same for a file from data/: BG_ERR_DUPLICATE where somebody else's file is in its place. */
BG_CHECKED enum bg_err bg_tree_place(struct bg_tree *tree, const char *path, mode_t mode,
	const char *text, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_tree_folder(
	struct bg_tree *tree, const char *path, mode_t mode, struct bg_diag *diag);
/* Removes a file; one that is not there is fine. */
BG_CHECKED enum bg_err bg_tree_remove(struct bg_tree *tree, const char *path, struct bg_diag *diag);
/* Removes a file that bg_tree_place placed; another's stays, with a note. */
BG_CHECKED enum bg_err bg_tree_take_back(
	struct bg_tree *tree, const char *path, struct bg_diag *diag);

/* What a placed file looked like before. */
struct bg_saved {
	char path[BG_TREE_PATH_LEN];
	bool was_there;
	mode_t mode;
	size_t len;
	char text[BG_SMALL_LEN];
};
BG_CHECKED enum bg_err bg_tree_save(const struct bg_tree *tree, const char *path, mode_t mode,
	struct bg_saved *ret, struct bg_diag *diag);
/* Puts it back as it was, without a word. */
BG_CHECKED enum bg_err bg_tree_restore(
	struct bg_tree *tree, const struct bg_saved *saved, struct bg_diag *diag);

/* A template with the account put in; text: BG_SMALL_LEN bytes. */
void bg_template_fill(const char *template, const char *account, char *ret);

/* The own doors of a host: doors.h. */
#define BG_CONSOLES_MAX 8
#define BG_DOOR_TTY_LEN 20
struct bg_doors {
	bool has_sshd;
	size_t console_count, getty_count;
	char consoles[BG_CONSOLES_MAX][BG_DOOR_TTY_LEN + 1];
	char gettys[BG_CONSOLES_MAX]
		   [BG_DOOR_TTY_LEN + 1]; /* taken from: the terminal, "+": it was running */
};

/* accounts/NAME/installed and /etc/breakglass/installed: what install found. */
struct bg_record {
	bool is_account_made; /* of an account: useradd by install */
	bool has_timeout;     /* of the host: LOGIN_TIMEOUT was changed ... */
	char timeout[256];    /* ... from this line of login.defs, "" from none */
	struct bg_doors doors;
};
/* account NULL: the host's. All false where there is no record. */
BG_CHECKED enum bg_err bg_record_load(const struct bg_tree *tree, const char *account,
	struct bg_record *ret, struct bg_diag *diag);
/* One that says nothing is removed. */
BG_CHECKED enum bg_err bg_record_save(struct bg_tree *tree, const char *account,
	const struct bg_record *record, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_record_drop(
	struct bg_tree *tree, const char *account, struct bg_diag *diag);

/* accounts/NAME/FILE (file "": the folder). */
void bg_account_path(const char *account, const char *file, char ret[static BG_TREE_PATH_LEN]);
/* The host file of account. BG_ERR_NOENT: no seal is in force. */
BG_CHECKED enum bg_err bg_account_host(
	const struct bg_tree *tree, const char *account, struct bg_host *ret, struct bg_diag *diag);
/* The seal that this host file puts in force. */
BG_CHECKED enum bg_err bg_account_seal(struct bg_crypto *crypto, const struct bg_tree *tree,
	const struct bg_host *host, struct bg_seal *ret, struct bg_diag *diag);
/* What the account of this host may as root, for events about it; NULL: not known. */
const char *bg_account_role(const char *account, char ret[static BG_ROLE_LEN + 1]);
/* Calls each for every folder below accounts/ whose name an account may have. */
BG_CHECKED enum bg_err bg_account_each(
	const struct bg_tree *tree, enum bg_err (*each)(void *arg, const char *account), void *arg);

/* The steps. Each makes its part so, whatever was done before, and can be repeated. A failure's
   diagnostic says what to do where err's text alone would not. */
BG_CHECKED enum bg_err bg_install_account(
	struct bg_tree *tree, const char *account, uint32_t *ret_uid, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_install_pam(struct bg_tree *tree, struct bg_diag *diag);
/* The keys file too. */
BG_CHECKED enum bg_err bg_install_ssh(
	struct bg_tree *tree, const struct bg_seal *seal, struct bg_diag *diag);
/* Puts back what bg_install_ssh found, where a later step gave up; says so. */
void bg_install_ssh_back(struct bg_tree *tree);
BG_CHECKED enum bg_err bg_install_sudo(struct bg_tree *tree, const char *account, const char *role,
	bool is_recorded, struct bg_diag *diag);
/* Puts the account's lines for sudo back as bg_install_sudo found them. */
void bg_install_sudo_back(struct bg_tree *tree);
void bg_sudoers_path(const char *account, char ret[static BG_TREE_PATH_LEN]);
/* What the file holds for role, with I/O logs if recorded; ret: BG_SMALL_LEN bytes. */
void bg_sudoers_text(const char *account, const char *role, bool is_recorded, char *ret);
BG_CHECKED enum bg_err bg_install_timeout(struct bg_tree *tree, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_install_runuser(struct bg_tree *tree, struct bg_diag *diag);

/* The own doors that the host has and those that are wanted besides. */
BG_CHECKED enum bg_err bg_install_doors(struct bg_tree *tree, const char *account,
	const struct bg_doors *wanted, struct bg_diag *diag);

BG_CHECKED enum bg_err bg_uninstall_account(
	struct bg_tree *tree, const char *account, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_uninstall_ssh(
	struct bg_tree *tree, const char *account, bool is_last, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_uninstall_sudo(
	struct bg_tree *tree, const char *account, bool is_last, struct bg_diag *diag);
/* has_key_stay: another install finds the host key again. */
BG_CHECKED enum bg_err bg_uninstall_doors(struct bg_tree *tree, const char *account, bool is_last,
	bool has_key_stay, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_uninstall_timeout(struct bg_tree *tree, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_uninstall_runuser(struct bg_tree *tree, struct bg_diag *diag);

enum bg_undo {
	BG_UNDO_ALL_BUT_SEALS,
	BG_UNDO_WAYS_ONLY, /* the account, its seal and host file stay, ready for install */
	BG_UNDO_PURGE	   /* the seals too */
};
/* Everything that install made for account, the last first. Goes on after an error and returns the
   first. */
BG_CHECKED enum bg_err bg_undo(
	struct bg_tree *tree, const char *account, enum bg_undo undo, struct bg_diag *diag);

/* The seal at path against what is in force: reads, verifies, asks. The exit status. */
struct bg_candidate {
	struct bg_seal seal;
	char text[BG_INI_FILE_LEN + 1];
	size_t len;
	bool is_first;			   /* no seal of this account is in force yet */
	bool is_in_force;		   /* it is this one */
	struct bg_host host;		   /* in force, unless is_first */
	char changes[BG_CHANGES_TEXT_LEN]; /* a successor: who stays, leaves and comes */
};
/* is_recorded: a signature that does not verify is an alert, not only an error. */
BG_CHECKED int bg_candidate_read(
	struct bg_crypto *crypto, const char *path, bool is_recorded, struct bg_candidate *ret);
/* fingerprint: NULL to ask at the terminal. */
BG_CHECKED int bg_candidate_judge(struct bg_crypto *crypto, const struct bg_tree *tree,
	struct bg_candidate *candidate, const char *fingerprint, bool is_keys_lost);

#endif

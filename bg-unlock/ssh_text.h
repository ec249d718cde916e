/* SPDX-License-Identifier: BSD-2-Clause */
/* What sshd is told about an emergency account, for whichever sshd: texts only, no effects. */
#ifndef BG_UNLOCK_SSH_TEXT_H
#define BG_UNLOCK_SSH_TEXT_H

#include "install.h"

#include <breakglass/seal.h>

/* Does the seal let a security key at the client's side prove itself to sshd? */
bool bg_ssh_has_keys(const struct bg_seal *seal);

/* The `Match User` block of account, with its comment; ret: BG_SMALL_LEN bytes. More lines may
   follow. has_keys: bg_ssh_has_keys(). Returns its length. */
size_t bg_ssh_match_text(const char *account, bool has_keys, char *ret);

/* The account's authorized_keys: its path, and its text from the seal; ret: BG_SMALL_LEN bytes. */
void bg_ssh_keys_path(const char *account, char ret[static BG_TREE_PATH_LEN]);
void bg_ssh_keys_text(const struct bg_seal *seal, char *ret);
/* Places that file, or takes it away where the seal has no such keys. */
BG_CHECKED enum bg_err bg_ssh_keys_place(
	struct bg_tree *tree, const struct bg_seal *seal, struct bg_diag *diag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sshd tells PAM of the methods that a login has passed so far: the
 * variable SSH_AUTH_INFO_0 of the PAM environment, a line for each (sshd(8)).
 */
#ifndef BREAKGLASS_SSHAUTH_H
#define BREAKGLASS_SSHAUTH_H

#include <breakglass/ssh_key.h>

/* Reads "publickey TYPE BASE64\n", one line and nothing else, of a security key's key as
   bg_ssh_key_is_good has it, and gives "TYPE BASE64", terminated. BG_ERR_WRONG_KIND (another
   method), BG_ERR_SYNTAX (anything else); diag says what is wrong. */
BG_CHECKED enum bg_err bg_sshauth_parse(
	const char *text, size_t len, char ret[static BG_SSH_KEY_LEN], struct bg_diag *diag);

#endif

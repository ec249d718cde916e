/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public half of a security key as ssh writes it: "TYPE BASE64 COMMENT", one line
 * (sshd(8), AUTHORIZED_KEYS FILE FORMAT). A seal holds TYPE and BASE64, one space
 * between: exactly what SSH_AUTH_INFO_0 says of a key that sshd accepted.
 */
#ifndef BREAKGLASS_SSH_KEY_H
#define BREAKGLASS_SSH_KEY_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <stddef.h>

#define BG_SSH_KEY_LEN 512 /* with NUL */

/* Is text "TYPE BASE64" and nothing more: TYPE sk-ssh-ed25519@openssh.com or
   sk-ecdsa-sha2-nistp256@openssh.com; BASE64 canonical (RFC 4648 section 4); in it the same type, a
   public key of the type's size and an application, and no byte after (OpenSSH's PROTOCOL.u2f,
   "SSH U2F Key formats")? Its length is below BG_SSH_KEY_LEN. */
bool bg_ssh_key_is_good(const char *text);

/* Takes such a line, len bytes: blanks and one line end after it and a comment are dropped, nothing
   may stand before it. BG_ERR_WRONG_KIND (certificate, private key, no security key's key),
   BG_ERR_SYNTAX (anything else); diag says what it is. */
BG_CHECKED enum bg_err bg_ssh_key_parse(
	const char *text, size_t len, char ret[static BG_SSH_KEY_LEN], struct bg_diag *diag);

#endif

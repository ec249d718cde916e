/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a verb is given. Each function prints its error and returns the exit status. */
#ifndef BG_UNLOCK_LOAD_H
#define BG_UNLOCK_LOAD_H

#include <breakglass/conf.h>

/* A seal, checked with its signature. */
BG_CHECKED int bg_load_seal(struct bg_crypto *crypto, const char *path, struct bg_seal *ret);
/* Contacts at path; NULL: those beside the seal (X.seal -> X.contacts), none is fine. */
BG_CHECKED int bg_load_contacts(const char *path, const char *seal_path, struct bg_contacts *ret);
/* A passphrase's file, its last line end taken off; at most size - 1 bytes. */
BG_CHECKED int bg_load_passphrase(const char *path, char *ret, size_t size);
/* libcrypto; NULL after printing why not. */
struct bg_crypto *bg_load_crypto(void);
/* breakglass.conf's device, "" where there is none. */
void bg_load_device(char *ret, size_t size);
/* Puts ssh keys, each NAME=FILE.pub, into the seal's keys of those names, in place of what was
   there. Refuses two of one name, and one ssh key for two keys. */
BG_CHECKED int bg_load_ssh_keys(const char *const values[], size_t count, struct bg_seal *seal);
/* Says that --option names a key that the seal does not have, and which it has; BG_EXIT_USAGE. */
int bg_load_no_key(
	const struct bg_seal *seal, const char *option, const char *name, const char *hint);
/* Is nothing there yet? BG_EXIT_DONE, or the error printed. */
BG_CHECKED int bg_load_absent(const char *path);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs Debian's age(1), which makes and opens envelopes. The identity goes to it
 * through an anonymous pipe: never an argument, the environment or a file. It has
 * no terminal to ask at, an empty environment, no other descriptors, and dies
 * with its parent.
 *
 * Life: bg_age_decrypt or _encrypt; if that was BG_OK bg_age_finish, whatever
 * happened in between. Two may run at once, one writing into a pipe that the other
 * one reads.
 */
#ifndef BREAKGLASS_OS_AGE_H
#define BREAKGLASS_OS_AGE_H

#include <breakglass/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BG_AGE_WORDS_LEN 512

struct bg_age {
	pid_t pid;		      /* -1: not started */
	int pidfd, says;	      /* its end, and what it says */
	int plain;		      /* what it gives out, where that is collected; else -1 */
	char words[BG_AGE_WORDS_LEN]; /* the beginning of what it said */
	size_t words_len;
};

/* Is age there to be run? */
bool bg_age_is_there(void);
/* Does a file begin as age's do (binary or armored)? fd: at its beginning, and again after. */
bool bg_age_is_file(int fd);

/* Decrypts what is read from in. identity: AGE-SECRET-KEY-1..., terminated. out: where to; -1: to
   be collected by bg_age_collect. BG_ERR_NOENT (no age), BG_ERR_IO. */
BG_CHECKED enum bg_err bg_age_decrypt(
	struct bg_age *ret, const char *identity, int in, int out, struct bg_diag *diag);
/* Encrypts what is read from in, for recipient (age1...). */
BG_CHECKED enum bg_err bg_age_encrypt(
	struct bg_age *ret, const char *recipient, int in, int out, struct bg_diag *diag);

/* Reads all that age gives out, at most size bytes, waiting as bg_age_finish does. BG_ERR_TOO_BIG,
   BG_ERR_TIMEOUT, BG_ERR_IO; bg_age_finish comes after, too. */
BG_CHECKED enum bg_err bg_age_collect(
	struct bg_age *age, char *buf, size_t size, size_t *ret_len, struct bg_diag *diag);
/* Waits for age's end, at most timeout_secs, then kills it. BG_OK: it ended with 0.
   BG_ERR_OTHER_SET: sealed to another recipient; BG_ERR_SYNTAX: damaged; diag->what: age's own
   words; BG_ERR_TIMEOUT, BG_ERR_IO. */
BG_CHECKED enum bg_err bg_age_finish(
	struct bg_age *age, unsigned int timeout_secs, struct bg_diag *diag);

#endif

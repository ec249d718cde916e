/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a person for a security key, its PIN and its touch, through bg-fido2. */
#ifndef BG_UNLOCK_FIDO2_ASK_H
#define BG_UNLOCK_FIDO2_ASK_H

#include "tty.h"

#include <breakglass/fido2.h>

#define BG_FIDO2_TRIES 5

/* Keep it in locked memory. */
struct bg_fido2_ask {
	struct bg_tty *tty;  /* prompts; NULL: none */
	struct bg_tty *pins; /* --pin-stdin: a PIN a line; else NULL */
	const char *device;  /* "" : enumerate */
	struct bg_fido2_request request;
	struct bg_fido2_reply reply;
	char text[BG_TTY_LINE_LEN];
};

/* The pieces: begin a request, name seal's first count keys in it, read the PIN into it (RULES P02:
   an empty one is never sent), run it; the PIN is wiped. */
void bg_fido2_ask_set(struct bg_fido2_ask *ask, enum bg_fido2_op op, const char *rp_id);
void bg_fido2_ask_credentials(struct bg_fido2_ask *ask, const struct bg_seal *seal, size_t count);
BG_CHECKED enum bg_err bg_fido2_ask_pin(struct bg_fido2_ask *ask, const char *prompt);
BG_CHECKED enum bg_err bg_fido2_ask_run(struct bg_fido2_ask *ask, struct bg_diag *diag);
/* Says what err means for the next try; false: trying again does not help, or nobody is there. */
bool bg_fido2_ask_again(struct bg_fido2_ask *ask, enum bg_err err);
/* Prints err for good; several: what to do where several keys are plugged in. The exit status. */
BG_CHECKED int bg_fido2_ask_fail(enum bg_err err, const struct bg_diag *diag, const char *several);

/* Waits for one of seal's keys and has it sign hash; *ret_key is its position, *ret is verified and
   names its credential. */
BG_CHECKED enum bg_err bg_fido2_ask_assert(struct bg_crypto *crypto, struct bg_fido2_ask *ask,
	const struct bg_seal *seal, const uint8_t hash[static BG_SHA256_LEN], size_t *ret_key,
	struct bg_assertion *ret, struct bg_diag *diag);
/* The same without a seal: the one key that is plugged in, by a credential of account in zone
   (account "": any). Nothing is verified: there is no public key. *ret_count: how many credentials
   may be meant, the newest answered. */
BG_CHECKED enum bg_err bg_fido2_ask_discover(struct bg_fido2_ask *ask, const char *zone,
	const char *account, const uint8_t hash[static BG_SHA256_LEN], struct bg_assertion *ret,
	unsigned int *ret_count, struct bg_diag *diag);

#endif

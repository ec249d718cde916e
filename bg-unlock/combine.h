/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of `combine` share: combine.c the verb; combine_plain.c shares
 * without a seal, combine_sealed.c with one; respond.c the response to a request.
 */
#ifndef BG_UNLOCK_COMBINE_H
#define BG_UNLOCK_COMBINE_H

#include "show_request.h"

#include <breakglass/conf.h>

struct bg_combine_options {
	const char *seal, *passphrase_file;
	bool is_stdin, is_reveal;
};

/* In locked memory. */
struct bg_combine {
	struct bg_tty tty;
	struct bg_ask ask;
	struct bg_seal seal;
	struct bg_contacts contacts;
	struct bg_given given[BG_SLIP39_MAX_INPUT];
	struct bg_slip39_share shares[BG_SLIP39_MAX_INPUT];
	struct bg_secret values[BG_SLIP39_MAX_INPUT];
	uint8_t indices[BG_SLIP39_MAX_INPUT];
	size_t count;
	size_t malformed, wrong;
	bool is_counted[BG_CUSTODIANS_MAX]; /* by position in seal */
	char passphrase[256];
	struct bg_secret secret;
	char hex[2 * BG_SECRET_MAX_LEN + 2];

	/* respond.c */
	struct bg_ask_code code;
	struct bg_asked_request request;
	uint16_t exposed; /* bit a member index */
};

/* Prints the secret, at a terminal after a warning and a yes. The exit status, as of all here. */
BG_CHECKED int bg_combine_reveal(struct bg_combine *s);
BG_CHECKED int bg_combine_plain(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o);
BG_CHECKED int bg_combine_sealed(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o);
/* Asks for a request challenge. *ret_is_none: there is none. */
BG_CHECKED int bg_respond_ask(struct bg_crypto *crypto, struct bg_combine *s,
	const struct bg_seal *seal, bool *ret_is_none);
/* The request shown, a yes, the custodians one after the other, the response. */
BG_CHECKED int bg_respond(struct bg_crypto *crypto, struct bg_combine *s);

#endif

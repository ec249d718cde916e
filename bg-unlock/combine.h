/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of `combine` share: combine.c the verb; combine_plain.c shares
 * without a seal, combine_sealed.c with one; respond.c the response to a request;
 * combine_open.c an envelope.
 */
#ifndef BG_UNLOCK_COMBINE_H
#define BG_UNLOCK_COMBINE_H

#include "envelope.h"
#include "pending.h"
#include "show_request.h"

#include <breakglass/conf.h>

struct bg_combine_options {
	const char *seal, *passphrase_file;
	const char *envelope, *out; /* --open, --output */
	bool is_stdin, is_reveal;
};

#define BG_COMBINE_PLAIN_LEN 65536 /* of an envelope that goes to no file */

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

	/* combine_open.c */
	int envelope; /* the file; -1: none */
	char identity[BG_ENVELOPE_IDENTITY_SIZE];
	size_t plain_len;
	char plain[BG_COMBINE_PLAIN_LEN];
};

/* Prints the secret, at a terminal after a warning and a yes. The exit status, as of all here. */
BG_CHECKED int bg_combine_reveal(struct bg_combine *s);
/* To standard output, never through stdio. */
BG_CHECKED int bg_combine_write(const char *p, size_t len);
/* Before a share is asked for: is the envelope there, may its content go where it is to go? */
BG_CHECKED int bg_combine_open_begin(struct bg_combine *s, const struct bg_combine_options *o);
/* Opens it with the quorum that stands. */
BG_CHECKED int bg_combine_open(struct bg_crypto *crypto, struct bg_combine *s,
	const struct bg_combine_options *o, const struct bg_quorum *quorum);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of `reseal` share: reseal.c the verb, reseal_quorum.c the set so far,
   reseal_envelopes.c what was sealed to it. */
#ifndef BG_UNLOCK_RESEAL_H
#define BG_UNLOCK_RESEAL_H

#include "change.h"
#include "deal.h"
#include "enrol.h"
#include "envelope.h"

#define BG_ENVELOPES_MAX 32

struct bg_reseal_options {
	const char *seal, *out, *folder, *contacts, *device;
	const char *ssh_keys[BG_KEYS_MAX]; /* NAME=FILE.pub */
	const char *envelopes[BG_ENVELOPES_MAX];
	size_t ssh_key_count, envelope_count;
	struct bg_change_options change;
	bool is_stdin, is_pin_stdin, is_keys_lost;
};

/* In locked memory. */
struct bg_reseal {
	struct bg_deal deal;
	struct bg_seal old;
	struct bg_contacts contacts; /* of the old set's custodians; deal.contacts: of the new */
	size_t kept_keys;	     /* of deal.seal.keys; those after them are to be enrolled */
	struct bg_tty tty, lines;    /* the terminal; standard input: shares, then the PIN */
	struct bg_ask ask;
	struct bg_fido2_ask enrol;
	struct bg_slip39_share shares[BG_CUSTODIANS_MAX];
	size_t count;
	bool is_counted[BG_CUSTODIANS_MAX];
	bool is_recorded; /* this host's log has that the shares were seen */
	struct bg_secret secret;
	struct bg_quorum quorum; /* of the old set */
	char identity[BG_ENVELOPE_IDENTITY_SIZE];
};

/* Asks for the old set's shares until its threshold is there. The exit status, as of all here. */
BG_CHECKED int bg_reseal_gather(
	struct bg_crypto *crypto, struct bg_reseal *s, const struct bg_reseal_options *o);
/* The old quorum's keys from them. */
BG_CHECKED int bg_reseal_recover(struct bg_crypto *crypto, struct bg_reseal *s);

/* Before anything is asked for: are they envelopes, and is there place beside them? */
BG_CHECKED int bg_reseal_envelopes_check(struct bg_reseal *s, const struct bg_reseal_options *o);
/* Opens each with the old quorum and seals it to the new set, in files without a name, and proves
   that the new set opens it. */
BG_CHECKED int bg_reseal_envelopes_make(struct bg_reseal *s, const struct bg_reseal_options *o);
/* Names them: FILE.EPOCH; recorded on a protected host. */
BG_CHECKED int bg_reseal_envelopes_keep(
	struct bg_crypto *crypto, const struct bg_reseal *s, const struct bg_reseal_options *o);
void bg_reseal_envelopes_drop(const struct bg_reseal_options *o);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set being dealt, by `init` or `reseal`: secret, shares, the seal that names
 * them; shown or written to files, read back, and only then the seal is written.
 */
#ifndef BG_UNLOCK_DEAL_H
#define BG_UNLOCK_DEAL_H

#include "ask.h"

#include <breakglass/conf.h>
#include <breakglass/ini.h>

/* Keep it in locked memory, wipe it after. */
struct bg_deal {
	struct bg_seal seal; /* being built */
	struct bg_contacts contacts;
	bool is_written; /* the seal is, whatever became of the rest: its shares must stay */
	bool may_replace_contacts; /* those beside the seal, which are kept under another name */
	struct bg_secret secret;
	struct bg_quorum quorum;
	struct bg_slip39_share shares[BG_CUSTODIANS_MAX]; /* by position in seal.custodians */
	char text[BG_INI_FILE_LEN + 1];			  /* of the seal: body, then all of it */
	size_t text_len;
	struct bg_ask ask;
	char words[BG_SLIP39_TEXT_LEN + 1];
	char back[BG_SLIP39_TEXT_LEN + 2];
	char screen[4096];
};

/* RFC 3339 UTC of now + days. */
void bg_deal_time(unsigned int days, char ret[static 21]);

/* Draws a secret and deals it: set id, identifier (unlike each in the retired list), custodians'
   indices and public keys, quorum key and recipient. Needs seal's epoch, threshold, strength,
   retired list and custodians' names. */
BG_CHECKED enum bg_err bg_deal_shares(struct bg_crypto *crypto, struct bg_deal *deal);
/* Writes the body of the seal into text. */
BG_CHECKED enum bg_err bg_deal_body(struct bg_deal *deal);
/* Signs the body, appends the signature, reads the whole back as a stranger would and asks whose
   each share is: BG_OK only if each is its custodian's, of the set in force. */
BG_CHECKED enum bg_err bg_deal_seal(
	struct bg_crypto *crypto, struct bg_deal *deal, struct bg_diag *diag);

/* Shows each share alone on the terminal and has it read back. The exit status, reason printed. */
BG_CHECKED int bg_confirm_at_terminal(struct bg_deal *deal, struct bg_tty *tty);
/* Writes DIR/NAME.share, 0600, one a custodian, and reads each back; takes them away if one fails.
 */
BG_CHECKED int bg_confirm_in_folder(struct bg_deal *deal, const char *folder);
/* Is folder there, private, and without a share's file of these custodians? */
BG_CHECKED int bg_confirm_folder_check(const struct bg_deal *deal, const char *folder);
void bg_confirm_remove(const struct bg_deal *deal, const char *folder);

/* Writes the seal at out, and what the ceremony's sheet says to stdout. */
BG_CHECKED int bg_deal_write(struct bg_crypto *crypto, struct bg_deal *deal, const char *out);

/* Numbered words in columns, and the compact form: at most size - 1 bytes, returns how many. */
size_t bg_deal_format(const struct bg_slip39_share *share, char *ret, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request challenge as `approve` and `combine` take it: read, compared with a
 * seal where there is one, shown in words. What is signed afterwards is a digest
 * made from these same fields (RULES S15), never one that came with the code.
 */
#ifndef BG_UNLOCK_SHOW_REQUEST_H
#define BG_UNLOCK_SHOW_REQUEST_H

#include "ask_code.h"

#include <breakglass/challenge.h>

/* Holds no secret. */
struct bg_asked_request {
	struct bg_request_challenge challenge;
	uint8_t digest[BG_SHA256_LEN];
	char id[BG_SHORT_ID_LEN + 1], set[BG_SHORT_ID_LEN + 1];
	const struct bg_seal *seal; /* names custodians; or NULL */
};

/* The request in a challenge's body. seal: NULL, or the one that the request must be of, down to
   every field that the challenge takes from it. The exit status, errors printed. */
BG_CHECKED int bg_request_take(struct bg_crypto *crypto, const uint8_t *body, size_t len,
	const struct bg_seal *seal, struct bg_asked_request *ret);
/* What, where, by whom, why, for how long; what to do before one agrees. At most 14 lines. */
void bg_request_show(struct bg_tty *tty, const struct bg_asked_request *request);
/* The same for somebody who is about to refuse it. */
void bg_request_show_refused(struct bg_tty *tty, const struct bg_asked_request *request);
/* One typed yes; anything else is no. Not shown: people type shares at any prompt. */
bool bg_request_agree(struct bg_tty *tty, const char *prompt, char line[static BG_TTY_LINE_LEN]);

/* Is it a share of the request's set? If so its seed and whose it is ("ops", or "custodian number
   2" without a seal); if not, ret_text says what it is instead. BG_ERR_OTHER_SET, BG_ERR_RETIRED,
   BG_ERR_NOT_A_SHARE. */
#define BG_WHOSE_LEN 128
BG_CHECKED enum bg_err bg_request_share(struct bg_crypto *crypto,
	const struct bg_asked_request *request, const struct bg_given *given,
	struct bg_secret *ret_seed, char ret_text[static BG_WHOSE_LEN]);

/* The request's fields as a JSON object to stdout. */
void bg_request_json(const struct bg_asked_request *request);

#endif

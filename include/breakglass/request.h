/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request: one attempt to open the account, fixed when its reason is given.
 * Its digest is what custodians and quorum sign, so its fields, in this order,
 * are all that an approval covers:
 *
 *   SHA-256 of frame(BG_CTX_REQUEST; purpose text; seal digest; host label;
 *   account; uid u32; key name; holder; reason; session seconds u32; nonce;
 *   service; origin)
 *
 * A touch challenge is what a key answers, fresh each time:
 *
 *   SHA-256 of frame(BG_CTX_TOUCH; nonce (32 bytes); seal digest; host label;
 *   account; service; origin)
 */
#ifndef BREAKGLASS_REQUEST_H
#define BREAKGLASS_REQUEST_H

#include <breakglass/crypto.h>
#include <breakglass/limits.h>

enum bg_purpose { BG_PURPOSE_NONE, BG_PURPOSE_EMERGENCY, BG_PURPOSE_DRILL };

struct bg_request {
	enum bg_purpose purpose;
	uint8_t seal_digest[BG_SHA256_LEN];
	char host_label[BG_HOST_LABEL_LEN + 1];
	char account[BG_ACCOUNT_LEN + 1];
	uint32_t uid;
	char key[BG_NAME_LEN + 1];
	char holder[BG_HOLDER_LEN + 1];
	char reason[BG_REASON_LEN + 1];
	uint32_t session_secs;
	uint8_t nonce[BG_NONCE_LEN];
	char service[BG_SERVICE_LEN + 1];
	char origin[BG_ORIGIN_LEN + 1];
};

/* "emergency" or "drill", as it is signed and shown. */
const char *bg_purpose_text(enum bg_purpose purpose);
/* The digest above. BG_ERR_ARGUMENT: it has no purpose. */
BG_CHECKED enum bg_err bg_request_digest(struct bg_crypto *crypto, const struct bg_request *request,
	uint8_t ret[static BG_SHA256_LEN]);

struct bg_touch {
	uint8_t nonce[BG_TOUCH_NONCE_LEN];
	uint8_t seal_digest[BG_SHA256_LEN];
	char host_label[BG_HOST_LABEL_LEN + 1];
	char account[BG_ACCOUNT_LEN + 1];
	char service[BG_SERVICE_LEN + 1];
	char origin[BG_ORIGIN_LEN + 1];
};

/* The challenge above, which is the assertion's clientDataHash. */
BG_CHECKED enum bg_err bg_touch_digest(
	struct bg_crypto *crypto, const struct bg_touch *touch, uint8_t ret[static BG_SHA256_LEN]);

/* Copies foreign text into a field of max_len + 1 bytes: cut at max_len (at a UTF-8 boundary),
   control characters and invalid bytes replaced by '?'. What a request holds is what is shown. */
void bg_request_text(char *ret, size_t max_len, const char *text);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FIDO2 assertion is checked here, in the module's own process, whatever the
 * helper says (WebAuthn Level 2 section 6.1 and 7.2, CTAP 2.1 section 6.2): RP id hash, UP and UV
 * flags, algorithm, signature over authenticatorData and clientDataHash.
 */
#ifndef BREAKGLASS_ASSERTION_H
#define BREAKGLASS_ASSERTION_H

#include <breakglass/seal.h>

#define BG_AUTHDATA_MAX_LEN	 256
#define BG_ASSERTION_SIG_MAX_LEN 128

struct bg_assertion {
	uint8_t credential[BG_CREDENTIAL_LEN]; /* as the key named it; credential_len 0: not named
						*/
	size_t credential_len;
	uint8_t authdata[BG_AUTHDATA_MAX_LEN]; /* raw, without CBOR framing */
	size_t authdata_len;
	uint8_t sig[BG_ASSERTION_SIG_MAX_LEN]; /* DER for ES256, 64 bytes for EdDSA */
	size_t sig_len;
};

/* BG_OK only when assertion proves key over client_data_hash with UP and UV.
   BG_ERR_ASSERTION (flags, RP id hash, credential, lengths; diag says which), BG_ERR_SIGNATURE. */
BG_CHECKED enum bg_err bg_assertion_verify(struct bg_crypto *crypto, const struct bg_key *key,
	const char *rp_id, const uint8_t client_data_hash[static BG_SHA256_LEN],
	const struct bg_assertion *assertion, struct bg_diag *diag);

#endif

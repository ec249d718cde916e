/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has approved a request. It counts approvals and responses and nothing
 * else; each is checked against the seal when it is added and again when the
 * tally is asked whether it is satisfied, so a tally read from a file that
 * somebody forged opens nothing.
 */
#ifndef BREAKGLASS_TALLY_H
#define BREAKGLASS_TALLY_H

#include <breakglass/seal.h>

enum bg_approval_how { BG_HOW_NONE, BG_HOW_TYPED_HERE, BG_HOW_REMOTE };

struct bg_tally {
	struct {
		enum bg_approval_how how; /* NONE: this custodian has not approved */
		uint8_t sig[BG_ED25519_SIG_LEN];
	} approvals[BG_CUSTODIANS_MAX]; /* by position in seal->custodians */
	bool has_response;
	uint16_t exposed; /* by the response: bit a member index */
	uint8_t response[BG_ED25519_SIG_LEN];
};

/* Signs digest with a custodian's seed, context BG_CTX_APPROVAL (frame(context; digest)). */
BG_CHECKED enum bg_err bg_approval_sign(struct bg_crypto *crypto, const struct bg_secret *seed,
	const uint8_t digest[static BG_SHA256_LEN], uint8_t ret[static BG_ED25519_SIG_LEN]);
/* A custodian's no to a request: the same, context BG_CTX_REFUSAL. It counts for nothing here, and
   ends what it names (bg-unlock revoke --code). */
BG_CHECKED enum bg_err bg_refusal_sign(struct bg_crypto *crypto, const struct bg_secret *seed,
	const uint8_t digest[static BG_SHA256_LEN], uint8_t ret[static BG_ED25519_SIG_LEN]);
/* BG_ERR_SIGNATURE: not this custodian's refusal of digest. */
BG_CHECKED enum bg_err bg_refusal_verify(struct bg_crypto *crypto,
	const struct bg_custodian *custodian, const uint8_t digest[static BG_SHA256_LEN],
	const uint8_t sig[static BG_ED25519_SIG_LEN]);
/* The same for the quorum, context BG_CTX_RESPONSE (frame(context; digest; exposed)). exposed: the
   shares that the combining machine has seen, bit a member index. */
BG_CHECKED enum bg_err bg_response_sign(struct bg_crypto *crypto, const struct bg_secret *sign_seed,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	uint8_t ret[static BG_ED25519_SIG_LEN]);

/* Adds custodian's approval of digest. BG_ERR_SIGNATURE; BG_ERR_DUPLICATE: counted already;
   BG_ERR_STATE: remote, and the seal's policy has no "approve". */
BG_CHECKED enum bg_err bg_tally_add(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], size_t custodian, enum bg_approval_how how,
	const uint8_t sig[static BG_ED25519_SIG_LEN], struct bg_tally *tally);

/* Adds the quorum's response. BG_ERR_SIGNATURE; BG_ERR_STATE: the policy has no "combine". */
BG_CHECKED enum bg_err bg_tally_add_response(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	const uint8_t sig[static BG_ED25519_SIG_LEN], struct bg_tally *tally);

/* How many different custodians' approvals verify (those that the policy allows). */
BG_CHECKED enum bg_err bg_tally_count(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_tally *tally, size_t *ret);

enum bg_verdict { BG_DENIED = 0, BG_SATISFIED = 0x5a7f };
/* BG_SATISFIED only when threshold (2 to 16, or 1 of 1) approvals of different custodians verify,
   or the response does, in ways that the seal's policy allows. Everything else, errors included:
   BG_DENIED. */
enum bg_verdict bg_tally_verdict(struct bg_crypto *crypto, const struct bg_seal *seal,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_tally *tally);

/* "audit, dba" into ret (cut to fit), in the seal's order; "" when none: who approved, and whose
   shares made the response, as it says itself. */
void bg_tally_names(
	const struct bg_seal *seal, const struct bg_tally *tally, char *ret, size_t len);
/* The same for shares that were typed into a machine: here (is_here), or into the one that made the
   response. */
void bg_tally_exposed(const struct bg_seal *seal, const struct bg_tally *tally, bool is_here,
	char *ret, size_t len);

#endif

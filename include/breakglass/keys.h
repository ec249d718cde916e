/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A share is also a key, and so is the quorum secret (DESIGN section 3).
 * Derivation: HKDF-SHA256, IKM = the share's value or the secret, salt = set id,
 * info = frame(context; epoch u32; member index u32 [custodians only]), 32 bytes.
 */
#ifndef BREAKGLASS_KEYS_H
#define BREAKGLASS_KEYS_H

#include <breakglass/crypto.h>
#include <breakglass/limits.h>

/* age1... of an X25519 public key (bech32, BIP 173), 62 characters. */
#define BG_AGE_RECIPIENT_LEN 62

/* The Ed25519 seed of the custodian who holds member_index. ret: secret, 32 bytes. */
BG_CHECKED enum bg_err bg_custodian_seed(struct bg_crypto *crypto, const struct bg_secret *value,
	const uint8_t set_id[static BG_SET_ID_LEN], uint32_t epoch, uint8_t member_index,
	struct bg_secret *ret);

struct bg_quorum {
	struct bg_secret sign_seed; /* Ed25519 */
	struct bg_secret envelope;  /* X25519 scalar */
	uint8_t sign_pub[BG_ED25519_PUB_LEN];
	uint8_t envelope_pub[BG_X25519_PUB_LEN];
};

void bg_quorum_wipe(struct bg_quorum *quorum);
/* Both keys of the quorum secret (16 or 32 bytes). ret: wipe it with bg_quorum_wipe. */
BG_CHECKED enum bg_err bg_quorum_derive(struct bg_crypto *crypto, const struct bg_secret *secret,
	const uint8_t set_id[static BG_SET_ID_LEN], uint32_t epoch, struct bg_quorum *ret);

/* The recipient of the envelope's public half, terminated. */
void bg_age_recipient(
	const uint8_t pub[static BG_X25519_PUB_LEN], char ret[static BG_AGE_RECIPIENT_LEN + 1]);

/* AGE-SECRET-KEY-1... of the envelope's scalar, 74 characters: the identity that opens what is
   sealed to that recipient. ret is as secret as the scalar. BG_ERR_ARGUMENT: not 32 bytes. */
#define BG_AGE_IDENTITY_LEN 74
BG_CHECKED enum bg_err bg_age_identity(
	const struct bg_secret *envelope, char ret[static BG_AGE_IDENTITY_LEN + 1]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seal: who and what opens an account. A text file (breakglass.seal(5))
 * read by ini.h; holds no secret, is kept from strangers, and is signed by the
 * quorum over every byte before `[signature]`.
 *
 * Life: built by a ceremony or parsed from a file; checked; never changed after.
 */
#ifndef BREAKGLASS_SEAL_H
#define BREAKGLASS_SEAL_H

#include <breakglass/crypto.h>
#include <breakglass/framing.h>
#include <breakglass/keys.h>
#include <breakglass/limits.h>
#include <breakglass/ssh_key.h>
#include <stdbool.h>

enum bg_alg { BG_ALG_NONE, BG_ALG_ES256 = -7, BG_ALG_EDDSA = -8 }; /* COSE numbers */

struct bg_custodian {
	char name[BG_NAME_LEN + 1];
	uint8_t index; /* SLIP-39 member index */
	uint8_t pub[BG_ED25519_PUB_LEN];
};

struct bg_key {
	char name[BG_NAME_LEN + 1];
	char holder[BG_HOLDER_LEN + 1];
	char model[BG_MODEL_LEN + 1];
	uint8_t aaguid[16];
	uint8_t credential[BG_CREDENTIAL_LEN]; /* credential_len 0: none, ssh key only */
	size_t credential_len;
	enum bg_alg alg;
	uint8_t pub[64];	  /* ES256: x, y; EdDSA: the first 32 */
	char ssh[BG_SSH_KEY_LEN]; /* "sk-ssh-ed25519@openssh.com AAAA...", or "" */
};

struct bg_retired {
	uint32_t epoch;
	uint8_t set_id[BG_SET_ID_LEN];
	uint16_t slip39_id;
	size_t custodian_count;
	struct bg_custodian custodians[BG_CUSTODIANS_MAX];
};

struct bg_policy {
	uint32_t session_secs; /* 14400; 60 to 86400 */
	uint32_t request_secs; /* 1800; 60 to 86400 */
	uint32_t grant_secs;   /* 60; 10 to 600 */
	bool is_reason_required;
	bool remote_approve, remote_combine, remote_touch, remote_ssh;
	bool is_reentry_by_key; /* reentry = key | no */
	char expires[21];	/* RFC 3339 UTC; warns, never refuses */
};

struct bg_seal {
	uint32_t version; /* 1 */
	char account[BG_ACCOUNT_LEN + 1];
	char zone[BG_ZONE_LEN + 1];
	char created[21]; /* RFC 3339 UTC */
	uint8_t set_id[BG_SET_ID_LEN];
	uint32_t epoch; /* from 1 */
	uint8_t threshold;
	uint32_t strength;  /* 128 or 256 */
	uint16_t slip39_id; /* 15 bits */
	bool has_predecessor;
	uint8_t predecessor[BG_SHA256_LEN]; /* of the whole predecessor's file */
	uint8_t quorum_pub[BG_ED25519_PUB_LEN];
	char recipient[BG_AGE_RECIPIENT_LEN + 1];
	char rp_id[BG_RP_ID_LEN + 1]; /* "breakglass:" zone; checked */
	struct bg_policy policy;
	size_t custodian_count, key_count, retired_count;
	struct bg_custodian custodians[BG_CUSTODIANS_MAX];
	struct bg_key keys[BG_KEYS_MAX];
	struct bg_retired retired[BG_RETIRED_MAX]; /* newest first */

	/* [signature] */
	uint8_t quorum_sig[BG_ED25519_SIG_LEN];
	bool has_endorsement;
	uint8_t predecessor_quorum_sig[BG_ED25519_SIG_LEN];
	char predecessor_key[BG_NAME_LEN + 1]; /* "" : --keys-lost succession */
	uint8_t predecessor_key_authdata[256];
	size_t predecessor_key_authdata_len;
	uint8_t predecessor_key_sig[256];
	size_t predecessor_key_sig_len;

	/* of the file it was read from */
	uint8_t digest[BG_SHA256_LEN]; /* SHA-256 of the whole file */
	size_t body_len;	       /* bytes before `[signature]` */
};

void bg_policy_defaults(struct bg_policy *ret);

/* Parses and checks text: schema, ranges, counts (threshold 1 with several custodians, no
   custodian, no key, threshold above custodians: refused, RULES S16), distinct names, indices,
   public keys, and the quorum's signature over the body. where: for diag.
   BG_ERR_SIGNATURE and everything ini.h returns. */
BG_CHECKED enum bg_err bg_seal_parse(struct bg_crypto *crypto, const char *text, size_t len,
	const char *where, struct bg_seal *ret, struct bg_diag *diag);

/* Writes the body (everything before `[signature]`) as text, terminated. BG_ERR_TOO_BIG. */
BG_CHECKED enum bg_err bg_seal_write_body(
	const struct bg_seal *seal, char *ret, size_t ret_size, size_t *ret_len);
/* Appends `[signature]` from seal's signature fields to a body in buf. */
BG_CHECKED enum bg_err bg_seal_write_signature(
	const struct bg_seal *seal, char *buf, size_t buf_size, size_t *len);

/* A quorum signs body: over frame(context; SHA-256 of the body), context BG_CTX_SEAL (the new
   quorum) or BG_CTX_SUCCESSION_QUORUM (the old one). */
BG_CHECKED enum bg_err bg_seal_sign(struct bg_crypto *crypto, enum bg_context context,
	const struct bg_secret *sign_seed, const char *body, size_t body_len,
	uint8_t ret[static BG_ED25519_SIG_LEN]);
/* Verifies such a signature. BG_ERR_SIGNATURE; BG_ERR_ARGUMENT: any other context. */
BG_CHECKED enum bg_err bg_seal_verify(struct bg_crypto *crypto, enum bg_context context,
	const uint8_t pub[static BG_ED25519_PUB_LEN], const char *body, size_t body_len,
	const uint8_t sig[static BG_ED25519_SIG_LEN]);
/* The FIDO2 challenge (clientDataHash) by which an enrolled key endorses body:
   SHA-256 of frame(BG_CTX_SUCCESSION_KEY; SHA-256 of the body). */
BG_CHECKED enum bg_err bg_seal_key_challenge(struct bg_crypto *crypto, const char *body,
	size_t body_len, uint8_t ret[static BG_SHA256_LEN]);

/* Is next (with its file's text) the rightful successor of prev? Same account and zone; next's
   predecessor is prev's digest; epoch is prev's + 1; endorsed by prev's quorum, and by one of
   prev's keys unless is_keys_lost. The same digest: BG_OK (nothing to do).
   BG_ERR_FORK (same epoch, other digest), BG_ERR_EPOCH, BG_ERR_MISMATCH (account, zone,
   predecessor), BG_ERR_SIGNATURE, BG_ERR_ASSERTION. */
BG_CHECKED enum bg_err bg_seal_check_successor(struct bg_crypto *crypto, const struct bg_seal *prev,
	const struct bg_seal *next, const char *next_text, bool is_keys_lost, struct bg_diag *diag);

enum bg_share_standing {      /* zeroed denies */
	BG_SHARE_UNKNOWN = 0, /* of no custodian of this set */
	BG_SHARE_CURRENT,
	BG_SHARE_RETIRED,  /* *ret_epoch says which */
	BG_SHARE_OTHER_SET /* SLIP-39 identifier of no epoch known to the seal */
};

/* Whose share is this? slip39_id: 0 to 0x7fff, or -1 when unknown (compact). Derives the
   custodian's key for the set in force and, failing that, for each retired epoch, and compares.
   On BG_SHARE_CURRENT *ret_custodian is its position in seal->custodians and ret_seed the key's
   seed; on BG_SHARE_RETIRED the position in that epoch's list (name: the retired entry's). */
BG_CHECKED enum bg_err bg_seal_share_standing(struct bg_crypto *crypto, const struct bg_seal *seal,
	int slip39_id, uint8_t member_index, const struct bg_secret *value,
	enum bg_share_standing *ret, size_t *ret_custodian, uint32_t *ret_epoch,
	struct bg_secret *ret_seed);

/* What a successor changes. Lists of names, ", " between them, keys with their holders; "": none.
   A key of the same name with another holder or credential leaves and comes. */
#define BG_CHANGES_LEN 360 /* the longest list, with its NUL */
struct bg_seal_changes {
	char stay[BG_CHANGES_LEN], left[BG_CHANGES_LEN], came[BG_CHANGES_LEN]; /* custodians */
	char keys_stay[BG_CHANGES_LEN], keys_left[BG_CHANGES_LEN], keys_came[BG_CHANGES_LEN];
	bool is_any; /* people, keys or the threshold */
};
void bg_seal_compare(
	const struct bg_seal *prev, const struct bg_seal *next, struct bg_seal_changes *ret);
/* The same on one line for records: "2 of 3; key left b (lead); came night". Terminated. */
#define BG_CHANGES_TEXT_LEN 2048
void bg_seal_changes_text(const struct bg_seal *prev, const struct bg_seal *next,
	char ret[static BG_CHANGES_TEXT_LEN]);

/* Position in seal->keys or seal->custodians by name, or -1. */
int bg_seal_find_key(const struct bg_seal *seal, const char *name);
int bg_seal_find_custodian(const struct bg_seal *seal, const char *name);
/* "audit, dba": the custodians whose position is picked (NULL: all), terminated, cut to len bytes
   with the NUL; CUSTODIANS_MAX * (NAME_LEN + 2) hold all of them. */
void bg_seal_custodian_names(
	const struct bg_seal *seal, const bool *is_picked, char *ret, size_t len);

#endif

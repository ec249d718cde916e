/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bodies of the codes that host, laptop and custodians exchange (DESIGN
 * section 3; code.h has the lines around them). Each begins with a version
 * byte; texts are one length byte and that many bytes; integers big endian.
 * Nobody signs what a code says of itself: digests are made anew from fields.
 *
 * Each _write appends a body to ret: BG_ERR_TOO_BIG (no room), BG_ERR_RANGE (a count or length
 * that _read refuses). Each _read takes len bytes, all of them: BG_ERR_SYNTAX for another version,
 * a field out of its range, a byte too few or too many.
 *
 * touch challenge    host -> laptop with the key: the fields of a bg_touch and the zone
 * touch answer       back: tag of the challenge, which key, flags, counter, signature
 * request challenge  host -> custodians: the whole request, the set, and two bytes of each
 *                    custodian key's hash, so that no seal is needed to name a wrong share
 * approval, response, refusal   back: tag of the request, who, signature
 */
#ifndef BREAKGLASS_CHALLENGE_H
#define BREAKGLASS_CHALLENGE_H

#include <breakglass/assertion.h>
#include <breakglass/request.h>
#include <breakglass/seal.h>
#include <breakglass/tally.h>

#define BG_TAG_LEN	       4 /* the first bytes of a digest: names it to people, proves nothing */
#define BG_KEY_HASH_LEN	       2
#define BG_CREDENTIAL_HASH_LEN 4

struct bg_touch_challenge {
	struct bg_touch touch;
	char zone[BG_ZONE_LEN + 1];
};
BG_CHECKED enum bg_err bg_touch_challenge_write(
	const struct bg_touch_challenge *challenge, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_touch_challenge_read(
	const uint8_t *p, size_t len, struct bg_touch_challenge *ret);

/* authenticatorData without its RP id hash, which both sides know, and without extensions. */
struct bg_touch_answer {
	uint8_t tag[BG_TAG_LEN];			 /* of the touch's digest */
	uint8_t credential_hash[BG_CREDENTIAL_HASH_LEN]; /* of SHA-256(credential id) */
	uint8_t flags;
	uint32_t counter;
	uint8_t sig[BG_ASSERTION_SIG_MAX_LEN];
	size_t sig_len;
};
BG_CHECKED enum bg_err bg_touch_answer_write(
	const struct bg_touch_answer *answer, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_touch_answer_read(
	const uint8_t *p, size_t len, struct bg_touch_answer *ret);
/* The assertion that answer stands for, credential not named. BG_ERR_CRYPTO. */
BG_CHECKED enum bg_err bg_touch_answer_assertion(struct bg_crypto *crypto,
	const struct bg_touch_answer *answer, const char *rp_id, struct bg_assertion *ret);
/* From an assertion and its credential id. BG_ERR_ASSERTION: it has extensions. */
BG_CHECKED enum bg_err bg_touch_answer_make(struct bg_crypto *crypto,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_assertion *assertion,
	struct bg_touch_answer *ret);
/* The first bytes of SHA-256(credential id). */
BG_CHECKED enum bg_err bg_credential_hash(struct bg_crypto *crypto, const uint8_t *id, size_t len,
	uint8_t ret[static BG_CREDENTIAL_HASH_LEN]);

struct bg_request_challenge {
	struct bg_request request;
	uint8_t set_id[BG_SET_ID_LEN];
	uint32_t epoch;
	uint8_t threshold;
	uint32_t strength; /* 128 or 256 */
	uint16_t slip39_id;
	size_t custodian_count;
	struct {
		uint8_t index;		       /* SLIP-39 member index */
		uint8_t hash[BG_KEY_HASH_LEN]; /* of SHA-256(public key) */
	} custodians[BG_CUSTODIANS_MAX];
};
/* What a host with this seal shows of a request. BG_ERR_CRYPTO. */
BG_CHECKED enum bg_err bg_request_challenge_make(struct bg_crypto *crypto,
	const struct bg_request *request, const struct bg_seal *seal,
	struct bg_request_challenge *ret);
BG_CHECKED enum bg_err bg_request_challenge_write(
	const struct bg_request_challenge *challenge, struct bg_writer *ret);
/* Counts and ranges are checked: threshold 1 to count (1 only of 1), distinct indices. */
BG_CHECKED enum bg_err bg_request_challenge_read(
	const uint8_t *p, size_t len, struct bg_request_challenge *ret);
/* Is this share of the challenge's set? slip39_id: -1 when unknown (compact). BG_OK and the
   custodian's seed; BG_ERR_OTHER_SET (identifier), BG_ERR_NOT_A_SHARE (key's hash: wrong, retired,
   or of another set). */
BG_CHECKED enum bg_err bg_request_challenge_share(struct bg_crypto *crypto,
	const struct bg_request_challenge *challenge, int slip39_id, uint8_t member_index,
	const struct bg_secret *value, struct bg_secret *ret_seed);

struct bg_approval {
	uint8_t tag[BG_TAG_LEN]; /* of the request's digest */
	uint8_t index;		 /* SLIP-39 member index of who approves */
	uint32_t epoch;
	uint8_t sig[BG_ED25519_SIG_LEN];
};
BG_CHECKED enum bg_err bg_approval_write(const struct bg_approval *approval, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_approval_read(const uint8_t *p, size_t len, struct bg_approval *ret);

/* One custodian's no: an approval's fields, another kind of code and another context. */
struct bg_refusal {
	uint8_t tag[BG_TAG_LEN];
	uint8_t index;
	uint32_t epoch;
	uint8_t sig[BG_ED25519_SIG_LEN];
};
BG_CHECKED enum bg_err bg_refusal_write(const struct bg_refusal *refusal, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_refusal_read(const uint8_t *p, size_t len, struct bg_refusal *ret);

struct bg_response {
	uint8_t tag[BG_TAG_LEN];
	uint32_t epoch;
	uint16_t exposed; /* bit a member index: shares that the combining machine has seen */
	uint8_t sig[BG_ED25519_SIG_LEN];
};
BG_CHECKED enum bg_err bg_response_write(const struct bg_response *response, struct bg_writer *ret);
BG_CHECKED enum bg_err bg_response_read(const uint8_t *p, size_t len, struct bg_response *ret);

#endif

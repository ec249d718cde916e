/* SPDX-License-Identifier: BSD-2-Clause */
/* refused.json, part one: signatures and assertions that are nearly right. Each is tried on the
   library here, which must refuse it. */
#include "out.h"
#include "world.h"

#include <breakglass/tally.h>
#include <stdio.h>
#include <string.h>

static void must_refuse(const char *what, enum bg_err err, enum bg_err want)
{
	if (err == want)
		return;
	fprintf(stderr, "protocol_vectors: %s: %s\n", what, bg_err_text(err));
	must(err == BG_OK ? BG_ERR_STATE : err);
}

/* An approval of digest by custodian 0 of epoch 1, as it is asked of the tally. */
static void put_approval(const struct world *w, const char *what,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	const struct bg_seal *seal = &w->epochs[0].f.seal;
	struct bg_tally tally = { 0 };

	must_refuse(what, bg_tally_add(w->crypto, seal, digest, 0, BG_HOW_REMOTE, sig, &tally),
		BG_ERR_SIGNATURE);
	out_object(NULL);
	out_text("what", what);
	out_text("context", "approval");
	out_hex("public", seal->custodians[0].pub, BG_ED25519_PUB_LEN);
	out_hex("digest", digest, BG_SHA256_LEN);
	out_hex("signature", sig, BG_ED25519_SIG_LEN);
	out_end();
}

/* The same for his no. */
static void put_refusal(const struct world *w, const char *what,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	const struct bg_custodian *custodian = &w->epochs[0].f.seal.custodians[0];

	must_refuse(what, bg_refusal_verify(w->crypto, custodian, digest, sig), BG_ERR_SIGNATURE);
	out_object(NULL);
	out_text("what", what);
	out_text("context", "refusal");
	out_hex("public", custodian->pub, BG_ED25519_PUB_LEN);
	out_hex("digest", digest, BG_SHA256_LEN);
	out_hex("signature", sig, BG_ED25519_SIG_LEN);
	out_end();
}

static void put_response(const struct world *w, const char *what,
	const uint8_t digest[static BG_SHA256_LEN], uint16_t exposed,
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	const struct bg_seal *seal = &w->epochs[0].f.seal;
	struct bg_tally tally = { 0 };

	must_refuse(what, bg_tally_add_response(w->crypto, seal, digest, exposed, sig, &tally),
		BG_ERR_SIGNATURE);
	out_object(NULL);
	out_text("what", what);
	out_text("context", "response");
	out_hex("public", seal->quorum_pub, BG_ED25519_PUB_LEN);
	out_hex("digest", digest, BG_SHA256_LEN);
	out_number("exposed", exposed);
	out_hex("signature", sig, BG_ED25519_SIG_LEN);
	out_end();
}

static void put_body(const struct world *w, const char *what, enum bg_context context,
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	const struct seal_fixture *f = &w->epochs[1].f;
	const uint8_t *pub =
		context == BG_CTX_SEAL ? f->seal.quorum_pub : w->epochs[0].f.seal.quorum_pub;
	uint8_t digest[BG_SHA256_LEN];

	must_refuse(what, bg_seal_verify(w->crypto, context, pub, f->text, f->seal.body_len, sig),
		BG_ERR_SIGNATURE);
	must(bg_sha256(w->crypto, f->text, f->seal.body_len, digest));
	out_object(NULL);
	out_text("what", what);
	out_text("context", bg_context_name(context));
	out_hex("public", pub, BG_ED25519_PUB_LEN);
	out_hex("digest", digest, sizeof(digest));
	out_hex("signature", sig, BG_ED25519_SIG_LEN);
	out_end();
}

/* One field of a request changed, by number; its name, or NULL when there are no more. */
static const char *change_request(struct bg_request *r, unsigned int field)
{
	static const char *const names[] = { "purpose", "seal digest", "host label", "account",
		"uid", "key", "holder", "reason", "session seconds", "nonce", "service", "origin" };

	if (field >= sizeof(names) / sizeof(names[0]))
		return NULL;
	r->purpose = field == 0 ? BG_PURPOSE_DRILL : r->purpose;
	r->seal_digest[31] ^= field == 1;
	r->host_label[0] ^= field == 2 ? 1 : 0;
	r->account[0] ^= field == 3 ? 1 : 0;
	r->uid ^= field == 4;
	r->key[0] ^= field == 5 ? 1 : 0;
	r->holder[0] ^= field == 6 ? 1 : 0;
	r->reason[18] ^= field == 7 ? 1 : 0;
	r->session_secs += field == 8;
	r->nonce[0] ^= field == 9;
	r->service[0] ^= field == 10 ? 1 : 0;
	r->origin[0] ^= field == 11 ? 1 : 0;
	return names[field];
}

/* Signatures of epoch 1's request with one field changed are none of the request itself. */
static void put_changed_requests(const struct world *w, const uint8_t digest[static BG_SHA256_LEN])
{
	const struct epoch *e = &w->epochs[0];

	for (unsigned int field = 0;; field++) {
		struct bg_request request;
		uint8_t other[BG_SHA256_LEN], sig[BG_ED25519_SIG_LEN];
		const char *name;
		char what[80];

		world_request(w, 0, &request);
		name = change_request(&request, field);
		if (name == NULL)
			return;
		must(bg_request_digest(w->crypto, &request, other));
		must(bg_approval_sign(w->crypto, &e->f.seeds[0], other, sig));
		(void)snprintf(what, sizeof(what), "approval of another %s", name);
		put_approval(w, what, digest, sig);
		must(bg_refusal_sign(w->crypto, &e->f.seeds[0], other, sig));
		(void)snprintf(what, sizeof(what), "refusal of another %s", name);
		put_refusal(w, what, digest, sig);
		must(bg_response_sign(w->crypto, &e->f.quorum.sign_seed, other, 0x3, sig));
		(void)snprintf(what, sizeof(what), "response to another %s", name);
		put_response(w, what, digest, 0x3, sig);
	}
}

static void put_approvals(const struct world *w, const uint8_t digest[static BG_SHA256_LEN])
{
	const struct epoch *e = &w->epochs[0];
	const struct bg_secret *seed = &e->f.seeds[0];
	uint8_t sig[BG_ED25519_SIG_LEN], zero[BG_ED25519_SIG_LEN] = { 0 };

	must(bg_approval_sign(w->crypto, &e->f.seeds[1], digest, sig));
	put_approval(w, "approval by another custodian", digest, sig);
	must(bg_approval_sign(w->crypto, &w->epochs[1].f.seeds[0], digest, sig));
	put_approval(w, "approval by the same custodian's share of the next epoch", digest, sig);
	must(bg_approval_sign(w->crypto, &e->f.quorum.sign_seed, digest, sig));
	put_approval(w, "the quorum's signature as an approval", digest, sig);
	must(bg_response_sign(w->crypto, seed, digest, 0x1, sig));
	put_approval(w, "a response's context", digest, sig);
	must(bg_refusal_sign(w->crypto, seed, digest, sig));
	put_approval(w, "a refusal's context", digest, sig);
	must(bg_seal_sign(w->crypto, BG_CTX_SEAL, seed, e->f.text, e->f.seal.body_len, sig));
	put_approval(w, "a seal's context", digest, sig);
	must(bg_ed25519_sign(w->crypto, seed, digest, BG_SHA256_LEN, sig));
	put_approval(w, "the digest without frame", digest, sig);
	put_approval(w, "the seal's signature", digest, e->f.seal.quorum_sig);
	put_approval(w, "zeroes", digest, zero);
	must(bg_approval_sign(w->crypto, seed, digest, sig));
	sig[0] ^= 1;
	put_approval(w, "a bit of R", digest, sig);
	sig[0] ^= 1;
	sig[32] ^= 1;
	put_approval(w, "a bit of S", digest, sig);
	sig[32] ^= 1;
	sig[63] |= 0x20; /* S above the group's order */
	put_approval(w, "S out of range", digest, sig);
}

static void put_refusals(const struct world *w, const uint8_t digest[static BG_SHA256_LEN])
{
	const struct epoch *e = &w->epochs[0];
	const struct bg_secret *seed = &e->f.seeds[0];
	uint8_t sig[BG_ED25519_SIG_LEN], zero[BG_ED25519_SIG_LEN] = { 0 };

	must(bg_refusal_sign(w->crypto, &e->f.seeds[1], digest, sig));
	put_refusal(w, "refusal by another custodian", digest, sig);
	must(bg_refusal_sign(w->crypto, &w->epochs[1].f.seeds[0], digest, sig));
	put_refusal(w, "refusal by the same custodian's share of the next epoch", digest, sig);
	must(bg_refusal_sign(w->crypto, &e->f.quorum.sign_seed, digest, sig));
	put_refusal(w, "the quorum's signature as a refusal", digest, sig);
	must(bg_approval_sign(w->crypto, seed, digest, sig));
	put_refusal(w, "an approval's context", digest, sig);
	must(bg_response_sign(w->crypto, seed, digest, 0x1, sig));
	put_refusal(w, "a response's context", digest, sig);
	must(bg_ed25519_sign(w->crypto, seed, digest, BG_SHA256_LEN, sig));
	put_refusal(w, "the digest without frame", digest, sig);
	put_refusal(w, "zeroes", digest, zero);
	must(bg_refusal_sign(w->crypto, seed, digest, sig));
	sig[63] |= 0x20; /* S above the group's order */
	put_refusal(w, "S out of range", digest, sig);
}

static void put_responses(const struct world *w, const uint8_t digest[static BG_SHA256_LEN])
{
	const struct epoch *e = &w->epochs[0];
	const struct bg_secret *seed = &e->f.quorum.sign_seed;
	uint8_t sig[BG_ED25519_SIG_LEN];

	must(bg_response_sign(w->crypto, seed, digest, 0x3, sig));
	put_response(w, "fewer exposed shares than were signed", digest, 0x1, sig);
	put_response(w, "other exposed shares", digest, 0x6, sig);
	must(bg_response_sign(w->crypto, &e->f.seeds[0], digest, 0x3, sig));
	put_response(w, "a response by one custodian", digest, 0x3, sig);
	must(bg_response_sign(w->crypto, &w->epochs[1].f.quorum.sign_seed, digest, 0x3, sig));
	put_response(w, "a response by the next epoch's quorum", digest, 0x3, sig);
	must(bg_response_sign(w->crypto, &e->f.quorum.envelope, digest, 0x3, sig));
	put_response(w, "a response by the envelope's key", digest, 0x3, sig);
	must(bg_refusal_sign(w->crypto, seed, digest, sig));
	put_response(w, "a refusal's context", digest, 0x3, sig);
	must(bg_approval_sign(w->crypto, seed, digest, sig));
	put_response(w, "an approval's context", digest, 0x3, sig);
	put_response(w, "the seal's signature as a response", digest, 0x3, e->f.seal.quorum_sig);
}

static void put_bodies(const struct world *w)
{
	const struct bg_seal *next = &w->epochs[1].f.seal;
	const struct seal_fixture *f = &w->epochs[1].f;
	uint8_t sig[BG_ED25519_SIG_LEN];

	put_body(w, "the predecessor's quorum as the new one", BG_CTX_SEAL,
		next->predecessor_quorum_sig);
	put_body(w, "the new quorum as the predecessor's", BG_CTX_SUCCESSION_QUORUM,
		next->quorum_sig);
	put_body(w, "the predecessor's signature on itself", BG_CTX_SUCCESSION_QUORUM,
		w->epochs[0].f.seal.quorum_sig);
	must(bg_seal_sign(w->crypto, BG_CTX_SEAL, &w->epochs[0].f.quorum.sign_seed, f->text,
		next->body_len, sig));
	put_body(w, "the old quorum in the seal's context", BG_CTX_SUCCESSION_QUORUM, sig);
	must(bg_seal_sign(
		w->crypto, BG_CTX_SEAL, &f->quorum.sign_seed, f->text, next->body_len - 1, sig));
	put_body(w, "a body that is a byte shorter", BG_CTX_SEAL, sig);
}

/* An assertion for digest by key of epoch 1, as it is asked of bg_assertion_verify. */
static void put_assertion(const struct world *w, const char *what, size_t key,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_assertion *a, enum bg_err want)
{
	const struct bg_seal *seal = &w->epochs[0].f.seal;
	const struct bg_key *k = &seal->keys[key];

	must_refuse(what, bg_assertion_verify(w->crypto, k, seal->rp_id, digest, a, NULL), want);
	out_object(NULL);
	out_text("what", what);
	out_text("algorithm", k->alg == BG_ALG_ES256 ? "es256" : "eddsa");
	out_text("rp_id", seal->rp_id);
	out_hex("credential", k->credential, k->credential_len);
	out_hex("named", a->credential, a->credential_len);
	out_hex("public", k->pub, k->alg == BG_ALG_ES256 ? 64 : 32);
	out_hex("digest", digest, BG_SHA256_LEN);
	out_hex("authdata", a->authdata, a->authdata_len);
	out_hex("signature", a->sig, a->sig_len);
	out_text("refusal", want == BG_ERR_SIGNATURE ? "SIGNATURE" : "ASSERTION");
	out_end();
}

static const char *change_touch(struct bg_touch *touch, unsigned int field)
{
	static const char *const names[] = { "nonce", "seal digest", "host label", "account",
		"service", "origin" };

	if (field >= sizeof(names) / sizeof(names[0]))
		return NULL;
	touch->nonce[31] ^= field == 0;
	touch->seal_digest[0] ^= field == 1;
	touch->host_label[2] ^= field == 2 ? 1 : 0;
	touch->account[0] ^= field == 3 ? 1 : 0;
	touch->service[0] ^= field == 4 ? 1 : 0;
	touch->origin[0] ^= field == 5 ? 1 : 0;
	return names[field];
}

static void put_changed_touches(
	const struct world *w, size_t key, const uint8_t digest[static BG_SHA256_LEN])
{
	for (unsigned int field = 0;; field++) {
		struct bg_touch_challenge challenge;
		struct bg_assertion a;
		uint8_t other[BG_SHA256_LEN];
		const char *name;
		char what[80];

		world_touch(w, 0, &challenge);
		name = change_touch(&challenge.touch, field);
		if (name == NULL)
			return;
		must(bg_touch_digest(w->crypto, &challenge.touch, other));
		world_assert(w, key, "breakglass:db", other, SEAL_UP | SEAL_UV, &a);
		(void)snprintf(what, sizeof(what), "a touch of another %s", name);
		put_assertion(w, what, key, digest, &a, BG_ERR_SIGNATURE);
	}
}

static void put_flags(const struct world *w, size_t key, const uint8_t digest[static BG_SHA256_LEN])
{
	static const struct {
		const char *what;
		uint8_t flags;
	} rows[] = { { "not touched", SEAL_UV }, { "no PIN", SEAL_UP }, { "neither", 0 },
		{ "attested data", SEAL_UP | SEAL_UV | SEAL_AT },
		{ "extensions announced, none there", SEAL_UP | SEAL_UV | SEAL_ED } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bg_assertion a;

		world_assert(w, key, "breakglass:db", digest, rows[i].flags, &a);
		put_assertion(w, rows[i].what, key, digest, &a, BG_ERR_ASSERTION);
	}
}

static void put_key_test(
	const struct world *w, size_t key, const uint8_t digest[static BG_SHA256_LEN])
{
	struct bg_touch_challenge challenge;
	struct bg_assertion a;
	uint8_t frame[256], test[BG_SHA256_LEN];
	struct bg_writer writer = { .p = frame, .cap = sizeof(frame) };

	world_touch(w, 0, &challenge);
	bg_frame_begin(&writer, BG_CTX_KEY_TEST);
	bg_frame_field(&writer, challenge.touch.nonce, sizeof(challenge.touch.nonce));
	bg_frame_text(&writer, challenge.zone);
	must(bg_sha256(w->crypto, frame, writer.len, test));
	world_assert(w, key, "breakglass:db", test, SEAL_UP | SEAL_UV, &a);
	put_assertion(w, "a test of the key as a touch", key, digest, &a, BG_ERR_SIGNATURE);
}

static void put_assertions(
	const struct world *w, size_t key, const uint8_t digest[static BG_SHA256_LEN])
{
	size_t another = key == KEY_EDDSA ? KEY_ES256 : KEY_EDDSA;
	uint8_t succession[BG_SHA256_LEN];
	struct bg_assertion a;

	put_flags(w, key, digest);
	put_changed_touches(w, key, digest);
	world_assert(w, key, "breakglass:web", digest, SEAL_UP | SEAL_UV, &a);
	put_assertion(w, "another zone's relying party", key, digest, &a, BG_ERR_ASSERTION);
	world_assert(w, key, "ssh:", digest, SEAL_UP | SEAL_UV, &a);
	put_assertion(w, "ssh's relying party", key, digest, &a, BG_ERR_ASSERTION);
	must(bg_seal_key_challenge(
		w->crypto, w->epochs[1].f.text, w->epochs[1].f.seal.body_len, succession));
	world_assert(w, key, "breakglass:db", succession, SEAL_UP | SEAL_UV, &a);
	put_assertion(w, "an endorsement as a touch", key, digest, &a, BG_ERR_SIGNATURE);
	put_key_test(w, key, digest);
	world_assert(w, another, "breakglass:db", digest, SEAL_UP | SEAL_UV, &a);
	put_assertion(w, "another credential", key, digest, &a, BG_ERR_ASSERTION);
	a.credential_len = 0;
	/* a DER signature has a wrong length for EdDSA, not the other way round */
	put_assertion(w, "another key, its credential not named", key, digest, &a,
		key == KEY_EDDSA ? BG_ERR_ASSERTION : BG_ERR_SIGNATURE);
	world_assert(w, key, "breakglass:db", digest, SEAL_UP | SEAL_UV, &a);
	a.sig[a.sig_len - 1] ^= 1;
	put_assertion(w, "a bit of the signature", key, digest, &a, BG_ERR_SIGNATURE);
	world_assert(w, key, "breakglass:db", digest, SEAL_UP | SEAL_UV, &a);
	a.authdata[36] ^= 1;
	put_assertion(w, "a bit of the counter", key, digest, &a, BG_ERR_SIGNATURE);
	a.authdata[36] ^= 1;
	a.authdata_len--;
	put_assertion(w, "a byte missing", key, digest, &a, BG_ERR_ASSERTION);
}

void put_refused(const struct world *w)
{
	struct bg_touch_challenge challenge;
	struct bg_request request;
	uint8_t digest[BG_SHA256_LEN];

	world_request(w, 0, &request);
	must(bg_request_digest(w->crypto, &request, digest));
	out_list("signatures");
	put_changed_requests(w, digest);
	put_approvals(w, digest);
	put_refusals(w, digest);
	put_responses(w, digest);
	put_bodies(w);
	out_end();
	world_touch(w, 0, &challenge);
	must(bg_touch_digest(w->crypto, &challenge.touch, digest));
	out_list("assertions");
	put_assertions(w, KEY_EDDSA, digest);
	put_assertions(w, KEY_ES256, digest);
	out_end();
	put_refused_codes(w);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* codes.json: touches and requests with everything that is made of them, bodies and lines. */
#include "out.h"
#include "world.h"

#include <breakglass/code.h>
#include <string.h>

static void put_code(const char *name, enum bg_code_kind kind, const struct bg_writer *body)
{
	char lines[BG_CODE_TEXT_LEN];

	must(body->is_full ? BG_ERR_TOO_BIG : BG_OK);
	must(bg_code_encode_plain(kind, body->p, body->len, lines, sizeof(lines)));
	out_object(name);
	out_number("kind", kind);
	out_hex("body", body->p, body->len);
	out_lines("lines", lines);
	must(bg_code_encode(kind, body->p, body->len, lines, sizeof(lines)));
	*(strchr(lines, '\n') + 1) = '\0';
	out_lines("first_line_grouped", lines);
	out_end();
}

static void put_challenge(const struct bg_touch_challenge *challenge)
{
	uint8_t bytes[BG_CODE_MAX_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };

	must(bg_touch_challenge_write(challenge, &body));
	put_code("challenge", BG_CODE_TOUCH_CHALLENGE, &body);
}

static void put_answer(const struct world *w, const struct bg_key *key,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_assertion *assertion)
{
	uint8_t bytes[BG_CODE_MAX_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	struct bg_touch_answer answer;
	struct bg_assertion again;

	must(bg_touch_answer_make(w->crypto, digest, assertion, &answer));
	must(bg_touch_answer_assertion(w->crypto, &answer, w->epochs[0].f.seal.rp_id, &again));
	must(bg_assertion_verify(w->crypto, key, w->epochs[0].f.seal.rp_id, digest, &again, NULL));
	must(bg_touch_answer_write(&answer, &body));
	out_hex("tag", answer.tag, sizeof(answer.tag));
	out_hex("credential_hash", answer.credential_hash, sizeof(answer.credential_hash));
	put_code("answer", BG_CODE_TOUCH_ANSWER, &body);
}

static void put_touch(const struct world *w, size_t which)
{
	const struct bg_seal *seal = &w->epochs[which].f.seal;
	const struct bg_key *key = &seal->keys[which];
	struct bg_touch_challenge challenge;
	const struct bg_touch *touch = &challenge.touch;
	struct bg_assertion assertion;
	uint8_t digest[BG_SHA256_LEN];

	world_touch(w, which, &challenge);
	must(bg_touch_digest(w->crypto, touch, digest));
	world_assert(w, which, seal->rp_id, digest, SEAL_UP | SEAL_UV, &assertion);
	must(bg_assertion_verify(w->crypto, key, seal->rp_id, digest, &assertion, NULL));
	out_object(NULL);
	out_hex("nonce", touch->nonce, sizeof(touch->nonce));
	out_hex("seal_digest", touch->seal_digest, sizeof(touch->seal_digest));
	out_text("zone", challenge.zone);
	out_text("host_label", touch->host_label);
	out_text("account", touch->account);
	out_text("service", touch->service);
	out_text("origin", touch->origin);
	put_challenge(&challenge);
	out_hex("digest", digest, sizeof(digest));
	out_text("rp_id", seal->rp_id);
	out_text("algorithm", key->alg == BG_ALG_ES256 ? "es256" : "eddsa");
	out_hex("credential", key->credential, key->credential_len);
	out_hex("public", key->pub, key->alg == BG_ALG_ES256 ? 64 : 32);
	out_hex("authdata", assertion.authdata, assertion.authdata_len);
	out_hex("signature", assertion.sig, assertion.sig_len);
	put_answer(w, key, digest, &assertion);
	out_end();
}

static void put_fields(const struct bg_request *r)
{
	out_text("purpose", bg_purpose_text(r->purpose));
	out_hex("seal_digest", r->seal_digest, sizeof(r->seal_digest));
	out_text("host_label", r->host_label);
	out_text("account", r->account);
	out_number("uid", r->uid);
	out_text("key", r->key);
	out_text("holder", r->holder);
	out_text("reason", r->reason);
	out_number("session_seconds", r->session_secs);
	out_hex("nonce", r->nonce, sizeof(r->nonce));
	out_text("service", r->service);
	out_text("origin", r->origin);
}

/* By the share and the challenge alone, as approve does it. */
static void put_approval(const struct world *w, const struct epoch *e, size_t custodian,
	const struct bg_request_challenge *challenge, const uint8_t digest[static BG_SHA256_LEN])
{
	uint8_t bytes[BG_CODE_MAX_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	struct bg_approval approval = { .index = e->f.seal.custodians[custodian].index,
		.epoch = e->f.seal.epoch };
	struct bg_tally tally = { 0 };
	struct bg_secret seed;

	memcpy(approval.tag, digest, BG_TAG_LEN);
	must(bg_request_challenge_share(w->crypto, challenge, e->shares[custodian].identifier,
		approval.index, &e->shares[custodian].value, &seed));
	must(bg_approval_sign(w->crypto, &seed, digest, approval.sig));
	must(bg_tally_add(
		w->crypto, &e->f.seal, digest, custodian, BG_HOW_REMOTE, approval.sig, &tally));
	must(bg_approval_write(&approval, &body));
	out_object(NULL);
	out_text("custodian", e->f.seal.custodians[custodian].name);
	out_hex("signature", approval.sig, sizeof(approval.sig));
	put_code("code", BG_CODE_APPROVAL, &body);
	out_end();
}

/* The same custodian's no. */
static void put_refusal(const struct world *w, const struct epoch *e, size_t custodian,
	const uint8_t digest[static BG_SHA256_LEN])
{
	uint8_t bytes[BG_CODE_MAX_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	const struct bg_custodian *who = &e->f.seal.custodians[custodian];
	struct bg_refusal refusal = { .index = who->index, .epoch = e->f.seal.epoch };

	memcpy(refusal.tag, digest, BG_TAG_LEN);
	must(bg_refusal_sign(w->crypto, &e->f.seeds[custodian], digest, refusal.sig));
	must(bg_refusal_verify(w->crypto, who, digest, refusal.sig));
	must(bg_refusal_write(&refusal, &body));
	out_object(NULL);
	out_text("custodian", who->name);
	out_hex("signature", refusal.sig, sizeof(refusal.sig));
	put_code("code", BG_CODE_REFUSAL, &body);
	out_end();
}

static void put_response(const struct world *w, const struct epoch *e, uint16_t exposed,
	const uint8_t digest[static BG_SHA256_LEN])
{
	uint8_t bytes[BG_CODE_MAX_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	struct bg_response response = { .epoch = e->f.seal.epoch, .exposed = exposed };
	struct bg_tally tally = { 0 };

	memcpy(response.tag, digest, BG_TAG_LEN);
	must(bg_response_sign(w->crypto, &e->f.quorum.sign_seed, digest, exposed, response.sig));
	must(bg_tally_add_response(w->crypto, &e->f.seal, digest, exposed, response.sig, &tally));
	must(bg_response_write(&response, &body));
	out_object(NULL);
	out_number("exposed", exposed);
	out_hex("signature", response.sig, sizeof(response.sig));
	put_code("code", BG_CODE_RESPONSE, &body);
	out_end();
}

static void put_request(const struct world *w, size_t which)
{
	const struct epoch *e = &w->epochs[which];
	uint8_t bytes[BG_CODE_MAX_LEN], digest[BG_SHA256_LEN];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	struct bg_request_challenge challenge;
	char id[BG_SHORT_ID_LEN + 1];

	world_request(w, which, &challenge.request);
	must(bg_request_digest(w->crypto, &challenge.request, digest));
	must(bg_request_challenge_make(w->crypto, &challenge.request, &e->f.seal, &challenge));
	must(bg_request_challenge_write(&challenge, &body));
	bg_short_id(digest, id);
	out_object(NULL);
	put_fields(&challenge.request);
	out_number("set_number", which);
	put_code("challenge", BG_CODE_REQUEST_CHALLENGE, &body);
	out_hex("digest", digest, sizeof(digest));
	out_text("short_id", id);
	out_list("approvals");
	for (size_t i = 0; i < e->f.seal.custodian_count; i++)
		put_approval(w, e, i, &challenge, digest);
	out_end();
	out_list("refusals");
	for (size_t i = 0; i < e->f.seal.custodian_count; i++)
		put_refusal(w, e, i, digest);
	out_end();
	out_list("responses");
	put_response(w, e, 0x3, digest);
	put_response(w, e, 0x6, digest);
	out_end();
	out_end();
}

void put_codes(const struct world *w)
{
	out_list("touches");
	put_touch(w, 0);
	put_touch(w, 1);
	out_end();
	out_list("requests");
	put_request(w, 0);
	put_request(w, 1);
	out_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/challenge.h>

#include <breakglass/ini.h>
#include <string.h>

#define VERSION	     1
#define AUTHDATA_LEN 37
#define FLAG_ED	     0x80

static void put_text(struct bg_writer *w, const char *text)
{
	size_t len = strlen(text);

	if (len > UINT8_MAX) {
		w->is_full = true;
		return;
	}
	bg_put_u8(w, (uint8_t)len);
	bg_put(w, text, len);
}

/* A text of at most max_len bytes, as bg_request_text would have left it. */
static bool take_text(struct bg_view *v, char *ret, size_t max_len)
{
	char clean[UINT8_MAX + 1];
	size_t len = bg_view_u8(v);
	const uint8_t *p = bg_view_take(v, len);

	if (p == NULL || len > max_len || memchr(p, 0, len) != NULL)
		return false;
	memcpy(ret, p, len);
	ret[len] = '\0';
	bg_request_text(clean, max_len, ret);
	return strcmp(clean, ret) == 0;
}

static enum bg_err written(const struct bg_writer *w)
{
	return w->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

static enum bg_err finished(const struct bg_view *v, bool is_good)
{
	return !is_good || v->is_short || v->len != 0 ? BG_ERR_SYNTAX : BG_OK;
}

enum bg_err bg_touch_challenge_write(
	const struct bg_touch_challenge *challenge, struct bg_writer *ret)
{
	const struct bg_touch *touch = &challenge->touch;

	bg_put_u8(ret, VERSION);
	bg_put(ret, touch->nonce, sizeof(touch->nonce));
	bg_put(ret, touch->seal_digest, sizeof(touch->seal_digest));
	put_text(ret, challenge->zone);
	put_text(ret, touch->host_label);
	put_text(ret, touch->account);
	put_text(ret, touch->service);
	put_text(ret, touch->origin);
	return written(ret);
}

enum bg_err bg_touch_challenge_read(const uint8_t *p, size_t len, struct bg_touch_challenge *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_touch_challenge challenge = { 0 };
	struct bg_touch *touch = &challenge.touch;
	bool is_good = bg_view_u8(&v) == VERSION;
	enum bg_err err;

	bg_view_copy(&v, touch->nonce, sizeof(touch->nonce));
	bg_view_copy(&v, touch->seal_digest, sizeof(touch->seal_digest));
	is_good = is_good && take_text(&v, challenge.zone, BG_ZONE_LEN) &&
		  take_text(&v, touch->host_label, BG_HOST_LABEL_LEN) &&
		  take_text(&v, touch->account, BG_ACCOUNT_LEN) &&
		  take_text(&v, touch->service, BG_SERVICE_LEN) &&
		  take_text(&v, touch->origin, BG_ORIGIN_LEN) && bg_is_label(challenge.zone) &&
		  bg_is_label(touch->host_label) && bg_is_account(touch->account, BG_ACCOUNT_LEN);
	err = finished(&v, is_good);
	if (err == BG_OK)
		*ret = challenge;
	return err;
}

enum bg_err bg_credential_hash(struct bg_crypto *crypto, const uint8_t *id, size_t len,
	uint8_t ret[static BG_CREDENTIAL_HASH_LEN])
{
	uint8_t hash[BG_SHA256_LEN];
	enum bg_err err = bg_sha256(crypto, id, len, hash);

	if (err == BG_OK)
		memcpy(ret, hash, BG_CREDENTIAL_HASH_LEN);
	return err;
}

enum bg_err bg_touch_answer_make(struct bg_crypto *crypto,
	const uint8_t digest[static BG_SHA256_LEN], const struct bg_assertion *assertion,
	struct bg_touch_answer *ret)
{
	struct bg_view counter = { .p = assertion->authdata + 33, .len = 4 };
	struct bg_touch_answer answer = { 0 };
	enum bg_err err;

	if (assertion->authdata_len != AUTHDATA_LEN || assertion->sig_len > sizeof(answer.sig) ||
		assertion->credential_len == 0)
		return BG_ERR_ASSERTION;
	memcpy(answer.tag, digest, BG_TAG_LEN);
	answer.flags = assertion->authdata[32];
	answer.counter = bg_view_u32(&counter);
	memcpy(answer.sig, assertion->sig, assertion->sig_len);
	answer.sig_len = assertion->sig_len;
	err = bg_credential_hash(
		crypto, assertion->credential, assertion->credential_len, answer.credential_hash);
	if (err == BG_OK)
		*ret = answer;
	return err;
}

enum bg_err bg_touch_answer_write(const struct bg_touch_answer *answer, struct bg_writer *ret)
{
	if (answer->sig_len > sizeof(answer->sig))
		return BG_ERR_RANGE;
	bg_put_u8(ret, VERSION);
	bg_put(ret, answer->tag, sizeof(answer->tag));
	bg_put(ret, answer->credential_hash, sizeof(answer->credential_hash));
	bg_put_u8(ret, answer->flags);
	bg_put_u32(ret, answer->counter);
	bg_put_u8(ret, (uint8_t)answer->sig_len);
	bg_put(ret, answer->sig, answer->sig_len);
	return written(ret);
}

enum bg_err bg_touch_answer_read(const uint8_t *p, size_t len, struct bg_touch_answer *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_touch_answer answer = { 0 };
	bool is_good = bg_view_u8(&v) == VERSION;
	enum bg_err err;

	bg_view_copy(&v, answer.tag, sizeof(answer.tag));
	bg_view_copy(&v, answer.credential_hash, sizeof(answer.credential_hash));
	answer.flags = bg_view_u8(&v);
	answer.counter = bg_view_u32(&v);
	answer.sig_len = bg_view_u8(&v);
	is_good = is_good && answer.sig_len <= sizeof(answer.sig) && (answer.flags & FLAG_ED) == 0;
	if (is_good)
		bg_view_copy(&v, answer.sig, answer.sig_len);
	err = finished(&v, is_good);
	if (err == BG_OK)
		*ret = answer;
	return err;
}

enum bg_err bg_touch_answer_assertion(struct bg_crypto *crypto,
	const struct bg_touch_answer *answer, const char *rp_id, struct bg_assertion *ret)
{
	struct bg_assertion assertion = { .authdata_len = AUTHDATA_LEN };
	struct bg_writer tail = { .p = assertion.authdata + BG_SHA256_LEN, .cap = 5 };
	enum bg_err err = bg_sha256(crypto, rp_id, strlen(rp_id), assertion.authdata);

	if (err != BG_OK)
		return err;
	bg_put_u8(&tail, answer->flags);
	bg_put_u32(&tail, answer->counter);
	memcpy(assertion.sig, answer->sig, answer->sig_len);
	assertion.sig_len = answer->sig_len;
	*ret = assertion;
	return BG_OK;
}

static enum bg_err key_hash(struct bg_crypto *crypto, const uint8_t pub[static BG_ED25519_PUB_LEN],
	uint8_t ret[static BG_KEY_HASH_LEN])
{
	uint8_t hash[BG_SHA256_LEN];
	enum bg_err err = bg_sha256(crypto, pub, BG_ED25519_PUB_LEN, hash);

	if (err == BG_OK)
		memcpy(ret, hash, BG_KEY_HASH_LEN);
	return err;
}

enum bg_err bg_request_challenge_make(struct bg_crypto *crypto, const struct bg_request *request,
	const struct bg_seal *seal, struct bg_request_challenge *ret)
{
	struct bg_request_challenge challenge = { .request = *request,
		.epoch = seal->epoch,
		.threshold = seal->threshold,
		.strength = seal->strength,
		.slip39_id = seal->slip39_id,
		.custodian_count = seal->custodian_count };
	enum bg_err err = BG_OK;

	memcpy(challenge.set_id, seal->set_id, BG_SET_ID_LEN);
	for (size_t i = 0; i < seal->custodian_count && err == BG_OK; i++) {
		challenge.custodians[i].index = seal->custodians[i].index;
		err = key_hash(crypto, seal->custodians[i].pub, challenge.custodians[i].hash);
	}
	if (err == BG_OK)
		*ret = challenge;
	return err;
}

enum bg_err bg_request_challenge_write(
	const struct bg_request_challenge *challenge, struct bg_writer *ret)
{
	const struct bg_request *request = &challenge->request;

	if (challenge->custodian_count > BG_CUSTODIANS_MAX)
		return BG_ERR_RANGE;
	bg_put_u8(ret, VERSION);
	bg_put_u8(ret, (uint8_t)request->purpose);
	bg_put(ret, request->seal_digest, BG_SHA256_LEN);
	put_text(ret, request->host_label);
	put_text(ret, request->account);
	bg_put_u32(ret, request->uid);
	put_text(ret, request->key);
	put_text(ret, request->holder);
	put_text(ret, request->reason);
	bg_put_u32(ret, request->session_secs);
	bg_put(ret, request->nonce, BG_NONCE_LEN);
	put_text(ret, request->service);
	put_text(ret, request->origin);
	bg_put(ret, challenge->set_id, BG_SET_ID_LEN);
	bg_put_u32(ret, challenge->epoch);
	bg_put_u16(ret, (uint16_t)challenge->strength);
	bg_put_u16(ret, challenge->slip39_id);
	bg_put_u8(ret, challenge->threshold);
	bg_put_u8(ret, (uint8_t)challenge->custodian_count);
	for (size_t i = 0; i < challenge->custodian_count; i++) {
		bg_put_u8(ret, challenge->custodians[i].index);
		bg_put(ret, challenge->custodians[i].hash, BG_KEY_HASH_LEN);
	}
	return written(ret);
}

static bool take_request(struct bg_view *v, struct bg_request *request)
{
	uint8_t purpose = bg_view_u8(v);
	bool is_good = purpose == BG_PURPOSE_EMERGENCY || purpose == BG_PURPOSE_DRILL;

	request->purpose = is_good ? (enum bg_purpose)purpose : BG_PURPOSE_NONE;
	bg_view_copy(v, request->seal_digest, BG_SHA256_LEN);
	is_good = is_good && take_text(v, request->host_label, BG_HOST_LABEL_LEN) &&
		  take_text(v, request->account, BG_ACCOUNT_LEN);
	request->uid = bg_view_u32(v);
	is_good = is_good && take_text(v, request->key, BG_NAME_LEN) &&
		  take_text(v, request->holder, BG_HOLDER_LEN) &&
		  take_text(v, request->reason, BG_REASON_LEN);
	request->session_secs = bg_view_u32(v);
	bg_view_copy(v, request->nonce, BG_NONCE_LEN);
	return is_good && take_text(v, request->service, BG_SERVICE_LEN) &&
	       take_text(v, request->origin, BG_ORIGIN_LEN) && bg_is_label(request->host_label) &&
	       bg_is_account(request->account, BG_ACCOUNT_LEN) && bg_is_name(request->key);
}

static bool take_custodians(struct bg_view *v, struct bg_request_challenge *challenge)
{
	uint32_t seen = 0;

	challenge->threshold = bg_view_u8(v);
	challenge->custodian_count = bg_view_u8(v);
	if (challenge->custodian_count > BG_CUSTODIANS_MAX || challenge->threshold == 0 ||
		challenge->threshold > challenge->custodian_count ||
		(challenge->threshold == 1 && challenge->custodian_count > 1))
		return false;
	for (size_t i = 0; i < challenge->custodian_count; i++) {
		uint8_t index = bg_view_u8(v);

		if (index > 15 || (seen >> index & 1) != 0)
			return false;
		seen |= 1u << index;
		challenge->custodians[i].index = index;
		bg_view_copy(v, challenge->custodians[i].hash, BG_KEY_HASH_LEN);
	}
	return true;
}

enum bg_err bg_request_challenge_read(
	const uint8_t *p, size_t len, struct bg_request_challenge *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_request_challenge challenge = { 0 };
	bool is_good = bg_view_u8(&v) == VERSION && take_request(&v, &challenge.request);
	enum bg_err err;

	bg_view_copy(&v, challenge.set_id, BG_SET_ID_LEN);
	challenge.epoch = bg_view_u32(&v);
	challenge.strength = bg_view_u16(&v);
	challenge.slip39_id = bg_view_u16(&v);
	is_good = is_good && challenge.epoch > 0 &&
		  (challenge.strength == 128 || challenge.strength == 256) &&
		  challenge.slip39_id < 0x8000 && take_custodians(&v, &challenge);
	err = finished(&v, is_good);
	if (err == BG_OK)
		*ret = challenge;
	return err;
}

enum bg_err bg_request_challenge_share(struct bg_crypto *crypto,
	const struct bg_request_challenge *challenge, int slip39_id, uint8_t member_index,
	const struct bg_secret *value, struct bg_secret *ret_seed)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
	uint8_t pub[BG_ED25519_PUB_LEN], hash[BG_KEY_HASH_LEN];
	enum bg_err err;

	if (slip39_id >= 0 && slip39_id != challenge->slip39_id)
		return BG_ERR_OTHER_SET;
	err = bg_custodian_seed(
		crypto, value, challenge->set_id, challenge->epoch, member_index, &seed);
	if (err == BG_OK)
		err = bg_ed25519_public(crypto, &seed, pub);
	if (err == BG_OK)
		err = key_hash(crypto, pub, hash);
	if (err != BG_OK)
		return err;
	for (size_t i = 0; i < challenge->custodian_count; i++) {
		if (challenge->custodians[i].index != member_index ||
			!bg_equal(challenge->custodians[i].hash, hash, BG_KEY_HASH_LEN))
			continue;
		*ret_seed = seed;
		return BG_OK;
	}
	return BG_ERR_NOT_A_SHARE;
}

/* One custodian's yes and no have the same fields. */
static enum bg_err write_word(const uint8_t tag[static BG_TAG_LEN], uint8_t index, uint32_t epoch,
	const uint8_t sig[static BG_ED25519_SIG_LEN], struct bg_writer *ret)
{
	bg_put_u8(ret, VERSION);
	bg_put(ret, tag, BG_TAG_LEN);
	bg_put_u8(ret, index);
	bg_put_u32(ret, epoch);
	bg_put(ret, sig, BG_ED25519_SIG_LEN);
	return written(ret);
}

static enum bg_err read_word(struct bg_view *v, uint8_t tag[static BG_TAG_LEN], uint8_t *index,
	uint32_t *epoch, uint8_t sig[static BG_ED25519_SIG_LEN])
{
	bool is_good = bg_view_u8(v) == VERSION;

	bg_view_copy(v, tag, BG_TAG_LEN);
	*index = bg_view_u8(v);
	*epoch = bg_view_u32(v);
	bg_view_copy(v, sig, BG_ED25519_SIG_LEN);
	return finished(v, is_good && *index <= 15);
}

enum bg_err bg_approval_write(const struct bg_approval *approval, struct bg_writer *ret)
{
	return write_word(approval->tag, approval->index, approval->epoch, approval->sig, ret);
}

enum bg_err bg_approval_read(const uint8_t *p, size_t len, struct bg_approval *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_approval approval = { 0 };
	enum bg_err err =
		read_word(&v, approval.tag, &approval.index, &approval.epoch, approval.sig);

	if (err == BG_OK)
		*ret = approval;
	return err;
}

enum bg_err bg_refusal_write(const struct bg_refusal *refusal, struct bg_writer *ret)
{
	return write_word(refusal->tag, refusal->index, refusal->epoch, refusal->sig, ret);
}

enum bg_err bg_refusal_read(const uint8_t *p, size_t len, struct bg_refusal *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_refusal refusal = { 0 };
	enum bg_err err = read_word(&v, refusal.tag, &refusal.index, &refusal.epoch, refusal.sig);

	if (err == BG_OK)
		*ret = refusal;
	return err;
}

enum bg_err bg_response_write(const struct bg_response *response, struct bg_writer *ret)
{
	bg_put_u8(ret, VERSION);
	bg_put(ret, response->tag, BG_TAG_LEN);
	bg_put_u32(ret, response->epoch);
	bg_put_u16(ret, response->exposed);
	bg_put(ret, response->sig, BG_ED25519_SIG_LEN);
	return written(ret);
}

enum bg_err bg_response_read(const uint8_t *p, size_t len, struct bg_response *ret)
{
	struct bg_view v = { .p = p, .len = len };
	struct bg_response response = { 0 };
	bool is_good = bg_view_u8(&v) == VERSION;
	enum bg_err err;

	bg_view_copy(&v, response.tag, BG_TAG_LEN);
	response.epoch = bg_view_u32(&v);
	response.exposed = bg_view_u16(&v);
	bg_view_copy(&v, response.sig, BG_ED25519_SIG_LEN);
	err = finished(&v, is_good && response.exposed != 0);
	if (err == BG_OK)
		*ret = response;
	return err;
}

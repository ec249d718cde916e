/* SPDX-License-Identifier: BSD-2-Clause */
/* authenticatorGetAssertion and GetNextAssertion, CTAP 2.1 §6.2, §6.3; wrong ones on demand */
#include <string.h>

#include "softkey.h"

struct sk_assertion {
	struct sk_auth auth;
	uint8_t hmac_out[80]; /* encrypted answer of hmac-secret */
	size_t hmac_len;
};

static uint8_t sk_assert_parse(const cbor_item_t *req, struct sk_auth *auth)
{
	uint8_t status;

	if (!sk_cbor_get_text(sk_cbor_at(req, 1), auth->rp, sizeof(auth->rp)) ||
		!sk_cbor_get_bytes(sk_cbor_at(req, 2), &auth->hash) || auth->hash.len != 32)
		return CTAP_MISSING_PARAMETER;
	status = sk_auth_options(sk_cbor_at(req, 5), auth);
	if (status != CTAP_OK)
		return status;
	if (auth->rk)
		return CTAP_UNSUPPORTED_OPTION;
	auth->has_param = sk_cbor_get_bytes(sk_cbor_at(req, 6), &auth->param);
	sk_cbor_get_int(sk_cbor_at(req, 7), &auth->protocol);
	return CTAP_OK;
}

/* With a list, the first of it that is here: level 3 is hidden without the PIN, 2 is not. */
static void sk_assert_listed(struct sk_key *k, const cbor_item_t *list, const struct sk_auth *auth)
{
	for (size_t i = 0; i < cbor_array_size(list); i++) {
		const struct sk_cred *cred =
			sk_cred_listed(k, cbor_array_handle(list)[i], auth->rp);

		if (cred == NULL || (cred->protect == 3 && !auth->uv))
			continue;
		k->next.list[0] = (size_t)(cred - k->creds);
		k->next.count = 1;
		return;
	}
}

/* Without one, all that are discoverable, the newest first. */
static void sk_assert_discover(struct sk_key *k, const struct sk_auth *auth)
{
	for (size_t i = k->cred_count; i-- > 0;) {
		const struct sk_cred *cred = &k->creds[i];

		if (cred->is_resident && strcmp(cred->rp, auth->rp) == 0 &&
			(cred->protect == 1 || auth->uv))
			k->next.list[k->next.count++] = i;
	}
}

static uint8_t sk_assert_choose(
	struct sk_key *k, uint32_t cid, const cbor_item_t *list, const struct sk_auth *auth)
{
	struct sk_next *next = &k->next;

	memset(next, 0, sizeof(*next));
	if (list != NULL && cbor_isa_array(list) && cbor_array_size(list) > 0)
		sk_assert_listed(k, list, auth);
	else
		sk_assert_discover(k, auth);
	if (next->count == 0)
		return CTAP_NO_CREDENTIALS;
	memcpy(next->hash, auth->hash.ptr, sizeof(next->hash));
	memcpy(next->rp, auth->rp, sizeof(next->rp));
	next->flags = (uint8_t)((auth->up ? FLAG_UP : 0) | (auth->uv ? FLAG_UV : 0));
	next->cid = cid;
	next->until = sk_now() + SK_NEXT_MS;
	return CTAP_OK;
}

/* hmac-secret, CTAP 2.1 §12.5: another value with UV than without. */
static uint8_t sk_assert_hmac(struct sk_key *k, const cbor_item_t *ext, const struct sk_cred *cred,
	struct sk_assertion *a)
{
	static const struct sk_bytes nothing;
	struct sk_bytes salts, mac;
	struct sk_secret s;
	uint8_t salt[64], out[64];
	size_t len = 0;
	int64_t protocol = 1;
	uint8_t status;

	sk_cbor_get_int(sk_cbor_at(ext, 4), &protocol);
	if (!sk_cbor_get_bytes(sk_cbor_at(ext, 2), &salts) ||
		!sk_cbor_get_bytes(sk_cbor_at(ext, 3), &mac) || salts.len > 80)
		return CTAP_INVALID_PARAMETER;
	status = sk_pin_secret(k, sk_cbor_at(ext, 1), protocol, &s);
	if (status != CTAP_OK)
		return status;
	if (!sk_pin_verify(&s, salts, nothing, mac))
		return CTAP_PIN_AUTH_INVALID;
	if (salts.len > (protocol == 2 ? 80 : 64) || !sk_pin_decrypt(&s, salts, salt, &len) ||
		(len != 32 && len != 64))
		return CTAP_INVALID_PARAMETER;
	for (size_t i = 0; i < len; i += 32)
		sk_hmac(cred->hmac + (a->auth.uv ? 32 : 0), (struct sk_bytes){ salt + i, 32 },
			nothing, out + i);
	a->hmac_len = sk_pin_encrypt(&s, out, len, a->hmac_out);
	return CTAP_OK;
}

static cbor_item_t *sk_assert_descriptor(const struct sk_key *k, const struct sk_cred *cred)
{
	uint8_t id[SK_CRED_ID_LEN];
	cbor_item_t *map = sk_cbor_map(2);

	memcpy(id, cred->id, sizeof(id));
	if ((k->wrong & WRONG_CRED) != 0)
		id[0] ^= 0x01;
	sk_cbor_put_text(map, "id", sk_cbor_bytes(id, sizeof(id)));
	sk_cbor_put_text(map, "type", sk_cbor_text("public-key"));
	return map;
}

/* Names are for those who proved the PIN (§6.2.2). */
static cbor_item_t *sk_assert_user(const struct sk_cred *cred, bool has_uv)
{
	bool has_name = has_uv && cred->name[0] != '\0';
	bool has_display = has_uv && cred->display[0] != '\0';
	cbor_item_t *map = sk_cbor_map(1 + (size_t)has_name + (size_t)has_display);

	sk_cbor_put_text(map, "id", sk_cbor_bytes(cred->user, cred->user_len));
	if (has_name)
		sk_cbor_put_text(map, "name", sk_cbor_text(cred->name));
	if (has_display)
		sk_cbor_put_text(map, "displayName", sk_cbor_text(cred->display));
	return map;
}

static size_t sk_assert_data(
	struct sk_key *k, const struct sk_assertion *a, uint8_t flags, uint8_t *ret, size_t max)
{
	size_t len;

	if ((k->wrong & WRONG_NO_UV) != 0)
		flags &= (uint8_t)~FLAG_UV;
	if ((k->wrong & WRONG_NO_UP) != 0)
		flags &= (uint8_t)~FLAG_UP;
	flags |= a != NULL && a->hmac_len > 0 ? FLAG_ED : 0;
	len = sk_auth_data(k, k->next.rp, flags, ret);
	if ((k->wrong & WRONG_RPID) != 0)
		ret[0] ^= 0x01;
	if (a != NULL && a->hmac_len > 0) {
		cbor_item_t *map = sk_cbor_map(1);

		sk_cbor_put_text(map, "hmac-secret", sk_cbor_bytes(a->hmac_out, a->hmac_len));
		len += sk_cbor_write(map, ret + len, max - len);
	}
	return len;
}

static size_t sk_assert_sign(
	struct sk_key *k, const struct sk_cred *cred, struct sk_bytes data, uint8_t ret[static 80])
{
	struct sk_bytes hash = { k->next.hash, sizeof(k->next.hash) };
	EVP_PKEY *other;
	size_t len;

	if ((k->wrong & WRONG_ALG) != 0) {
		other = sk_key_make(cred->alg == COSE_ES256 ? COSE_EDDSA : COSE_ES256);
		len = sk_sign(other, data, hash, ret);
		EVP_PKEY_free(other);
	} else {
		len = sk_sign(cred->key, data, hash, ret);
	}
	if ((k->wrong & WRONG_SIG) != 0)
		ret[len - 1] ^= 0x01;
	return len;
}

/* The answer for the credential whose turn it is; the first one says how many there are. */
static cbor_item_t *sk_assert_answer(struct sk_key *k, const struct sk_assertion *a)
{
	struct sk_next *next = &k->next;
	const struct sk_cred *cred = &k->creds[next->list[next->at]];
	bool says_count = next->at == 0 && next->count > 1;
	cbor_item_t *map = sk_cbor_map(3 + (size_t)cred->is_resident + (size_t)says_count);
	uint8_t buf[256], sig[80];
	struct sk_bytes data = { .ptr = buf };

	data.len = sk_assert_data(k, a, next->flags, buf, sizeof(buf));
	sk_cbor_put(map, 1, sk_assert_descriptor(k, cred));
	sk_cbor_put(map, 2, sk_cbor_bytes(data.ptr, data.len));
	sk_cbor_put(map, 3, sk_cbor_bytes(sig, sk_assert_sign(k, cred, data, sig)));
	if (cred->is_resident)
		sk_cbor_put(map, 4, sk_assert_user(cred, (next->flags & FLAG_UV) != 0));
	if (says_count)
		sk_cbor_put(map, 5, sk_cbor_int((int64_t)next->count));
	next->at++;
	k->count.assertions++;
	return map;
}

uint8_t sk_get_assertion(struct sk_key *k, uint32_t cid, const cbor_item_t *req, cbor_item_t **ret)
{
	struct sk_assertion a = { 0 };
	const cbor_item_t *hmac = sk_cbor_at_text(sk_cbor_at(req, 4), "hmac-secret");
	uint8_t status = sk_assert_parse(req, &a.auth);

	if (status == CTAP_OK)
		status = sk_auth_verify(k, &a.auth, PERM_GA);
	if (status == CTAP_OK)
		status = sk_assert_choose(k, cid, sk_cbor_at(req, 3), &a.auth);
	if (status == CTAP_OK && a.auth.up)
		status = sk_touch_await(k);
	if (status == CTAP_OK && hmac != NULL)
		status = sk_assert_hmac(k, hmac, &k->creds[k->next.list[0]], &a);
	if (status != CTAP_OK) {
		k->next.count = 0;
		return status;
	}
	if (a.auth.up)
		sk_pin_used(k);
	*ret = sk_assert_answer(k, &a);
	return CTAP_OK;
}

uint8_t sk_get_next(struct sk_key *k, uint32_t cid, cbor_item_t **ret)
{
	struct sk_next *next = &k->next;

	if (next->cid != cid || next->at >= next->count || sk_now() > next->until)
		return CTAP_NOT_ALLOWED;
	next->until = sk_now() + SK_NEXT_MS;
	*ret = sk_assert_answer(k, NULL);
	return CTAP_OK;
}

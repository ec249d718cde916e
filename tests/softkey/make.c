/* SPDX-License-Identifier: BSD-2-Clause */
/* authenticatorMakeCredential, CTAP 2.1 §6.1 */
#include <string.h>

#include "softkey.h"

struct sk_make {
	struct sk_auth auth;
	struct sk_cred cred;
	bool wants_hmac;
	unsigned wants_protect; /* 0: not asked for */
};

/* The first algorithm of the list that is ours. */
static int sk_make_alg(const struct sk_key *k, const cbor_item_t *list)
{
	if (list == NULL || !cbor_isa_array(list))
		return 0;
	for (size_t i = 0; i < cbor_array_size(list); i++) {
		const cbor_item_t *entry = cbor_array_handle(list)[i];
		int64_t alg = 0;

		if (!sk_cbor_is_text(sk_cbor_at_text(entry, "type"), "public-key") ||
			!sk_cbor_get_int(sk_cbor_at_text(entry, "alg"), &alg))
			continue;
		if ((alg == COSE_ES256 || alg == COSE_EDDSA) &&
			(k->opt.only_alg == 0 || k->opt.only_alg == alg))
			return (int)alg;
	}
	return 0;
}

static uint8_t sk_make_user(const cbor_item_t *user, struct sk_cred *cred)
{
	struct sk_bytes id;

	if (user == NULL)
		return CTAP_MISSING_PARAMETER;
	if (!sk_cbor_get_bytes(sk_cbor_at_text(user, "id"), &id) || id.len > SK_USER_MAX)
		return CTAP_INVALID_PARAMETER;
	memcpy(cred->user, id.ptr, id.len);
	cred->user_len = id.len;
	/* longer names are dropped; the specification lets them be cut */
	sk_cbor_get_text(sk_cbor_at_text(user, "name"), cred->name, sizeof(cred->name));
	sk_cbor_get_text(
		sk_cbor_at_text(user, "displayName"), cred->display, sizeof(cred->display));
	return CTAP_OK;
}

static uint8_t sk_make_extensions(const cbor_item_t *map, struct sk_make *make)
{
	const cbor_item_t *protect = sk_cbor_at_text(map, "credProtect");
	int64_t level = 0;

	if (!sk_cbor_get_option(sk_cbor_at_text(map, "hmac-secret"), &make->wants_hmac))
		return CTAP_CBOR_TYPE;
	if (protect != NULL && (!sk_cbor_get_int(protect, &level) || level < 1 || level > 3))
		return CTAP_INVALID_OPTION;
	make->wants_protect = (unsigned)level;
	make->cred.protect = level == 0 ? 1 : (unsigned)level;
	return CTAP_OK;
}

static uint8_t sk_make_parse(const struct sk_key *k, const cbor_item_t *req, struct sk_make *make)
{
	struct sk_auth *auth = &make->auth;
	uint8_t status;

	if (!sk_cbor_get_bytes(sk_cbor_at(req, 1), &auth->hash) || auth->hash.len != 32 ||
		!sk_cbor_get_text(
			sk_cbor_at_text(sk_cbor_at(req, 2), "id"), auth->rp, sizeof(auth->rp)))
		return CTAP_MISSING_PARAMETER;
	status = sk_make_user(sk_cbor_at(req, 3), &make->cred);
	if (status != CTAP_OK)
		return status;
	make->cred.alg = sk_make_alg(k, sk_cbor_at(req, 4));
	if (make->cred.alg == 0)
		return CTAP_UNSUPPORTED_ALGORITHM;
	status = sk_make_extensions(sk_cbor_at(req, 6), make);
	if (status == CTAP_OK)
		status = sk_auth_options(sk_cbor_at(req, 7), auth);
	if (status != CTAP_OK)
		return status;
	if (auth->has_up && !auth->up)
		return CTAP_INVALID_OPTION;
	if (auth->rk && k->opt.no_resident)
		return CTAP_UNSUPPORTED_OPTION;
	auth->has_param = sk_cbor_get_bytes(sk_cbor_at(req, 8), &auth->param);
	sk_cbor_get_int(sk_cbor_at(req, 9), &auth->protocol);
	return CTAP_OK;
}

static bool sk_make_is_excluded(
	struct sk_key *k, const cbor_item_t *list, const struct sk_auth *auth)
{
	if (list == NULL || !cbor_isa_array(list))
		return false;
	for (size_t i = 0; i < cbor_array_size(list); i++) {
		const struct sk_cred *cred =
			sk_cred_listed(k, cbor_array_handle(list)[i], auth->rp);

		if (cred != NULL && (cred->protect < 3 || auth->uv))
			return true;
	}
	return false;
}

static void sk_make_fill(struct sk_make *make)
{
	struct sk_cred *cred = &make->cred;

	sk_random(cred->id, sizeof(cred->id));
	sk_random(cred->hmac, sizeof(cred->hmac));
	memcpy(cred->rp, make->auth.rp, sizeof(cred->rp));
	cred->is_resident = make->auth.rk;
	cred->key = sk_key_make(cred->alg);
}

static size_t sk_make_auth_data(
	struct sk_key *k, const struct sk_make *make, uint8_t *ret, size_t max)
{
	const struct sk_cred *cred = &make->cred;
	size_t extensions = (size_t)make->wants_hmac + (make->wants_protect != 0);
	uint8_t flags = FLAG_UP | FLAG_AT;
	size_t len;

	flags |= make->auth.uv ? FLAG_UV : 0;
	flags |= extensions > 0 ? FLAG_ED : 0;
	len = sk_auth_data(k, make->auth.rp, flags, ret);
	memcpy(ret + len, k->aaguid, 16);
	ret[len + 16] = 0;
	ret[len + 17] = SK_CRED_ID_LEN;
	memcpy(ret + len + 18, cred->id, SK_CRED_ID_LEN);
	len += 18 + SK_CRED_ID_LEN;
	len += sk_cbor_write(sk_key_cose(cred->key, cred->alg), ret + len, max - len);
	if (extensions > 0) {
		cbor_item_t *map = sk_cbor_map(extensions);

		if (make->wants_protect != 0)
			sk_cbor_put_text(map, "credProtect", sk_cbor_int(make->wants_protect));
		if (make->wants_hmac)
			sk_cbor_put_text(map, "hmac-secret", sk_cbor_bool(true));
		len += sk_cbor_write(map, ret + len, max - len);
	}
	return len;
}

/* WebAuthn §8.2 (packed, self) and §8.7 (none) */
static cbor_item_t *sk_make_statement(
	struct sk_key *k, const struct sk_make *make, struct sk_bytes auth_data)
{
	bool is_self = k->opt.attestation == ATTEST_SELF;
	EVP_PKEY *key = is_self ? make->cred.key : k->attest_key;
	uint8_t sig[80], der[1024];
	cbor_item_t *map, *chain;

	if (k->opt.attestation == ATTEST_NONE)
		return sk_cbor_map(0);
	map = sk_cbor_map(is_self ? 2 : 3);
	sk_cbor_put_text(map, "alg", sk_cbor_int(is_self ? make->cred.alg : COSE_ES256));
	sk_cbor_put_text(
		map, "sig", sk_cbor_bytes(sig, sk_sign(key, auth_data, make->auth.hash, sig)));
	if (is_self)
		return map;
	chain = sk_cbor_list(1);
	sk_cbor_push(chain, sk_cbor_bytes(der, sk_certificate(key, k->aaguid, der, sizeof(der))));
	sk_cbor_put_text(map, "x5c", chain);
	return map;
}

static uint8_t sk_make_consent(struct sk_key *k, const cbor_item_t *req, struct sk_make *make)
{
	uint8_t status = sk_auth_verify(k, &make->auth, PERM_MC);

	if (status != CTAP_OK)
		return status;
	/* makeCredUvNotRqd: without the PIN, but then not discoverable */
	if (k->has_pin && !make->auth.uv && (make->auth.rk || k->opt.is_old))
		return CTAP_PUAT_REQUIRED;
	status = sk_touch_await(k);
	if (status != CTAP_OK)
		return status;
	if (sk_make_is_excluded(k, sk_cbor_at(req, 5), &make->auth))
		return CTAP_CREDENTIAL_EXCLUDED;
	return CTAP_OK;
}

uint8_t sk_make_credential(struct sk_key *k, const cbor_item_t *req, cbor_item_t **ret)
{
	struct sk_make make = { 0 };
	uint8_t data[1024];
	struct sk_bytes auth_data = { .ptr = data };
	uint8_t status = sk_make_parse(k, req, &make);

	if (status == CTAP_OK)
		status = sk_make_consent(k, req, &make);
	if (status != CTAP_OK)
		return status;
	sk_make_fill(&make);
	if (!sk_cred_add(k, &make.cred)) {
		EVP_PKEY_free(make.cred.key);
		return CTAP_KEY_STORE_FULL;
	}
	sk_pin_used(k);
	k->count.registrations++;
	auth_data.len = sk_make_auth_data(k, &make, data, sizeof(data));
	*ret = sk_cbor_map(3);
	sk_cbor_put(*ret, 1, sk_cbor_text(k->opt.attestation == ATTEST_NONE ? "none" : "packed"));
	sk_cbor_put(*ret, 2, sk_cbor_bytes(auth_data.ptr, auth_data.len));
	sk_cbor_put(*ret, 3, sk_make_statement(k, &make, auth_data));
	return CTAP_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <stdio.h>
#include <string.h>

#define FLAG_UP 0x01
#define FLAG_UV 0x04
#define FLAG_AT 0x40

static bool has_option(const struct key *key, const char *name)
{
	char **names = fido_cbor_info_options_name_ptr(key->info);
	const bool *values = fido_cbor_info_options_value_ptr(key->info);

	for (size_t i = 0; i < fido_cbor_info_options_len(key->info); i++)
		if (strcmp(names[i], name) == 0)
			return values[i];
	return false;
}

/* ES256 wherever the key can, or does not say (before CTAP 2.1); else EdDSA. */
static int choose_alg(const struct key *key)
{
	size_t count = fido_cbor_info_algorithm_count(key->info);
	bool has_eddsa = false;

	for (size_t i = 0; i < count; i++) {
		int alg = fido_cbor_info_algorithm_cose(key->info, i);

		if (alg == COSE_ES256)
			return alg;
		has_eddsa |= alg == COSE_EDDSA;
	}
	return has_eddsa ? COSE_EDDSA : COSE_ES256;
}

static bool cred_set(fido_cred_t *cred, const struct key *key,
	const struct bg_fido2_request *request, int alg, bool is_rk)
{
	const char *name = request->user_name[0] ? request->user_name : "breakglass";

	for (size_t i = 0; i < request->credential_count; i++)
		if (fido_cred_exclude(cred, request->credentials[i].id,
			    request->credentials[i].len) != FIDO_OK)
			return false;
	/* credProtect 2: found with its credential id before a PIN is typed, without it by nobody
	 */
	if (fido_dev_supports_cred_prot(key->dev) &&
		fido_cred_set_prot(cred, FIDO_CRED_PROT_UV_OPTIONAL_WITH_ID) != FIDO_OK)
		return false;
	return fido_cred_set_type(cred, alg) == FIDO_OK &&
	       fido_cred_set_clientdata_hash(cred, request->client_data_hash,
		       sizeof(request->client_data_hash)) == FIDO_OK &&
	       fido_cred_set_rp(cred, request->rp_id, request->rp_id) == FIDO_OK &&
	       fido_cred_set_user(cred, request->user_id, sizeof(request->user_id), name, name,
		       NULL) == FIDO_OK &&
	       fido_cred_set_rk(cred, is_rk ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK;
}

/* Flags and RP id hash, for every format; `none` is checked by nobody else. */
static bool authdata_is_sound(const fido_cred_t *cred, const char *rp_id)
{
	const uint8_t *raw = fido_cred_authdata_raw_ptr(cred);
	struct bg_crypto *crypto = bg_crypto_open();
	uint8_t hash[BG_SHA256_LEN], flags = FLAG_UP | FLAG_UV | FLAG_AT;
	bool is_sound = crypto && raw && fido_cred_authdata_raw_len(cred) >= sizeof(hash) &&
			bg_sha256(crypto, rp_id, strlen(rp_id), hash) == BG_OK &&
			memcmp(raw, hash, sizeof(hash)) == 0 &&
			(fido_cred_flags(cred) & flags) == flags;

	bg_crypto_close(crypto);
	return is_sound;
}

/* Packed attestation is verified, by its certificate or the credential itself; a format that
   libfido2 does not know counts as none. */
static enum bg_err verify(const fido_cred_t *cred, const char *rp_id, bool *ret_is_attested)
{
	const char *fmt = fido_cred_fmt(cred);
	bool is_certified = fido_cred_x5c_len(cred) > 0;

	*ret_is_attested = false;
	if (!authdata_is_sound(cred, rp_id))
		return BG_ERR_SIGNATURE;
	if (!fmt || strcmp(fmt, "packed") != 0)
		return BG_OK;
	if ((is_certified ? fido_cred_verify(cred) : fido_cred_verify_self(cred)) != FIDO_OK)
		return BG_ERR_SIGNATURE;
	*ret_is_attested = is_certified;
	return BG_OK;
}

static enum bg_err answer(
	const fido_cred_t *cred, const struct key *key, int alg, struct bg_key *ret)
{
	size_t pub_len = alg == COSE_ES256 ? 64 : 32;
	const uint8_t *id = fido_cred_id_ptr(cred), *pub = fido_cred_pubkey_ptr(cred);
	const uint8_t *aaguid = fido_cred_aaguid_ptr(cred);

	if (!id || !pub || !aaguid || fido_cred_type(cred) != alg ||
		fido_cred_pubkey_len(cred) != pub_len || fido_cred_id_len(cred) == 0 ||
		fido_cred_id_len(cred) > sizeof(ret->credential) ||
		fido_cred_aaguid_len(cred) != sizeof(ret->aaguid))
		return BG_ERR_IO;
	ret->alg = alg == COSE_ES256 ? BG_ALG_ES256 : BG_ALG_EDDSA;
	memcpy(ret->pub, pub, pub_len);
	ret->credential_len = fido_cred_id_len(cred);
	memcpy(ret->credential, id, ret->credential_len);
	memcpy(ret->aaguid, aaguid, sizeof(ret->aaguid));
	(void)snprintf(ret->model, sizeof(ret->model), "%s", key->node->model);
	return BG_OK;
}

static int make(const struct key *key, const struct bg_fido2_request *request, int alg, bool is_rk,
	fido_cred_t **ret)
{
	int r = FIDO_ERR_INTERNAL;

	*ret = fido_cred_new();
	if (*ret && cred_set(*ret, key, request, alg, is_rk))
		r = fido_dev_make_cred(key->dev, *ret, request->pin.text);
	if (r != FIDO_OK)
		fido_cred_free(ret);
	return r;
}

enum bg_err make_run(
	struct key *key, const struct bg_fido2_request *request, struct bg_fido2_reply *reply)
{
	int alg = choose_alg(key), r;
	bool is_rk = has_option(key, "rk");
	fido_cred_t *cred = NULL;
	enum bg_err err;

	wire_begin(key->dev, wire_now() + (int64_t)request->timeout_secs * 1000);
	r = make(key, request, alg, is_rk, &cred);
	if (r == FIDO_ERR_UNSUPPORTED_ALGORITHM && alg == COSE_ES256) {
		alg = COSE_EDDSA;
		r = make(key, request, alg, is_rk, &cred);
	}
	if (r == FIDO_ERR_KEY_STORE_FULL && is_rk) { /* one more touch, but no other key needed */
		is_rk = false;
		r = make(key, request, alg, is_rk, &cred);
	}
	if (r != FIDO_OK)
		return keys_failure(key, r, reply);
	err = verify(cred, request->rp_id, &reply->is_attested);
	if (!err)
		err = answer(cred, key, alg, &reply->key);
	reply->is_discoverable = is_rk;
	fido_cred_free(&cred);
	return err;
}

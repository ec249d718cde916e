/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/assertion.h>

#include <string.h>

/* authenticatorData: rpIdHash (32), flags, signCount (4), extensions (WebAuthn 6.1). */
#define FLAGS_AT     32
#define FIXED_LEN    37
#define FLAG_UP	     0x01
#define FLAG_UV	     0x04
#define FLAG_AT	     0x40
#define FLAG_ED	     0x80
#define DER_MIN_LEN  8
#define DER_MAX_LEN  72
#define ES256_XY_LEN 64

static enum bg_err refuse(struct bg_diag *diag, const char *what)
{
	return bg_diag_set(diag, BG_ERR_ASSERTION, "assertion", "%s", what);
}

static enum bg_err check_flags(const struct bg_assertion *a, struct bg_diag *diag)
{
	uint8_t flags = a->authdata[FLAGS_AT];
	bool has_extensions = (flags & FLAG_ED) != 0;

	if ((flags & FLAG_UP) == 0)
		return refuse(diag, "the key was not touched (UP)");
	if ((flags & FLAG_UV) == 0)
		return refuse(diag, "the key did not check its PIN (UV)");
	if ((flags & FLAG_AT) != 0)
		return refuse(diag, "attested data in an assertion");
	if (has_extensions != (a->authdata_len > FIXED_LEN))
		return refuse(diag, "authenticator data has a wrong length");
	return BG_OK;
}

static enum bg_err check_rp_id(struct bg_crypto *crypto, const char *rp_id,
	const struct bg_assertion *a, struct bg_diag *diag)
{
	uint8_t hash[BG_SHA256_LEN];
	enum bg_err err = bg_sha256(crypto, rp_id, strlen(rp_id), hash);

	if (err != BG_OK)
		return err;
	if (!bg_equal(hash, a->authdata, sizeof(hash)))
		return refuse(diag, "relying party is another (RP id hash)");
	return BG_OK;
}

static enum bg_err check_credential(
	const struct bg_key *key, const struct bg_assertion *a, struct bg_diag *diag)
{
	if (key->credential_len == 0 || key->credential_len > sizeof(key->credential))
		return refuse(diag, "this key has no credential");
	/* A key that was asked for one credential need not name it (CTAP 2.1 section 6.2.2). */
	if (a->credential_len == 0)
		return BG_OK;
	if (a->credential_len != key->credential_len ||
		!bg_equal(a->credential, key->credential, key->credential_len))
		return refuse(diag, "credential is another");
	return BG_OK;
}

static enum bg_err verify_es256(struct bg_crypto *crypto, const struct bg_key *key,
	const uint8_t *msg, size_t len, const struct bg_assertion *a, struct bg_diag *diag)
{
	uint8_t point[1 + ES256_XY_LEN] = { 0x04 };

	if (a->sig_len < DER_MIN_LEN || a->sig_len > DER_MAX_LEN)
		return refuse(diag, "signature has a wrong length for ES256");
	memcpy(point + 1, key->pub, ES256_XY_LEN);
	return bg_es256_verify(crypto, point, msg, len, a->sig, a->sig_len);
}

static enum bg_err verify_signature(struct bg_crypto *crypto, const struct bg_key *key,
	const uint8_t client_data_hash[static BG_SHA256_LEN], const struct bg_assertion *a,
	struct bg_diag *diag)
{
	uint8_t msg[BG_AUTHDATA_MAX_LEN + BG_SHA256_LEN];
	size_t len = a->authdata_len + BG_SHA256_LEN;

	memcpy(msg, a->authdata, a->authdata_len);
	memcpy(msg + a->authdata_len, client_data_hash, BG_SHA256_LEN);
	switch (key->alg) {
	case BG_ALG_ES256:
		return verify_es256(crypto, key, msg, len, a, diag);
	case BG_ALG_EDDSA:
		if (a->sig_len != BG_ED25519_SIG_LEN)
			return refuse(diag, "signature has a wrong length for EdDSA");
		return bg_ed25519_verify(crypto, key->pub, msg, len, a->sig);
	case BG_ALG_NONE:
		break;
	}
	return refuse(diag, "this key has no algorithm");
}

enum bg_err bg_assertion_verify(struct bg_crypto *crypto, const struct bg_key *key,
	const char *rp_id, const uint8_t client_data_hash[static BG_SHA256_LEN],
	const struct bg_assertion *assertion, struct bg_diag *diag)
{
	enum bg_err err;

	if (assertion->authdata_len < FIXED_LEN ||
		assertion->authdata_len > sizeof(assertion->authdata))
		return refuse(diag, "authenticator data has a wrong length");
	if (assertion->sig_len > sizeof(assertion->sig))
		return refuse(diag, "signature is too long");
	err = check_rp_id(crypto, rp_id, assertion, diag);
	if (err == BG_OK)
		err = check_flags(assertion, diag);
	if (err == BG_OK)
		err = check_credential(key, assertion, diag);
	if (err != BG_OK)
		return err;
	err = verify_signature(crypto, key, client_data_hash, assertion, diag);
	if (err == BG_ERR_SIGNATURE)
		bg_diag_set(
			diag, err, "assertion", "signature of the key is not over this challenge");
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "softkey.h"

/* id-fido-gen-ce-aaguid, WebAuthn §8.2.1 */
#define AAGUID_OID "1.3.6.1.4.1.45724.1.1.4"

static void sk_must(bool ok)
{
	if (!ok) {
		errno = 0;
		sk_die("libcrypto failed");
	}
}

void sk_random(uint8_t *ret, size_t len)
{
	sk_must(len <= INT_MAX && RAND_bytes(ret, (int)len) == 1);
}

void sk_sha256(const uint8_t *data, size_t len, uint8_t ret[static 32])
{
	sk_must(EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL) == 1);
}

void sk_hmac(
	const uint8_t key[static 32], struct sk_bytes a, struct sk_bytes b, uint8_t ret[static 32])
{
	EVP_PKEY *mac_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 32;

	sk_must(mac_key != NULL && ctx != NULL);
	sk_must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, mac_key) == 1);
	sk_must(a.len == 0 || EVP_DigestSignUpdate(ctx, a.ptr, a.len) == 1);
	sk_must(b.len == 0 || EVP_DigestSignUpdate(ctx, b.ptr, b.len) == 1);
	sk_must(EVP_DigestSignFinal(ctx, ret, &len) == 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(mac_key);
}

void sk_hkdf(const uint8_t ikm[static 32], const char *info, uint8_t ret[static 32])
{
	static const uint8_t salt[32];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t len = 32;

	sk_must(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
	sk_must(EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1);
	sk_must(EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, sizeof(salt)) == 1);
	sk_must(EVP_PKEY_CTX_set1_hkdf_key(ctx, ikm, 32) == 1);
	sk_must(EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *)info, (int)strlen(info)) ==
		1);
	sk_must(EVP_PKEY_derive(ctx, ret, &len) == 1);
	EVP_PKEY_CTX_free(ctx);
}

void sk_aes(bool encrypt, const uint8_t key[static 32], const uint8_t iv[static 16],
	const uint8_t *in, size_t len, uint8_t *ret)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0;

	sk_must(ctx != NULL && len <= SK_MSG_MAX && len % 16 == 0);
	sk_must(EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt ? 1 : 0) == 1);
	sk_must(EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
	sk_must(EVP_CipherUpdate(ctx, ret, &done, in, (int)len) == 1 && (size_t)done == len);
	EVP_CIPHER_CTX_free(ctx);
}

EVP_PKEY *sk_key_make(int alg)
{
	EVP_PKEY *key = alg == COSE_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
					  : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	sk_must(key != NULL);
	return key;
}

cbor_item_t *sk_key_cose(EVP_PKEY *key, int alg)
{
	bool is_ed = alg == COSE_EDDSA;
	cbor_item_t *map = sk_cbor_map(is_ed ? 4 : 5);
	uint8_t pub[65]; /* 04 || x || y, or x */
	size_t len = 0;

	sk_must(EVP_PKEY_get_octet_string_param(
			key, OSSL_PKEY_PARAM_PUB_KEY, pub, sizeof(pub), &len) == 1);
	sk_must(len == (is_ed ? 32 : 65));
	sk_cbor_put(map, 1, sk_cbor_int(is_ed ? 1 : 2));
	sk_cbor_put(map, 3, sk_cbor_int(alg));
	sk_cbor_put(map, -1, sk_cbor_int(is_ed ? 6 : 1));
	sk_cbor_put(map, -2, sk_cbor_bytes(is_ed ? pub : pub + 1, 32));
	if (!is_ed)
		sk_cbor_put(map, -3, sk_cbor_bytes(pub + 33, 32));
	return map;
}

size_t sk_sign(EVP_PKEY *key, struct sk_bytes a, struct sk_bytes b, uint8_t ret[static 80])
{
	const EVP_MD *md = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *data = malloc(a.len + b.len);
	size_t len = 80;

	sk_must(ctx != NULL && data != NULL);
	memcpy(data, a.ptr, a.len);
	memcpy(data + a.len, b.ptr, b.len);
	sk_must(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1);
	sk_must(EVP_DigestSign(ctx, ret, &len, data, a.len + b.len) == 1);
	free(data);
	EVP_MD_CTX_free(ctx);
	return len;
}

static EVP_PKEY *sk_key_from_cose(const cbor_item_t *cose)
{
	char group[] = "P-256";
	uint8_t point[65] = { 0x04 };
	struct sk_bytes x, y;
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (!sk_cbor_get_bytes(sk_cbor_at(cose, -2), &x) ||
		!sk_cbor_get_bytes(sk_cbor_at(cose, -3), &y) || x.len != 32 || y.len != 32)
		return NULL;
	memcpy(point + 1, x.ptr, 32);
	memcpy(point + 33, y.ptr, 32);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 65);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	sk_must(ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1);
	if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool sk_ecdh(EVP_PKEY *key, const cbor_item_t *peer, uint8_t ret[static 32])
{
	EVP_PKEY *other = sk_key_from_cose(peer);
	EVP_PKEY_CTX *ctx;
	size_t len = 32;

	if (other == NULL)
		return false;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	sk_must(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
	sk_must(EVP_PKEY_derive_set_peer(ctx, other) == 1);
	sk_must(EVP_PKEY_derive(ctx, ret, &len) == 1 && len == 32);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	return true;
}

static void sk_name_add(X509_NAME *name, const char *field, const char *value)
{
	sk_must(X509_NAME_add_entry_by_txt(
			name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0) == 1);
}

/* The extension's value is itself an OCTET STRING of 16 bytes. */
static void sk_certificate_aaguid(X509 *cert, const uint8_t aaguid[static 16])
{
	ASN1_OBJECT *oid = OBJ_txt2obj(AAGUID_OID, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	uint8_t der[18] = { V_ASN1_OCTET_STRING, 16 };
	X509_EXTENSION *ext;

	memcpy(der + 2, aaguid, 16);
	sk_must(oid != NULL && value != NULL && ASN1_OCTET_STRING_set(value, der, 18) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	sk_must(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

size_t sk_certificate(EVP_PKEY *key, const uint8_t aaguid[static 16], uint8_t *ret, size_t max)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_NAME_new();
	X509_EXTENSION *not_ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:FALSE");
	int len;

	sk_must(cert != NULL && name != NULL && not_ca != NULL);
	sk_name_add(name, "C", "ZZ");
	sk_name_add(name, "O", "softkey");
	sk_name_add(name, "OU", "Authenticator Attestation");
	sk_name_add(name, "CN", "softkey test authenticator");
	sk_must(X509_set_version(cert, 2) == 1);
	sk_must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
	/* fixed dates: a test must not depend on the day that it is run */
	sk_must(ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "20200101000000Z") == 1);
	sk_must(ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "20491231235959Z") == 1);
	sk_must(X509_set_subject_name(cert, name) == 1 && X509_set_issuer_name(cert, name) == 1);
	sk_must(X509_set_pubkey(cert, key) == 1 && X509_add_ext(cert, not_ca, -1) == 1);
	sk_certificate_aaguid(cert, aaguid);
	sk_must(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, NULL);
	sk_must(len > 0 && (size_t)len <= max && i2d_X509(cert, &ret) == len);
	X509_EXTENSION_free(not_ca);
	X509_NAME_free(name);
	X509_free(cert);
	return (size_t)len;
}

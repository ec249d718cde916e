/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/crypto.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>

#include "msan.h"

struct bg_crypto {
	OSSL_LIB_CTX *ctx;
	OSSL_PROVIDER *provider;
	EVP_MD *sha256;
};

/* The error queue belongs to the host process: what we add to it is taken back. */
static void errors_pop(const int *mark)
{
	(void)mark;
	(void)ERR_pop_to_mark();
}
#define KEEP_ERROR_QUEUE                                                                           \
	BG_WIPE(errors_pop) const int mark = ERR_set_mark();                                       \
	(void)mark

static void md_ctx_free(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

static void pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void pkey_ctx_free(EVP_PKEY_CTX **p)
{
	EVP_PKEY_CTX_free(*p);
}

struct bg_crypto *bg_crypto_open(void)
{
	KEEP_ERROR_QUEUE;
	struct bg_crypto *crypto;

	/* Must come before any other use: an implicit first one would read OPENSSL_CONF. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return NULL;
	crypto = calloc(1, sizeof(*crypto));
	if (!crypto)
		return NULL;
	crypto->ctx = OSSL_LIB_CTX_new();
	if (crypto->ctx)
		/* built into libcrypto: OPENSSL_MODULES is not consulted */
		crypto->provider = OSSL_PROVIDER_load(crypto->ctx, "default");
	if (crypto->provider)
		crypto->sha256 = EVP_MD_fetch(crypto->ctx, "SHA256", NULL);
	if (!crypto->sha256) {
		bg_crypto_close(crypto);
		return NULL;
	}
	return crypto;
}

void bg_crypto_close(struct bg_crypto *crypto)
{
	if (!crypto)
		return;
	EVP_MD_free(crypto->sha256);
	if (crypto->provider)
		OSSL_PROVIDER_unload(crypto->provider);
	OSSL_LIB_CTX_free(crypto->ctx);
	free(crypto);
}

void bg_crypto_cleanup(struct bg_crypto **crypto)
{
	bg_crypto_close(*crypto);
	*crypto = NULL;
}

void *bg_crypto_libctx(struct bg_crypto *crypto)
{
	return crypto->ctx;
}

enum bg_err bg_sha256(
	struct bg_crypto *crypto, const void *p, size_t len, uint8_t ret[static BG_SHA256_LEN])
{
	KEEP_ERROR_QUEUE;
	uint8_t digest[BG_SHA256_LEN];
	unsigned int digest_len = 0;

	if (EVP_Digest(p, len, digest, &digest_len, crypto->sha256, NULL) != 1)
		return BG_ERR_CRYPTO;
	bg_foreign_output(digest, sizeof(digest));
	memcpy(ret, digest, sizeof(digest));
	bg_wipe(digest, sizeof(digest));
	return BG_OK;
}

enum bg_err bg_hmac_sha256(struct bg_crypto *crypto, const void *key, size_t key_len, const void *p,
	size_t len, uint8_t ret[static BG_SHA256_LEN])
{
	KEEP_ERROR_QUEUE;
	uint8_t digest[BG_SHA256_LEN];
	size_t digest_len = 0;

	if (!EVP_Q_mac(crypto->ctx, "HMAC", NULL, "SHA256", NULL, key, key_len, p, len, digest,
		    sizeof(digest), &digest_len))
		return BG_ERR_CRYPTO;
	bg_foreign_output(digest, sizeof(digest));
	memcpy(ret, digest, sizeof(digest));
	bg_wipe(digest, sizeof(digest));
	return BG_OK;
}

static enum bg_err derive(
	struct bg_crypto *crypto, const char *name, const OSSL_PARAM *params, void *ret, size_t len)
{
	KEEP_ERROR_QUEUE;
	EVP_KDF *kdf = EVP_KDF_fetch(crypto->ctx, name, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool is_done = ctx && EVP_KDF_derive(ctx, ret, len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!is_done) {
		bg_wipe(ret, len);
		return BG_ERR_CRYPTO;
	}
	bg_foreign_output(ret, len);
	return BG_OK;
}

/* libcrypto's parameters take pointers to what they only read. */
static OSSL_PARAM octets(const char *key, const void *p, size_t len)
{
	union {
		const void *in;
		void *out;
	} u = { .in = len ? p : "" };

	return OSSL_PARAM_construct_octet_string(key, u.out, len);
}

static OSSL_PARAM text(const char *key, const char *value)
{
	union {
		const char *in;
		char *out;
	} u = { .in = value };

	return OSSL_PARAM_construct_utf8_string(key, u.out, 0);
}

enum bg_err bg_pbkdf2_sha256(struct bg_crypto *crypto, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t rounds, void *ret, size_t ret_len)
{
	/* SP 800-132's lower bounds (salt, rounds, length) would refuse SLIP-39's parameters. */
	int without_bounds = 1;
	OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_PASSWORD, password, password_len),
		octets(OSSL_KDF_PARAM_SALT, salt, salt_len),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &rounds),
		text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &without_bounds),
		OSSL_PARAM_construct_end(),
	};

	if (!rounds || !ret_len)
		return BG_ERR_ARGUMENT;
	return derive(crypto, "PBKDF2", params, ret, ret_len);
}

enum bg_err bg_hkdf_sha256(struct bg_crypto *crypto, const void *ikm, size_t ikm_len,
	const void *salt, size_t salt_len, const void *info, size_t info_len, void *ret,
	size_t ret_len)
{
	OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_KEY, ikm, ikm_len),
		octets(OSSL_KDF_PARAM_SALT, salt, salt_len),
		octets(OSSL_KDF_PARAM_INFO, info, info_len),
		text(OSSL_KDF_PARAM_DIGEST, "SHA256"),
		OSSL_PARAM_construct_end(),
	};

	if (!ikm_len || !ret_len || ret_len > 64)
		return BG_ERR_ARGUMENT;
	return derive(crypto, "HKDF", params, ret, ret_len);
}

static EVP_PKEY *raw_private(
	struct bg_crypto *crypto, const char *type, const struct bg_secret *secret)
{
	return EVP_PKEY_new_raw_private_key_ex(crypto->ctx, type, NULL, secret->bytes, secret->len);
}

static enum bg_err raw_public(struct bg_crypto *crypto, const char *type,
	const struct bg_secret *secret, uint8_t ret[static 32])
{
	KEEP_ERROR_QUEUE;
	BG_WIPE(pkey_free) EVP_PKEY *key = NULL;
	uint8_t pub[32];
	size_t len = sizeof(pub);

	if (secret->len != 32)
		return BG_ERR_ARGUMENT;
	key = raw_private(crypto, type, secret);
	if (!key || EVP_PKEY_get_raw_public_key(key, pub, &len) != 1)
		return BG_ERR_CRYPTO;
	bg_foreign_output(pub, sizeof(pub));
	memcpy(ret, pub, sizeof(pub));
	return BG_OK;
}

enum bg_err bg_ed25519_public(struct bg_crypto *crypto, const struct bg_secret *seed,
	uint8_t ret[static BG_ED25519_PUB_LEN])
{
	return raw_public(crypto, "ED25519", seed, ret);
}

enum bg_err bg_x25519_public(struct bg_crypto *crypto, const struct bg_secret *scalar,
	uint8_t ret[static BG_X25519_PUB_LEN])
{
	return raw_public(crypto, "X25519", scalar, ret);
}

enum bg_err bg_ed25519_sign(struct bg_crypto *crypto, const struct bg_secret *seed, const void *msg,
	size_t len, uint8_t ret[static BG_ED25519_SIG_LEN])
{
	KEEP_ERROR_QUEUE;
	BG_WIPE(pkey_free) EVP_PKEY *key = NULL;
	BG_WIPE(md_ctx_free) EVP_MD_CTX *ctx = NULL;
	uint8_t sig[BG_ED25519_SIG_LEN];
	size_t sig_len = sizeof(sig);

	if (seed->len != 32)
		return BG_ERR_ARGUMENT;
	key = raw_private(crypto, "ED25519", seed);
	ctx = EVP_MD_CTX_new();
	if (!key || !ctx)
		return BG_ERR_CRYPTO;
	if (EVP_DigestSignInit_ex(ctx, NULL, NULL, crypto->ctx, NULL, key, NULL) != 1 ||
		EVP_DigestSign(ctx, sig, &sig_len, msg, len) != 1)
		return BG_ERR_CRYPTO;
	bg_foreign_output(sig, sizeof(sig));
	memcpy(ret, sig, sizeof(sig));
	return BG_OK;
}

/* BG_ERR_SIGNATURE for whatever is not a valid signature by key; NULL is a bad key. */
static enum bg_err verify(struct bg_crypto *crypto, EVP_PKEY *key, const char *digest,
	const void *msg, size_t len, const uint8_t *sig, size_t sig_len)
{
	BG_WIPE(md_ctx_free) EVP_MD_CTX *ctx = NULL;

	if (!key)
		return BG_ERR_SIGNATURE;
	ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestVerifyInit_ex(ctx, NULL, digest, crypto->ctx, NULL, key, NULL) != 1)
		return BG_ERR_CRYPTO;
	return EVP_DigestVerify(ctx, sig, sig_len, msg, len) == 1 ? BG_OK : BG_ERR_SIGNATURE;
}

enum bg_err bg_ed25519_verify(struct bg_crypto *crypto,
	const uint8_t pub[static BG_ED25519_PUB_LEN], const void *msg, size_t len,
	const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	KEEP_ERROR_QUEUE;
	BG_WIPE(pkey_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(
		crypto->ctx, "ED25519", NULL, pub, BG_ED25519_PUB_LEN);

	return verify(crypto, key, NULL, msg, len, sig, BG_ED25519_SIG_LEN);
}

enum bg_err bg_es256_verify(struct bg_crypto *crypto, const uint8_t pub[static 65], const void *msg,
	size_t len, const uint8_t *sig, size_t sig_len)
{
	KEEP_ERROR_QUEUE;
	BG_WIPE(pkey_ctx_free)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto->ctx, "EC", NULL);
	BG_WIPE(pkey_free) EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		text(OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1"),
		octets(OSSL_PKEY_PARAM_PUB_KEY, pub, 65),
		OSSL_PARAM_construct_end(),
	};

	if (pub[0] != 4)
		return BG_ERR_SIGNATURE;
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		return BG_ERR_CRYPTO;
	/* refuses points that are not on the curve */
	if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return BG_ERR_SIGNATURE;
	return verify(crypto, key, "SHA256", msg, len, sig, sig_len);
}

bool bg_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

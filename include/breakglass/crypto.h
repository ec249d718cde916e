/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcrypto behind a library context of our own, so that neither OPENSSL_CONF
 * nor anything the host process loaded into its default context decides what
 * SHA-256 is (RULES P06). Opened once an operation, closed at its end; not
 * shared between threads. Lengths are bytes. What can fail fails with
 * BG_ERR_CRYPTO (libcrypto did) or BG_ERR_ARGUMENT (a length it does not take).
 */
#ifndef BREAKGLASS_CRYPTO_H
#define BREAKGLASS_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <breakglass/err.h>
#include <breakglass/secret.h>

#define BG_SHA256_LEN	   32
#define BG_ED25519_PUB_LEN 32
#define BG_ED25519_SIG_LEN 64
#define BG_X25519_PUB_LEN  32

struct bg_crypto; /* opaque: an OSSL_LIB_CTX with the default provider */

/* NULL when libcrypto fails. Ownership: the caller's, until bg_crypto_close. */
struct bg_crypto *bg_crypto_open(void);
void bg_crypto_close(struct bg_crypto *crypto);	   /* NULL is fine */
void bg_crypto_cleanup(struct bg_crypto **crypto); /* for BG_WIPE(bg_crypto_cleanup) */

/* The OSSL_LIB_CTX within (declared void * so that callers need no OpenSSL header). */
void *bg_crypto_libctx(struct bg_crypto *crypto);

/* SHA-256 (FIPS 180-4) and its HMAC (RFC 2104). */
BG_CHECKED enum bg_err bg_sha256(
	struct bg_crypto *crypto, const void *p, size_t len, uint8_t ret[static BG_SHA256_LEN]);
BG_CHECKED enum bg_err bg_hmac_sha256(struct bg_crypto *crypto, const void *key, size_t key_len,
	const void *p, size_t len, uint8_t ret[static BG_SHA256_LEN]);
/* PBKDF2-HMAC-SHA256 (RFC 8018), rounds >= 1. password may be empty. */
BG_CHECKED enum bg_err bg_pbkdf2_sha256(struct bg_crypto *crypto, const void *password,
	size_t password_len, const void *salt, size_t salt_len, uint32_t rounds, void *ret,
	size_t ret_len);
/* HKDF-SHA256, extract and expand (RFC 5869); ret_len at most 64. */
BG_CHECKED enum bg_err bg_hkdf_sha256(struct bg_crypto *crypto, const void *ikm, size_t ikm_len,
	const void *salt, size_t salt_len, const void *info, size_t info_len, void *ret,
	size_t ret_len);

/* Ed25519 (RFC 8032, pure). seed: 32 bytes. */
BG_CHECKED enum bg_err bg_ed25519_public(struct bg_crypto *crypto, const struct bg_secret *seed,
	uint8_t ret[static BG_ED25519_PUB_LEN]);
BG_CHECKED enum bg_err bg_ed25519_sign(struct bg_crypto *crypto, const struct bg_secret *seed,
	const void *msg, size_t len, uint8_t ret[static BG_ED25519_SIG_LEN]);
/* BG_OK only for a valid signature, BG_ERR_SIGNATURE for an invalid one or a bad key. */
BG_CHECKED enum bg_err bg_ed25519_verify(struct bg_crypto *crypto,
	const uint8_t pub[static BG_ED25519_PUB_LEN], const void *msg, size_t len,
	const uint8_t sig[static BG_ED25519_SIG_LEN]);
/* X25519 (RFC 7748): the public half of a 32-byte scalar. */
BG_CHECKED enum bg_err bg_x25519_public(struct bg_crypto *crypto, const struct bg_secret *scalar,
	uint8_t ret[static BG_X25519_PUB_LEN]);
/* ECDSA on P-256 over the SHA-256 of msg; pub: uncompressed point, 65 bytes; sig: DER. */
BG_CHECKED enum bg_err bg_es256_verify(struct bg_crypto *crypto, const uint8_t pub[static 65],
	const void *msg, size_t len, const uint8_t *sig, size_t sig_len);

/* Constant-time comparison (CRYPTO_memcmp). */
bool bg_equal(const void *a, const void *b, size_t len);

/* Fills ret with len bytes. The core takes randomness from its caller as such a function, so
   that tests hand in their own: 0 on success, anything else aborts. lib/os/random.c has the
   real one (getrandom(2), no fallback). */
typedef int bg_random_fn(void *arg, void *ret, size_t len);

#endif

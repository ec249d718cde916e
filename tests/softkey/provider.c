/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSH's side door to security keys (SecurityKeyProvider, PROTOCOL.u2f), for
 * the softkey: its terminal is never enumerated, so ssh's own code cannot find it.
 * The path comes from the option `device` (ssh-keygen -O device=) or, as ssh has no
 * such option, from BG_SOFTKEY_DEVICE. For tests only; ssh-sk-helper loads it, and
 * frees what it answers. Interface: version 10, as in OpenSSH 9.2.
 */
#include <fido.h>
#include <openssl/ecdsa.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 0x000a0000
#define PUBLIC	__attribute__((visibility("default")))

enum { ECDSA = 0, ED25519 = 1 };
enum { FLAG_UP = 0x01, FLAG_UV = 0x04, FLAG_RESIDENT = 0x20 };
enum { ERR_GENERAL = -1, ERR_UNSUPPORTED = -2, ERR_PIN_REQUIRED = -3, ERR_NO_DEVICE = -4 };

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

struct sk_option {
	char *name;
	char *value;
	uint8_t required;
};

PUBLIC uint32_t sk_api_version(void);
PUBLIC int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len,
	const char *application, uint8_t flags, const char *pin, struct sk_option **options,
	struct sk_enroll_response **ret);
PUBLIC int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application,
	const uint8_t *handle, size_t handle_len, uint8_t flags, const char *pin,
	struct sk_option **options, struct sk_sign_response **ret);
PUBLIC int sk_load_resident_keys(
	const char *pin, struct sk_option **options, void ***ret, size_t *ret_count);

uint32_t sk_api_version(void)
{
	return VERSION;
}

/* NULL if it is not there; an unknown option that is required is refused in *ret_err. */
static const char *option(struct sk_option **options, const char *name, int *ret_err)
{
	const char *value = NULL;

	for (size_t i = 0; options && options[i]; i++) {
		if (strcmp(options[i]->name, name) == 0)
			value = options[i]->value;
		else if (options[i]->required && strcmp(options[i]->name, "device") != 0 &&
			 strcmp(options[i]->name, "user") != 0)
			*ret_err = ERR_UNSUPPORTED;
	}
	return value;
}

static int sk_error(int err)
{
	if (err == FIDO_OK)
		return 0;
	if (err == FIDO_ERR_PIN_REQUIRED || err == FIDO_ERR_PIN_INVALID)
		return ERR_PIN_REQUIRED;
	if (err == FIDO_ERR_UNSUPPORTED_OPTION || err == FIDO_ERR_UNSUPPORTED_ALGORITHM)
		return ERR_UNSUPPORTED;
	return ERR_GENERAL;
}

static int open_key(struct sk_option **options, fido_dev_t **ret)
{
	int err = 0;
	const char *path = option(options, "device", &err);

	if (err)
		return err;
	if (!path)
		path = getenv("BG_SOFTKEY_DEVICE");
	if (!path)
		return ERR_NO_DEVICE;
	fido_init(0);
	*ret = fido_dev_new();
	if (!*ret)
		return ERR_GENERAL;
	return fido_dev_open(*ret, path) == FIDO_OK ? 0 : ERR_NO_DEVICE;
}

static void close_key(fido_dev_t **dev)
{
	if (*dev)
		(void)fido_dev_close(*dev);
	fido_dev_free(dev);
}

static bool copy(const uint8_t *data, size_t len, uint8_t **ret, size_t *ret_len)
{
	if (!data || len == 0)
		return true; /* no certificate, say */
	*ret = malloc(len);
	if (!*ret)
		return false;
	memcpy(*ret, data, len);
	*ret_len = len;
	return true;
}

static void free_enrolled(struct sk_enroll_response *r)
{
	if (!r)
		return;
	free(r->public_key);
	free(r->key_handle);
	free(r->signature);
	free(r->attestation_cert);
	free(r->authdata);
	free(r);
}

/* libfido2 has x and y, ssh wants an uncompressed point. */
static bool copy_public_key(
	uint32_t alg, const uint8_t *key, size_t len, struct sk_enroll_response *ret)
{
	uint8_t point[65] = { 4 };

	if (alg == ED25519)
		return len == 32 && copy(key, len, &ret->public_key, &ret->public_key_len);
	if (len != sizeof(point) - 1)
		return false;
	memcpy(point + 1, key, len);
	return copy(point, sizeof(point), &ret->public_key, &ret->public_key_len);
}

static int enrolled(
	uint32_t alg, uint8_t flags, const fido_cred_t *cred, struct sk_enroll_response **ret)
{
	struct sk_enroll_response *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_GENERAL;
	r->flags = flags;
	if (!copy_public_key(alg, fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred), r) ||
		!copy(fido_cred_id_ptr(cred), fido_cred_id_len(cred), &r->key_handle,
			&r->key_handle_len) ||
		!copy(fido_cred_sig_ptr(cred), fido_cred_sig_len(cred), &r->signature,
			&r->signature_len) ||
		!copy(fido_cred_x5c_ptr(cred), fido_cred_x5c_len(cred), &r->attestation_cert,
			&r->attestation_cert_len) ||
		!copy(fido_cred_authdata_ptr(cred), fido_cred_authdata_len(cred), &r->authdata,
			&r->authdata_len)) {
		free_enrolled(r);
		return ERR_GENERAL;
	}
	*ret = r;
	return 0;
}

/* What ssh asks for, as a credential to be made. */
static int describe(fido_cred_t *cred, uint32_t alg, const uint8_t *challenge, size_t len,
	const char *application, uint8_t flags, struct sk_option **options)
{
	uint8_t id[32] = { 0 };
	int err = 0;
	const char *user = option(options, "user", &err);

	if (user)
		strncpy((char *)id, user, sizeof(id) - 1);
	if (!err)
		err = fido_cred_set_type(cred, alg == ED25519 ? COSE_EDDSA : COSE_ES256);
	if (!err)
		err = fido_cred_set_clientdata(cred, challenge, len);
	if (!err)
		err = fido_cred_set_rp(cred, application, NULL);
	if (!err)
		err = fido_cred_set_user(cred, id, sizeof(id), "openssh", "openssh", NULL);
	if (!err)
		err = fido_cred_set_rk(cred, flags & FLAG_RESIDENT ? FIDO_OPT_TRUE : FIDO_OPT_OMIT);
	if (!err && (flags & (FLAG_RESIDENT | FLAG_UV)))
		err = fido_cred_set_prot(cred, flags & FLAG_UV
						       ? FIDO_CRED_PROT_UV_REQUIRED
						       : FIDO_CRED_PROT_UV_OPTIONAL_WITH_ID);
	return err;
}

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application,
	uint8_t flags, const char *pin, struct sk_option **options, struct sk_enroll_response **ret)
{
	fido_cred_t *cred = fido_cred_new();
	fido_dev_t *dev = NULL;
	int err = open_key(options, &dev);

	if (!err && (!cred || (alg != ECDSA && alg != ED25519)))
		err = ERR_UNSUPPORTED;
	if (!err && (flags & FLAG_UV) && !pin)
		err = ERR_PIN_REQUIRED;
	if (!err && describe(cred, alg, challenge, challenge_len, application, flags, options))
		err = ERR_GENERAL;
	if (!err)
		err = sk_error(fido_dev_make_cred(dev, cred, pin));
	if (!err)
		err = enrolled(alg, flags, cred, ret);
	fido_cred_free(&cred);
	close_key(&dev);
	return err;
}

/* The two numbers of a DER signature, 32 bytes each at most. */
static bool split_ecdsa(const uint8_t *der, size_t len, struct sk_sign_response *ret)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	uint8_t r[32], s[32];
	bool is_right = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, sizeof(r)) == sizeof(r) &&
			BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, sizeof(s)) == sizeof(s) &&
			copy(r, sizeof(r), &ret->sig_r, &ret->sig_r_len) &&
			copy(s, sizeof(s), &ret->sig_s, &ret->sig_s_len);

	ECDSA_SIG_free(sig);
	return is_right;
}

static int signed_by(uint32_t alg, const fido_assert_t *assertion, struct sk_sign_response **ret)
{
	const uint8_t *sig = fido_assert_sig_ptr(assertion, 0);
	size_t len = fido_assert_sig_len(assertion, 0);
	struct sk_sign_response *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_GENERAL;
	r->flags = fido_assert_flags(assertion, 0);
	r->counter = fido_assert_sigcount(assertion, 0);
	if (alg == ED25519 ? copy(sig, len, &r->sig_r, &r->sig_r_len) : split_ecdsa(sig, len, r)) {
		*ret = r;
		return 0;
	}
	free(r->sig_r);
	free(r->sig_s);
	free(r);
	return ERR_GENERAL;
}

int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application,
	const uint8_t *handle, size_t handle_len, uint8_t flags, const char *pin,
	struct sk_option **options, struct sk_sign_response **ret)
{
	fido_assert_t *assertion = fido_assert_new();
	fido_dev_t *dev = NULL;
	int err = open_key(options, &dev);

	if (!err && (!assertion || (alg != ECDSA && alg != ED25519)))
		err = ERR_UNSUPPORTED;
	if (!err && (flags & FLAG_UV) && !pin)
		err = ERR_PIN_REQUIRED;
	if (!err && (fido_assert_set_clientdata(assertion, data, data_len) ||
			    fido_assert_set_rp(assertion, application) ||
			    fido_assert_allow_cred(assertion, handle, handle_len) ||
			    fido_assert_set_up(
				    assertion, flags & FLAG_UP ? FIDO_OPT_TRUE : FIDO_OPT_FALSE)))
		err = ERR_GENERAL;
	if (!err)
		err = sk_error(fido_dev_get_assert(dev, assertion, flags & FLAG_UV ? pin : NULL));
	if (!err && fido_assert_count(assertion) != 1)
		err = ERR_GENERAL;
	if (!err)
		err = signed_by(alg, assertion, ret);
	fido_assert_free(&assertion);
	close_key(&dev);
	return err;
}

/* The softkey has no credential management. */
int sk_load_resident_keys(
	const char *pin, struct sk_option **options, void ***ret, size_t *ret_count)
{
	(void)pin;
	(void)options;
	(void)ret;
	(void)ret_count;
	return ERR_UNSUPPORTED;
}

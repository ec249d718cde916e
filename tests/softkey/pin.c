/* SPDX-License-Identifier: BSD-2-Clause */
/* clientPIN, CTAP 2.1 §6.5: both protocols, tries, tokens. */
#include <string.h>

#include <openssl/crypto.h>

#include "softkey.h"

enum {
	SUB_RETRIES = 1,
	SUB_AGREEMENT = 2,
	SUB_SET = 3,
	SUB_CHANGE = 4,
	SUB_TOKEN = 5,
	SUB_TOKEN_PERMS = 9,
	WRONG_IN_A_ROW = 3,
	PIN_MIN = 4, /* code points; bytes at most 63 */
	PIN_FIELD = 64,
};

static const struct sk_bytes nothing;

void sk_pin_power_up(struct sk_key *k)
{
	EVP_PKEY_free(k->power.agree);
	memset(&k->power, 0, sizeof(k->power));
	k->power.agree = sk_key_make(COSE_ES256);
	k->next.count = 0;
}

bool sk_pin_set(struct sk_key *k, struct sk_bytes pin)
{
	uint8_t hash[32];
	size_t points = 0;

	for (size_t i = 0; i < pin.len; i++)
		points += (pin.ptr[i] & 0xc0) != 0x80;
	if (points < PIN_MIN || pin.len > PIN_FIELD - 1)
		return false;
	sk_sha256(pin.ptr, pin.len, hash);
	memcpy(k->pin_hash, hash, sizeof(k->pin_hash));
	k->has_pin = true;
	k->pin_retries = SK_PIN_RETRIES;
	k->power.wrong_pins = 0;
	k->power.has_token = false;
	sk_state_save(k);
	return true;
}

uint8_t sk_pin_secret(
	struct sk_key *k, const cbor_item_t *peer, int64_t protocol, struct sk_secret *ret)
{
	uint8_t z[32];

	if (protocol != 1 && (protocol != 2 || k->opt.is_old))
		return CTAP_INVALID_PARAMETER;
	if (peer == NULL)
		return CTAP_MISSING_PARAMETER;
	if (!sk_ecdh(k->power.agree, peer, z))
		return CTAP_INVALID_PARAMETER;
	ret->protocol = (int)protocol;
	if (protocol == 1) {
		sk_sha256(z, sizeof(z), ret->hmac);
		memcpy(ret->aes, ret->hmac, sizeof(ret->aes));
	} else {
		sk_hkdf(z, "CTAP2 HMAC key", ret->hmac);
		sk_hkdf(z, "CTAP2 AES key", ret->aes);
	}
	return CTAP_OK;
}

bool sk_pin_verify(
	const struct sk_secret *s, struct sk_bytes a, struct sk_bytes b, struct sk_bytes mac)
{
	uint8_t want[32];

	sk_hmac(s->hmac, a, b, want);
	return mac.len == (s->protocol == 1 ? 16 : 32) &&
	       CRYPTO_memcmp(mac.ptr, want, mac.len) == 0;
}

bool sk_pin_decrypt(const struct sk_secret *s, struct sk_bytes data, uint8_t *ret, size_t *ret_len)
{
	static const uint8_t zero[16];
	const uint8_t *iv = zero;

	if (s->protocol == 2) {
		if (data.len < 16)
			return false;
		iv = data.ptr;
		data.ptr += 16;
		data.len -= 16;
	}
	if (data.len == 0 || data.len % 16 != 0)
		return false;
	sk_aes(false, s->aes, iv, data.ptr, data.len, ret);
	*ret_len = data.len;
	return true;
}

size_t sk_pin_encrypt(const struct sk_secret *s, const uint8_t *in, size_t len, uint8_t *ret)
{
	static const uint8_t zero[16];

	if (s->protocol == 1) {
		sk_aes(true, s->aes, zero, in, len, ret);
		return len;
	}
	sk_random(ret, 16);
	sk_aes(true, s->aes, ret, in, len, ret + 16);
	return len + 16;
}

/* A try is spent before the PIN is looked at: pulling the plug does not save it. */
static uint8_t sk_pin_try(struct sk_key *k, const struct sk_secret *s, struct sk_bytes hash_enc)
{
	uint8_t hash[PIN_FIELD];
	size_t len = 0;
	bool is_right;

	if (k->pin_retries == 0)
		return CTAP_PIN_BLOCKED;
	if (k->power.wrong_pins >= WRONG_IN_A_ROW)
		return CTAP_PIN_AUTH_BLOCKED;
	if (hash_enc.len > 32)
		return CTAP_INVALID_PARAMETER;
	k->count.pin_attempts++;
	k->pin_retries--;
	sk_state_save(k);
	is_right = sk_pin_decrypt(s, hash_enc, hash, &len) && len == sizeof(k->pin_hash) &&
		   CRYPTO_memcmp(hash, k->pin_hash, len) == 0;
	if (is_right) {
		k->pin_retries = SK_PIN_RETRIES;
		k->power.wrong_pins = 0;
		sk_state_save(k);
		return CTAP_OK;
	}
	EVP_PKEY_free(k->power.agree);
	k->power.agree = sk_key_make(COSE_ES256);
	k->power.wrong_pins++;
	if (k->pin_retries == 0)
		return CTAP_PIN_BLOCKED;
	return k->power.wrong_pins >= WRONG_IN_A_ROW ? CTAP_PIN_AUTH_BLOCKED : CTAP_PIN_INVALID;
}

static uint8_t sk_pin_new(struct sk_key *k, const struct sk_secret *s, struct sk_bytes new_enc)
{
	uint8_t pin[PIN_FIELD];
	size_t len = 0;

	if (new_enc.len > PIN_FIELD + 16 || !sk_pin_decrypt(s, new_enc, pin, &len) ||
		len != PIN_FIELD)
		return CTAP_INVALID_PARAMETER;
	len = strnlen((const char *)pin, sizeof(pin));
	return sk_pin_set(k, (struct sk_bytes){ pin, len }) ? CTAP_OK : CTAP_PIN_POLICY;
}

struct sk_pin_req {
	int64_t protocol, sub;
	const cbor_item_t *peer;
	struct sk_bytes param, new_enc, hash_enc;
};

static uint8_t sk_pin_do_set(struct sk_key *k, const struct sk_pin_req *r)
{
	struct sk_secret s;
	uint8_t status;

	if (r->param.len == 0 || r->new_enc.len == 0)
		return CTAP_MISSING_PARAMETER;
	if (k->has_pin)
		return CTAP_PIN_AUTH_INVALID;
	status = sk_pin_secret(k, r->peer, r->protocol, &s);
	if (status != CTAP_OK)
		return status;
	if (!sk_pin_verify(&s, r->new_enc, nothing, r->param))
		return CTAP_PIN_AUTH_INVALID;
	return sk_pin_new(k, &s, r->new_enc);
}

static uint8_t sk_pin_do_change(struct sk_key *k, const struct sk_pin_req *r)
{
	struct sk_secret s;
	uint8_t status;

	if (r->param.len == 0 || r->new_enc.len == 0 || r->hash_enc.len == 0)
		return CTAP_MISSING_PARAMETER;
	if (!k->has_pin)
		return CTAP_PIN_NOT_SET;
	if (k->pin_retries == 0)
		return CTAP_PIN_BLOCKED;
	status = sk_pin_secret(k, r->peer, r->protocol, &s);
	if (status != CTAP_OK)
		return status;
	if (!sk_pin_verify(&s, r->new_enc, r->hash_enc, r->param))
		return CTAP_PIN_AUTH_INVALID;
	status = sk_pin_try(k, &s, r->hash_enc);
	return status != CTAP_OK ? status : sk_pin_new(k, &s, r->new_enc);
}

static uint8_t sk_pin_do_token(
	struct sk_key *k, const struct sk_pin_req *r, const cbor_item_t *req, cbor_item_t **ret)
{
	uint8_t enc[48];
	char rp[SK_RP_MAX + 1] = "";
	int64_t permissions = PERM_MC | PERM_GA;
	struct sk_secret s;
	uint8_t status;

	if (r->hash_enc.len == 0)
		return CTAP_MISSING_PARAMETER;
	if (r->sub == SUB_TOKEN_PERMS) {
		if (!sk_cbor_get_int(sk_cbor_at(req, 9), &permissions) || permissions <= 0)
			return CTAP_INVALID_PARAMETER;
		sk_cbor_get_text(sk_cbor_at(req, 10), rp, sizeof(rp));
		if ((permissions & (PERM_MC | PERM_GA)) != 0 && rp[0] == '\0')
			return CTAP_MISSING_PARAMETER;
	}
	if (!k->has_pin)
		return CTAP_PIN_NOT_SET;
	status = sk_pin_secret(k, r->peer, r->protocol, &s);
	if (status == CTAP_OK)
		status = sk_pin_try(k, &s, r->hash_enc);
	if (status != CTAP_OK)
		return status;
	sk_random(k->power.token, sizeof(k->power.token));
	k->power.has_token = true;
	k->power.permissions = (unsigned)permissions;
	memcpy(k->power.token_rp, rp, sizeof(rp));
	*ret = sk_cbor_map(1);
	sk_cbor_put(*ret, 2,
		sk_cbor_bytes(
			enc, sk_pin_encrypt(&s, k->power.token, sizeof(k->power.token), enc)));
	return CTAP_OK;
}

static uint8_t sk_pin_retries(const struct sk_key *k, cbor_item_t **ret)
{
	*ret = sk_cbor_map(2);
	sk_cbor_put(*ret, 3, sk_cbor_int(k->pin_retries));
	sk_cbor_put(*ret, 4, sk_cbor_bool(k->power.wrong_pins >= WRONG_IN_A_ROW));
	return CTAP_OK;
}

uint8_t sk_pin_command(struct sk_key *k, const cbor_item_t *req, cbor_item_t **ret)
{
	struct sk_pin_req r = { .peer = sk_cbor_at(req, 3) };

	sk_cbor_get_int(sk_cbor_at(req, 1), &r.protocol);
	sk_cbor_get_bytes(sk_cbor_at(req, 4), &r.param);
	sk_cbor_get_bytes(sk_cbor_at(req, 5), &r.new_enc);
	sk_cbor_get_bytes(sk_cbor_at(req, 6), &r.hash_enc);
	if (!sk_cbor_get_int(sk_cbor_at(req, 2), &r.sub))
		return CTAP_MISSING_PARAMETER;
	switch (r.sub) {
	case SUB_RETRIES:
		return sk_pin_retries(k, ret);
	case SUB_AGREEMENT:
		*ret = sk_cbor_map(1);
		sk_cbor_put(*ret, 1, sk_key_cose(k->power.agree, COSE_ECDH));
		return CTAP_OK;
	case SUB_SET:
		return sk_pin_do_set(k, &r);
	case SUB_CHANGE:
		return sk_pin_do_change(k, &r);
	case SUB_TOKEN:
	case SUB_TOKEN_PERMS:
		if (r.sub == SUB_TOKEN_PERMS && k->opt.is_old)
			return CTAP_INVALID_PARAMETER;
		return sk_pin_do_token(k, &r, req, ret);
	default:
		return CTAP_INVALID_PARAMETER;
	}
}

uint8_t sk_pin_check(struct sk_key *k, struct sk_bytes hash, struct sk_bytes param,
	int64_t protocol, unsigned permission, const char *rp)
{
	struct sk_secret s = { .protocol = (int)protocol };

	if (protocol != 1 && (protocol != 2 || k->opt.is_old))
		return CTAP_INVALID_PARAMETER;
	if (!k->has_pin)
		return CTAP_PIN_NOT_SET;
	memcpy(s.hmac, k->power.token, sizeof(s.hmac));
	if (!k->power.has_token || !sk_pin_verify(&s, hash, nothing, param) ||
		(k->power.permissions & permission) == 0)
		return CTAP_PIN_AUTH_INVALID;
	if (k->power.token_rp[0] != '\0' && strcmp(k->power.token_rp, rp) != 0)
		return CTAP_PIN_AUTH_INVALID;
	memcpy(k->power.token_rp, rp, strlen(rp) + 1);
	return CTAP_OK;
}

void sk_pin_used(struct sk_key *k)
{
	k->power.permissions = 0;
}

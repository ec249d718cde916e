/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <string.h>

/* libfido2 gives authenticatorData as a CBOR byte string (RFC 8949, major type 2). */
static bool unwrap(const uint8_t *p, size_t len, uint8_t *ret, size_t size, size_t *ret_len)
{
	struct bg_view v = { p, len, false };
	uint8_t head = p ? bg_view_u8(&v) : 0;
	size_t n;

	if (head >= 0x40 && head <= 0x57)
		n = head - 0x40;
	else if (head == 0x58)
		n = bg_view_u8(&v);
	else if (head == 0x59)
		n = bg_view_u16(&v);
	else
		return false;
	if (v.is_short || n != v.len || n > size)
		return false;
	memcpy(ret, bg_view_take(&v, n), n);
	*ret_len = n;
	return true;
}

static bool copy(const uint8_t *p, size_t len, uint8_t *ret, size_t size, size_t *ret_len)
{
	if (len > size || (len > 0 && !p))
		return false;
	if (len > 0)
		memcpy(ret, p, len);
	*ret_len = len;
	return true;
}

static bool take(const fido_assert_t *assert, size_t i, struct bg_assertion *ret)
{
	return unwrap(fido_assert_authdata_ptr(assert, i), fido_assert_authdata_len(assert, i),
		       ret->authdata, sizeof(ret->authdata), &ret->authdata_len) &&
	       copy(fido_assert_sig_ptr(assert, i), fido_assert_sig_len(assert, i), ret->sig,
		       sizeof(ret->sig), &ret->sig_len) &&
	       copy(fido_assert_id_ptr(assert, i), fido_assert_id_len(assert, i), ret->credential,
		       sizeof(ret->credential), &ret->credential_len);
}

/* After a PIN the key says whose each of several credentials is; of one alone it need not. */
static bool is_of(const fido_assert_t *assert, size_t i, const char *user_name)
{
	const char *name = fido_assert_user_name(assert, i);

	return fido_assert_count(assert) == 1 || !name || user_name[0] == '\0' ||
	       strcmp(name, user_name) == 0;
}

/* The newest comes first (CTAP 2.1 section 6.2.2, step 12). */
static enum bg_err choose(const fido_assert_t *assert, const struct bg_fido2_request *request,
	struct bg_fido2_reply *reply)
{
	size_t chosen = 0, count = 0;

	for (size_t i = fido_assert_count(assert); i-- > 0;) {
		if (!is_of(assert, i, request->user_name))
			continue;
		chosen = i;
		count++;
	}
	if (count == 0)
		return BG_ERR_NOT_ENROLLED;
	reply->present = count < UINT8_MAX ? (uint8_t)count : UINT8_MAX;
	return take(assert, chosen, &reply->assertion) ? BG_OK : BG_ERR_IO;
}

static enum bg_err answer(const fido_assert_t *assert, const struct bg_fido2_request *request,
	struct bg_fido2_reply *reply)
{
	if (request->op == BG_FIDO2_DISCOVER)
		return choose(assert, request, reply);
	return fido_assert_count(assert) == 1 && take(assert, 0, &reply->assertion) ? BG_OK
										    : BG_ERR_IO;
}

enum bg_err assert_run(
	struct key *key, const struct bg_fido2_request *request, struct bg_fido2_reply *reply)
{
	fido_assert_t *assert = fido_assert_new();
	size_t n = reply->credential;
	enum bg_err err;
	int r = FIDO_ERR_INTERNAL;

	if (assert && fido_assert_set_rp(assert, request->rp_id) == FIDO_OK &&
		fido_assert_set_clientdata_hash(assert, request->client_data_hash,
			sizeof(request->client_data_hash)) == FIDO_OK &&
		fido_assert_set_up(assert, FIDO_OPT_TRUE) == FIDO_OK &&
		(request->op == BG_FIDO2_DISCOVER ||
			fido_assert_allow_cred(assert, request->credentials[n].id,
				request->credentials[n].len) == FIDO_OK)) {
		/* libfido2 has the PIN accepted before it asks for the assertion and its touch */
		wire_begin(key->dev, wire_now() + (int64_t)request->timeout_secs * 1000);
		r = fido_dev_get_assert(key->dev, assert, request->pin.text);
	}
	err = r == FIDO_OK ? answer(assert, request, reply) : keys_failure(key, r, reply);
	fido_assert_free(&assert);
	return err;
}

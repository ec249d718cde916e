/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/fido2.h>

#include <string.h>

/* Raised whenever the bytes change: caller and helper come from two packages. */
#define VERSION 1

void bg_pin_wipe(struct bg_pin *pin)
{
	bg_wipe(pin, sizeof(*pin));
}

void bg_fido2_request_wipe(struct bg_fido2_request *request)
{
	bg_wipe(request, sizeof(*request));
}

static void put_blob(struct bg_writer *w, const void *p, size_t len)
{
	bg_put_u16(w, (uint16_t)len); /* all are below 4 KiB, checked by the caller */
	bg_put(w, p, len);
}

static void put_text(struct bg_writer *w, const char *text, size_t size)
{
	put_blob(w, text, strnlen(text, size));
}

/* At most size bytes into ret. */
static bool take_blob(struct bg_view *v, void *ret, size_t size, size_t *ret_len)
{
	size_t len = bg_view_u16(v);

	if (len > size || !bg_view_copy(v, ret, len))
		return false;
	*ret_len = len;
	return true;
}

/* At most size - 1 bytes without NUL, terminated. */
static bool take_text(struct bg_view *v, char *ret, size_t size)
{
	size_t len;

	if (!take_blob(v, ret, size - 1, &len))
		return false;
	ret[len] = '\0';
	return strlen(ret) == len;
}

static bool take_bool(struct bg_view *v, bool *ret)
{
	uint8_t b = bg_view_u8(v);

	*ret = b == 1;
	return b <= 1;
}

/* Ends inside its array, and is of a length that a key accepts, or absent. */
static bool pin_is_sound(const struct bg_pin *pin)
{
	size_t len = strnlen(pin->text, sizeof(pin->text));

	return len < sizeof(pin->text) && (len == 0 || len >= 4);
}

/* Without control characters, and terminated. */
static bool text_is_sound(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len < size;
}

static bool request_is_sound(const struct bg_fido2_request *r)
{
	if (r->op <= BG_FIDO2_NONE || r->op > BG_FIDO2_DISCOVER ||
		r->timeout_secs > BG_FIDO2_TIMEOUT_MAX || r->credential_count > BG_KEYS_MAX ||
		!pin_is_sound(&r->pin) || !text_is_sound(r->device, sizeof(r->device)) ||
		!text_is_sound(r->rp_id, sizeof(r->rp_id)) ||
		!text_is_sound(r->user_name, sizeof(r->user_name)))
		return false;
	for (size_t i = 0; i < r->credential_count; i++)
		if (r->credentials[i].len == 0 || r->credentials[i].len > BG_CREDENTIAL_LEN)
			return false;
	if (r->op == BG_FIDO2_LIST)
		return true;
	if (r->rp_id[0] == '\0')
		return false;
	if (r->op == BG_FIDO2_FIND)
		return r->credential_count > 0;
	/* an ASSERT without credentials would ask for anything that the key has */
	if ((r->op == BG_FIDO2_ASSERT) != (r->credential_count > 0) && r->op != BG_FIDO2_MAKE)
		return false;
	return r->timeout_secs > 0 && r->pin.text[0] != '\0';
}

enum bg_err bg_fido2_request_encode(const struct bg_fido2_request *request, struct bg_writer *ret)
{
	if (!request_is_sound(request))
		return BG_ERR_ARGUMENT;
	bg_put_u8(ret, VERSION);
	bg_put_u8(ret, (uint8_t)request->op);
	put_text(ret, request->device, sizeof(request->device) - 1);
	put_text(ret, request->rp_id, sizeof(request->rp_id) - 1);
	bg_put(ret, request->client_data_hash, sizeof(request->client_data_hash));
	bg_put_u32(ret, request->timeout_secs);
	bg_put_u8(ret, request->min_retries);
	put_text(ret, request->pin.text, sizeof(request->pin.text) - 1);
	bg_put_u8(ret, (uint8_t)request->credential_count);
	for (size_t i = 0; i < request->credential_count; i++)
		put_blob(ret, request->credentials[i].id, request->credentials[i].len);
	bg_put(ret, request->user_id, sizeof(request->user_id));
	put_text(ret, request->user_name, sizeof(request->user_name) - 1);
	return ret->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

static bool take_credentials(struct bg_view *v, struct bg_fido2_request *ret)
{
	ret->credential_count = bg_view_u8(v);
	if (ret->credential_count > BG_KEYS_MAX)
		return false;
	for (size_t i = 0; i < ret->credential_count; i++)
		if (!take_blob(
			    v, ret->credentials[i].id, BG_CREDENTIAL_LEN, &ret->credentials[i].len))
			return false;
	return true;
}

static bool request_take(struct bg_view *v, struct bg_fido2_request *ret)
{
	if (bg_view_u8(v) != VERSION)
		return false;
	ret->op = (enum bg_fido2_op)bg_view_u8(v);
	if (!take_text(v, ret->device, sizeof(ret->device)) ||
		!take_text(v, ret->rp_id, sizeof(ret->rp_id)) ||
		!bg_view_copy(v, ret->client_data_hash, sizeof(ret->client_data_hash)))
		return false;
	ret->timeout_secs = bg_view_u32(v);
	ret->min_retries = bg_view_u8(v);
	return take_text(v, ret->pin.text, sizeof(ret->pin.text)) && take_credentials(v, ret) &&
	       bg_view_copy(v, ret->user_id, sizeof(ret->user_id)) &&
	       take_text(v, ret->user_name, sizeof(ret->user_name)) && !v->is_short && v->len == 0;
}

enum bg_err bg_fido2_request_decode(const uint8_t *p, size_t len, struct bg_fido2_request *ret)
{
	BG_WIPE(bg_fido2_request_wipe) struct bg_fido2_request request = { 0 };
	struct bg_view v = { p, len, false };

	if (!request_take(&v, &request) || !request_is_sound(&request))
		return BG_ERR_SYNTAX;
	*ret = request;
	return BG_OK;
}

static bool key_is_sound(const struct bg_key *key)
{
	return key->credential_len <= BG_CREDENTIAL_LEN &&
	       text_is_sound(key->model, sizeof(key->model)) &&
	       (key->alg == BG_ALG_NONE || key->alg == BG_ALG_ES256 || key->alg == BG_ALG_EDDSA);
}

static bool devices_are_sound(const struct bg_fido2_reply *r)
{
	if (r->device_count > sizeof(r->devices) / sizeof(r->devices[0]))
		return false;
	for (size_t i = 0; i < r->device_count; i++)
		if (!text_is_sound(r->devices[i].path, sizeof(r->devices[i].path)) ||
			!text_is_sound(r->devices[i].model, sizeof(r->devices[i].model)))
			return false;
	return true;
}

static bool reply_is_sound(const struct bg_fido2_reply *r)
{
	return (unsigned int)r->err < BG_ERR_COUNT && r->credential < BG_KEYS_MAX &&
	       text_is_sound(r->detail, sizeof(r->detail)) &&
	       r->assertion.credential_len <= BG_CREDENTIAL_LEN &&
	       r->assertion.authdata_len <= BG_AUTHDATA_MAX_LEN &&
	       r->assertion.sig_len <= BG_ASSERTION_SIG_MAX_LEN && key_is_sound(&r->key) &&
	       devices_are_sound(r);
}

static void put_device(struct bg_writer *w, const struct bg_fido2_device *device)
{
	put_text(w, device->path, sizeof(device->path) - 1);
	put_text(w, device->model, sizeof(device->model) - 1);
	bg_put(w, device->aaguid, sizeof(device->aaguid));
	bg_put_u8(w, device->retries);
	bg_put_u8(w, device->has_pin);
	bg_put_u8(w, device->is_fido2);
}

static bool take_device(struct bg_view *v, struct bg_fido2_device *ret)
{
	if (!take_text(v, ret->path, sizeof(ret->path)) ||
		!take_text(v, ret->model, sizeof(ret->model)) ||
		!bg_view_copy(v, ret->aaguid, sizeof(ret->aaguid)))
		return false;
	ret->retries = bg_view_u8(v);
	return take_bool(v, &ret->has_pin) && take_bool(v, &ret->is_fido2);
}

static void put_assertion(struct bg_writer *w, const struct bg_assertion *a)
{
	put_blob(w, a->credential, a->credential_len);
	put_blob(w, a->authdata, a->authdata_len);
	put_blob(w, a->sig, a->sig_len);
}

static bool take_assertion(struct bg_view *v, struct bg_assertion *ret)
{
	return take_blob(v, ret->credential, sizeof(ret->credential), &ret->credential_len) &&
	       take_blob(v, ret->authdata, sizeof(ret->authdata), &ret->authdata_len) &&
	       take_blob(v, ret->sig, sizeof(ret->sig), &ret->sig_len);
}

static void put_key(struct bg_writer *w, const struct bg_key *key)
{
	put_text(w, key->model, sizeof(key->model) - 1);
	bg_put(w, key->aaguid, sizeof(key->aaguid));
	put_blob(w, key->credential, key->credential_len);
	bg_put_u8(w, (uint8_t)-key->alg); /* COSE: -7, -8 */
	bg_put(w, key->pub, sizeof(key->pub));
}

static bool take_key(struct bg_view *v, struct bg_key *ret)
{
	if (!take_text(v, ret->model, sizeof(ret->model)) ||
		!bg_view_copy(v, ret->aaguid, sizeof(ret->aaguid)) ||
		!take_blob(v, ret->credential, sizeof(ret->credential), &ret->credential_len))
		return false;
	ret->alg = (enum bg_alg) - (int)bg_view_u8(v);
	return bg_view_copy(v, ret->pub, sizeof(ret->pub));
}

enum bg_err bg_fido2_reply_encode(const struct bg_fido2_reply *reply, struct bg_writer *ret)
{
	if (!reply_is_sound(reply))
		return BG_ERR_ARGUMENT;
	bg_put_u8(ret, VERSION);
	bg_put_u16(ret, (uint16_t)reply->err);
	put_text(ret, reply->detail, sizeof(reply->detail) - 1);
	bg_put_u8(ret, reply->retries);
	bg_put_u8(ret, (uint8_t)reply->credential);
	bg_put_u8(ret, reply->present);
	put_assertion(ret, &reply->assertion);
	put_key(ret, &reply->key);
	bg_put_u8(ret, reply->is_attested);
	bg_put_u8(ret, reply->is_discoverable);
	bg_put_u8(ret, (uint8_t)reply->device_count);
	for (size_t i = 0; i < reply->device_count; i++)
		put_device(ret, &reply->devices[i]);
	return ret->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

static bool reply_take(struct bg_view *v, struct bg_fido2_reply *ret)
{
	if (bg_view_u8(v) != VERSION)
		return false;
	ret->err = (enum bg_err)bg_view_u16(v);
	if (!take_text(v, ret->detail, sizeof(ret->detail)))
		return false;
	ret->retries = bg_view_u8(v);
	ret->credential = bg_view_u8(v);
	ret->present = bg_view_u8(v);
	if (!take_assertion(v, &ret->assertion) || !take_key(v, &ret->key) ||
		!take_bool(v, &ret->is_attested) || !take_bool(v, &ret->is_discoverable))
		return false;
	ret->device_count = bg_view_u8(v);
	if (ret->device_count > sizeof(ret->devices) / sizeof(ret->devices[0]))
		return false;
	for (size_t i = 0; i < ret->device_count; i++)
		if (!take_device(v, &ret->devices[i]))
			return false;
	return !v->is_short && v->len == 0;
}

enum bg_err bg_fido2_reply_decode(const uint8_t *p, size_t len, struct bg_fido2_reply *ret)
{
	struct bg_fido2_reply reply = { 0 };
	struct bg_view v = { p, len, false };

	if (!reply_take(&v, &reply) || !reply_is_sound(&reply))
		return BG_ERR_SYNTAX;
	*ret = reply;
	return BG_OK;
}

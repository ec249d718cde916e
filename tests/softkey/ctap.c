/* SPDX-License-Identifier: BSD-2-Clause */
/* CTAP2 requests: which command, and what the two long ones share. */
#include <string.h>

#include "softkey.h"

enum {
	CMD_MAKE = 0x01,
	CMD_ASSERT = 0x02,
	CMD_INFO = 0x04,
	CMD_PIN = 0x06,
	CMD_RESET = 0x07,
	CMD_NEXT = 0x08,
	CMD_SELECT = 0x0b,
};

/* What an old key lacks is the second. */
static cbor_item_t *sk_info_texts(const char *a, const char *b)
{
	cbor_item_t *list = sk_cbor_list(b == NULL ? 1 : 2);

	sk_cbor_push(list, sk_cbor_text(a));
	if (b != NULL)
		sk_cbor_push(list, sk_cbor_text(b));
	return list;
}

/* Keys by length, then bytes: canonical CBOR. */
static cbor_item_t *sk_info_options(const struct sk_key *k)
{
	cbor_item_t *map = sk_cbor_map(k->opt.is_old ? 4 : 6);

	sk_cbor_put_text(map, "rk", sk_cbor_bool(!k->opt.no_resident));
	sk_cbor_put_text(map, "up", sk_cbor_bool(true));
	sk_cbor_put_text(map, "plat", sk_cbor_bool(false));
	sk_cbor_put_text(map, "clientPin", sk_cbor_bool(k->has_pin));
	if (k->opt.is_old)
		return map;
	sk_cbor_put_text(map, "pinUvAuthToken", sk_cbor_bool(true));
	sk_cbor_put_text(map, "makeCredUvNotRqd", sk_cbor_bool(true));
	return map;
}

static cbor_item_t *sk_info_algorithms(const struct sk_key *k)
{
	static const int all[] = { COSE_ES256, COSE_EDDSA };
	cbor_item_t *list = sk_cbor_list(k->opt.only_alg == 0 ? 2 : 1);

	for (size_t i = 0; i < 2; i++) {
		cbor_item_t *map;

		if (k->opt.only_alg != 0 && k->opt.only_alg != all[i])
			continue;
		map = sk_cbor_map(2);
		sk_cbor_put_text(map, "alg", sk_cbor_int(all[i]));
		sk_cbor_put_text(map, "type", sk_cbor_text("public-key"));
		sk_cbor_push(list, map);
	}
	return list;
}

static cbor_item_t *sk_info(const struct sk_key *k)
{
	bool is_old = k->opt.is_old;
	cbor_item_t *map = sk_cbor_map(11), *protocols = sk_cbor_list(is_old ? 1 : 2);
	cbor_item_t *wires = sk_cbor_list(1);

	if (!is_old)
		sk_cbor_push(protocols, sk_cbor_int(2));
	sk_cbor_push(protocols, sk_cbor_int(1));
	sk_cbor_push(wires, sk_cbor_text("usb"));
	sk_cbor_put(map, 1, sk_info_texts("FIDO_2_0", is_old ? NULL : "FIDO_2_1"));
	sk_cbor_put(map, 2, sk_info_texts("credProtect", "hmac-secret"));
	sk_cbor_put(map, 3, sk_cbor_bytes(k->aaguid, sizeof(k->aaguid)));
	sk_cbor_put(map, 4, sk_info_options(k));
	sk_cbor_put(map, 5, sk_cbor_int(SK_CBOR_MAX));
	sk_cbor_put(map, 6, protocols);
	sk_cbor_put(map, 7, sk_cbor_int(8));
	sk_cbor_put(map, 8, sk_cbor_int(SK_CRED_ID_LEN));
	sk_cbor_put(map, 9, wires);
	sk_cbor_put(map, 10, sk_info_algorithms(k));
	sk_cbor_put(map, 13, sk_cbor_int(4));
	return map;
}

uint8_t sk_auth_options(const cbor_item_t *options, struct sk_auth *auth)
{
	const cbor_item_t *up = sk_cbor_at_text(options, "up");

	auth->up = true;
	auth->has_up = up != NULL;
	if (!sk_cbor_get_option(up, &auth->up) ||
		!sk_cbor_get_option(sk_cbor_at_text(options, "uv"), &auth->uv) ||
		!sk_cbor_get_option(sk_cbor_at_text(options, "rk"), &auth->rk))
		return CTAP_CBOR_TYPE;
	return CTAP_OK;
}

/* There is no built-in verification: UV comes from a PIN token only. */
uint8_t sk_auth_verify(struct sk_key *k, struct sk_auth *auth, unsigned permission)
{
	uint8_t status;

	if (!auth->has_param) {
		if (auth->uv)
			return k->opt.is_old ? CTAP_UNSUPPORTED_OPTION : CTAP_INVALID_OPTION;
		return CTAP_OK;
	}
	auth->uv = false;
	if (auth->param.len == 0) {
		/* "which of you is it?" of a platform with several keys */
		status = sk_touch_await(k);
		if (status != CTAP_OK)
			return status;
		return k->has_pin ? CTAP_PIN_INVALID : CTAP_PIN_NOT_SET;
	}
	if (auth->protocol == 0)
		return CTAP_MISSING_PARAMETER;
	status = sk_pin_check(k, auth->hash, auth->param, auth->protocol, permission, auth->rp);
	auth->uv = status == CTAP_OK;
	return status;
}

size_t sk_auth_data(struct sk_key *k, const char *rp, uint8_t flags, uint8_t *ret)
{
	uint32_t n = ++k->sign_count;

	sk_state_save(k);
	sk_sha256((const uint8_t *)rp, strlen(rp), ret);
	ret[32] = flags;
	for (int i = 0; i < 4; i++)
		ret[33 + i] = (uint8_t)(n >> (24 - 8 * i));
	return 37;
}

static uint8_t sk_reset(struct sk_key *k)
{
	uint8_t status = sk_touch_await(k);

	if (status != CTAP_OK)
		return status;
	sk_cred_clear(k);
	k->has_pin = false;
	k->pin_retries = SK_PIN_RETRIES;
	sk_pin_power_up(k);
	sk_state_save(k);
	return CTAP_OK;
}

static uint8_t sk_ctap_run(
	struct sk_key *k, uint32_t cid, uint8_t command, const cbor_item_t *req, cbor_item_t **ret)
{
	if (command != CMD_NEXT)
		k->next.count = 0;
	switch (command) {
	case CMD_MAKE:
		return req == NULL ? CTAP_MISSING_PARAMETER : sk_make_credential(k, req, ret);
	case CMD_ASSERT:
		return req == NULL ? CTAP_MISSING_PARAMETER : sk_get_assertion(k, cid, req, ret);
	case CMD_INFO:
		*ret = sk_info(k);
		return CTAP_OK;
	case CMD_PIN:
		return req == NULL ? CTAP_MISSING_PARAMETER : sk_pin_command(k, req, ret);
	case CMD_RESET:
		return sk_reset(k);
	case CMD_NEXT:
		return sk_get_next(k, cid, ret);
	case CMD_SELECT:
		return sk_touch_await(k);
	default:
		return CTAP_INVALID_COMMAND;
	}
}

/* What a request that gave an assertion answers: by demand the one before it, byte for byte. */
static size_t sk_ctap_replay(struct sk_key *k, uint8_t command, uint8_t *ret, size_t len)
{
	if (ret[0] != CTAP_OK || (command != CMD_ASSERT && command != CMD_NEXT))
		return len;
	if ((k->wrong & WRONG_REPLAY) != 0 && k->last_assertion_len > 0) {
		memcpy(ret, k->last_assertion, k->last_assertion_len);
		return k->last_assertion_len;
	}
	memcpy(k->last_assertion, ret, len);
	k->last_assertion_len = len;
	return len;
}

size_t sk_ctap(
	struct sk_key *k, uint32_t cid, const uint8_t *req, size_t len, uint8_t *ret, size_t max)
{
	struct cbor_load_result loaded;
	cbor_item_t *map = NULL, *answer = NULL;
	size_t ret_len = 1;

	if (len > SK_CBOR_MAX) {
		ret[0] = CTAP_REQUEST_TOO_LARGE;
		return 1;
	}
	if (len > 1) {
		map = cbor_load(req + 1, len - 1, &loaded);
		if (map == NULL || !cbor_isa_map(map)) {
			ret[0] = map == NULL ? CTAP_INVALID_CBOR : CTAP_CBOR_TYPE;
			if (map != NULL)
				cbor_decref(&map);
			return 1;
		}
	}
	ret[0] = sk_ctap_run(k, cid, req[0], map, &answer);
	if (answer != NULL)
		ret_len += sk_cbor_write(answer, ret + 1, max - 1);
	if (map != NULL)
		cbor_decref(&map);
	return sk_ctap_replay(k, req[0], ret, ret_len);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define PROBE_MS 3000 /* for one key to answer a question that needs no person */
#define LOCK_MS	 5000
#define RETRY_MS 20

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Two of us never talk to one key at once: an INIT in the middle would end the other's touch. */
static bool node_lock(const struct node *node, int64_t until)
{
	while (flock(node->fd, LOCK_EX | LOCK_NB) != 0)
		if (errno != EWOULDBLOCK || wire_now() >= until || wire_is_cancelled(RETRY_MS))
			return false;
	return true;
}

static uint8_t read_retries(fido_dev_t *dev)
{
	int n = -1;

	if (fido_dev_has_pin(dev) && fido_dev_get_retry_count(dev, &n) == FIDO_OK && n >= 0 &&
		n < BG_FIDO2_RETRIES_UNKNOWN)
		return (uint8_t)n;
	return BG_FIDO2_RETRIES_UNKNOWN;
}

static bool key_open(struct node *node, int64_t deadline, struct key *ret)
{
	struct key key = { .node = node, .retries = BG_FIDO2_RETRIES_UNKNOWN };

	wire_begin(NULL, earlier(deadline, wire_now() + PROBE_MS));
	key.dev = wire_open(node);
	if (!key.dev)
		return false;
	key.info = fido_cbor_info_new();
	if (!key.info || (fido_dev_is_fido2(key.dev) &&
				 fido_dev_get_cbor_info(key.dev, key.info) != FIDO_OK)) {
		fido_cbor_info_free(&key.info);
		fido_dev_free(&key.dev);
		return false;
	}
	key.retries = read_retries(key.dev);
	*ret = key;
	return true;
}

void keys_open(struct nodes *nodes, int64_t deadline, struct keys *ret)
{
	int64_t lock_until = earlier(deadline, wire_now() + LOCK_MS);

	ret->count = 0;
	ret->was_busy = false;
	for (size_t i = 0; i < nodes->count && ret->count < KEYS_MAX; i++) {
		if (!node_lock(&nodes->list[i], lock_until))
			ret->was_busy = true;
		else if (key_open(&nodes->list[i], deadline, &ret->list[ret->count]))
			ret->count++;
	}
}

void keys_describe(const struct key *key, struct bg_fido2_device *ret)
{
	const unsigned char *aaguid = fido_cbor_info_aaguid_ptr(key->info);

	(void)snprintf(ret->path, sizeof(ret->path), "%.63s", key->node->path);
	(void)snprintf(ret->model, sizeof(ret->model), "%s", key->node->model);
	if (aaguid && fido_cbor_info_aaguid_len(key->info) == sizeof(ret->aaguid))
		memcpy(ret->aaguid, aaguid, sizeof(ret->aaguid));
	ret->retries = key->retries;
	ret->has_pin = fido_dev_has_pin(key->dev);
	ret->is_fido2 = fido_dev_is_fido2(key->dev);
}

void keys_list(const struct keys *keys, struct bg_fido2_reply *ret)
{
	ret->device_count = keys->count;
	for (size_t i = 0; i < keys->count; i++)
		keys_describe(&keys->list[i], &ret->devices[i]);
}

/*
 * Is the credential on this key? Asked without touch and PIN (CTAP 2.1 section
 * 6.2.2: `up` false), over a challenge that nobody accepts. One credential at a
 * time: keys limit the length of a list.
 */
static bool key_has(struct key *key, const char *rp_id, const uint8_t *id, size_t len)
{
	static const uint8_t nothing[32];
	fido_assert_t *assert = fido_assert_new();
	bool is_there =
		assert &&fido_assert_set_rp(assert, rp_id) ==
		FIDO_OK &&fido_assert_set_clientdata_hash(assert, nothing, sizeof(nothing)) ==
		FIDO_OK &&fido_assert_set_up(assert, FIDO_OPT_FALSE) ==
		FIDO_OK &&fido_assert_allow_cred(assert, id, len) ==
		FIDO_OK &&fido_dev_get_assert(key->dev, assert, NULL) == FIDO_OK;

	fido_assert_free(&assert);
	return is_there;
}

static void key_search(struct key *key, const struct bg_fido2_request *request, int64_t deadline)
{
	if (!fido_dev_is_fido2(key->dev))
		return;
	for (size_t i = 0; i < request->credential_count; i++) {
		wire_begin(NULL, earlier(deadline, wire_now() + PROBE_MS));
		if (key_has(key, request->rp_id, request->credentials[i].id,
			    request->credentials[i].len))
			key->present |= (uint8_t)(1U << i);
		if (wire_result() != WIRE_GOING)
			return;
	}
}

enum bg_err keys_why_none(const struct keys *keys)
{
	if (wire_is_cancelled(0))
		return BG_ERR_CANCELLED;
	if (keys->was_busy)
		return BG_ERR_BUSY;
	return keys->count ? BG_ERR_NOT_ENROLLED : BG_ERR_NO_DEVICE;
}

enum bg_err keys_find(struct keys *keys, const struct bg_fido2_request *request, int64_t deadline,
	struct key **ret, struct bg_fido2_reply *reply)
{
	struct key *found = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		struct key *key = &keys->list[i];

		key_search(key, request, deadline);
		if (!key->present)
			continue;
		keys_describe(key, &reply->devices[reply->device_count++]);
		reply->present |= key->present;
		found = key;
	}
	if (!found)
		return keys_why_none(keys);
	if (reply->device_count > 1) { /* a PIN is never sent to a key chosen by guess */
		(void)snprintf(reply->detail, sizeof(reply->detail),
			"several enrolled security keys are plugged in");
		return BG_ERR_ARGUMENT;
	}
	while (!(found->present >> reply->credential & 1))
		reply->credential++;
	reply->device_count = 0;
	memset(reply->devices, 0, sizeof(reply->devices));
	reply->retries = found->retries;
	*ret = found;
	return BG_OK;
}

enum bg_err keys_may_pin(const struct key *key, const struct bg_fido2_request *request)
{
	if (!fido_dev_has_pin(key->dev))
		return BG_ERR_PIN_NOT_SET;
	if (key->retries == 0)
		return BG_ERR_PIN_BLOCKED;
	if (request->min_retries > 0 &&
		(key->retries == BG_FIDO2_RETRIES_UNKNOWN || key->retries <= request->min_retries))
		return BG_ERR_PIN_RESERVED;
	return BG_OK;
}

static enum bg_err failure(int r)
{
	switch (r) {
	case FIDO_ERR_PIN_INVALID:
		return BG_ERR_PIN;
	case FIDO_ERR_PIN_BLOCKED:
	case FIDO_ERR_PIN_AUTH_BLOCKED:
		return BG_ERR_PIN_BLOCKED;
	case FIDO_ERR_PIN_NOT_SET:
	case FIDO_ERR_PIN_POLICY_VIOLATION: /* it wants a new one first */
		return BG_ERR_PIN_NOT_SET;
	case FIDO_ERR_OPERATION_DENIED:
	case FIDO_ERR_NOT_ALLOWED:
	case FIDO_ERR_KEEPALIVE_CANCEL: /* not our doing: a button on the key */
		return BG_ERR_DENIED;
	case FIDO_ERR_TIMEOUT:
	case FIDO_ERR_USER_ACTION_TIMEOUT:
	case FIDO_ERR_ACTION_TIMEOUT:
		return BG_ERR_TIMEOUT;
	case FIDO_ERR_CREDENTIAL_EXCLUDED:
		return BG_ERR_DUPLICATE;
	case FIDO_ERR_NO_CREDENTIALS:
	case FIDO_ERR_INVALID_CREDENTIAL:
		return BG_ERR_NOT_ENROLLED;
	case FIDO_ERR_CHANNEL_BUSY:
		return BG_ERR_BUSY;
	default:
		return BG_ERR_IO;
	}
}

enum bg_err keys_failure(struct key *key, int r, struct bg_fido2_reply *reply)
{
	switch (wire_result()) {
	case WIRE_TIMEOUT:
		return BG_ERR_TIMEOUT;
	case WIRE_CANCELLED:
		return BG_ERR_CANCELLED;
	case WIRE_GONE:
		return BG_ERR_DENIED;
	case WIRE_GOING:
		break;
	}
	(void)snprintf(reply->detail, sizeof(reply->detail), "%s", fido_strerr(r));
	wire_begin(NULL, wire_now() + PROBE_MS);
	reply->retries = read_retries(key->dev);
	return failure(r);
}

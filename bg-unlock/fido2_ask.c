/* SPDX-License-Identifier: BSD-2-Clause */
#include "fido2_ask.h"
#include "bg-unlock.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>

#define TOUCH_SECS  60
#define PIN_MIN_LEN 4
#define FEW_TRIES   3

void bg_fido2_ask_set(struct bg_fido2_ask *ask, enum bg_fido2_op op, const char *rp_id)
{
	bg_fido2_request_wipe(&ask->request);
	ask->request.op = op;
	ask->request.timeout_secs = TOUCH_SECS;
	(void)snprintf(ask->request.device, sizeof(ask->request.device), "%s", ask->device);
	(void)snprintf(ask->request.rp_id, sizeof(ask->request.rp_id), "%s", rp_id);
}

void bg_fido2_ask_credentials(struct bg_fido2_ask *ask, const struct bg_seal *seal, size_t count)
{
	struct bg_fido2_request *request = &ask->request;

	request->credential_count = 0;
	for (size_t i = 0; i < count; i++) {
		size_t n = request->credential_count;

		if (!seal->keys[i].credential_len)
			continue;
		memcpy(request->credentials[n].id, seal->keys[i].credential,
			seal->keys[i].credential_len);
		request->credentials[n].len = seal->keys[i].credential_len;
		request->credential_count++;
	}
}

enum bg_err bg_fido2_ask_pin(struct bg_fido2_ask *ask, const char *prompt)
{
	struct bg_tty *from = ask->pins ? ask->pins : ask->tty;
	enum bg_err err = BG_ERR_CANCELLED;
	size_t len = 0;

	for (int i = 0; i < 3 && from; i++) {
		err = bg_tty_ask(from, false, prompt, ask->text, &len);
		if (err || (len >= PIN_MIN_LEN && len <= BG_PIN_LEN) || ask->pins)
			break;
		bg_tty_say(ask->tty, " A PIN has 4 to 63 characters.\n");
	}
	if (!err && (len < PIN_MIN_LEN || len > BG_PIN_LEN))
		err = BG_ERR_RANGE;
	if (!err)
		memcpy(ask->request.pin.text, ask->text, len + 1);
	bg_wipe(ask->text, sizeof(ask->text));
	return err;
}

enum bg_err bg_fido2_ask_run(struct bg_fido2_ask *ask, struct bg_diag *diag)
{
	enum bg_err err = bg_helper_run(BG_PATH_FIDO2, &ask->request, &ask->reply, diag);

	bg_pin_wipe(&ask->request.pin);
	if (!err && ask->reply.err && ask->reply.detail[0])
		(void)bg_diag_set(diag, ask->reply.err, NULL, "%s", ask->reply.detail);
	return err ? err : ask->reply.err;
}

bool bg_fido2_ask_again(struct bg_fido2_ask *ask, enum bg_err err)
{
	if (!ask->tty || ask->pins)
		return false;
	switch ((unsigned int)err) {
	case BG_ERR_PIN:
		bg_tty_say(ask->tty, " Wrong PIN, %u tries left. Caps Lock? Keyboard layout?\n",
			ask->reply.retries);
		return true;
	case BG_ERR_NO_DEVICE:
		bg_tty_say(ask->tty, " No security key here.\n");
		return true;
	case BG_ERR_NOT_ENROLLED:
		bg_tty_say(ask->tty, " That key is not one of this seal's; plug in another.\n");
		return true;
	case BG_ERR_DUPLICATE:
		bg_tty_say(ask->tty, " That key is enrolled already; plug in another.\n");
		return true;
	case BG_ERR_TIMEOUT:
		bg_tty_say(ask->tty, " It was not touched in time.\n");
		return true;
	case BG_ERR_ARGUMENT:
		bg_tty_say(ask->tty,
			" More than one security key is plugged in; leave only that one.\n");
		return true;
	case BG_ERR_DENIED:
	case BG_ERR_BUSY:
		bg_tty_say(ask->tty, " %s; once more.\n", bg_err_text(err));
		return true;
	default:
		return false;
	}
}

int bg_fido2_ask_fail(enum bg_err err, const struct bg_diag *diag, const char *several)
{
	if (err == BG_ERR_RANGE)
		return bg_fail(err, diag, "a PIN has 4 to 63 characters");
	if (err == BG_ERR_ARGUMENT) {
		bg_error("more than one security key is plugged in");
		bg_hint("leave only the one that is meant, or name its device: %s", several);
		return BG_EXIT_MACHINE;
	}
	return bg_fail(err, diag, NULL);
}

/* The request is set for ASSERT or DISCOVER. */
static enum bg_err touch(struct bg_fido2_ask *ask, unsigned int retries,
	const uint8_t hash[static BG_SHA256_LEN], struct bg_diag *diag)
{
	enum bg_err err;

	if (retries <= FEW_TRIES)
		bg_tty_say(ask->tty, " This key has %u PIN %s left, then it is blocked for good.\n",
			retries, retries == 1 ? "try" : "tries");
	memcpy(ask->request.client_data_hash, hash, BG_SHA256_LEN);
	err = bg_fido2_ask_pin(ask, "PIN of your security key, then touch it when it blinks:");
	return err ? err : bg_fido2_ask_run(ask, diag);
}

/* Enter, after what is missing was said. */
static enum bg_err wait_enter(struct bg_fido2_ask *ask, const char *prompt)
{
	size_t len = 0;

	return ask->tty ? bg_tty_ask(ask->tty, false, prompt, ask->text, &len) : BG_ERR_NO_DEVICE;
}

static enum bg_err wait_for_key(struct bg_fido2_ask *ask, const struct bg_seal *seal)
{
	enum bg_err err;

	for (int i = 0; i < BG_FIDO2_TRIES; i++) {
		struct bg_diag diag = { 0 };

		bg_fido2_ask_set(ask, BG_FIDO2_FIND, seal->rp_id);
		bg_fido2_ask_credentials(ask, seal, seal->key_count);
		err = bg_fido2_ask_run(ask, &diag);
		if (err == BG_OK || !ask->tty ||
			(err != BG_ERR_NO_DEVICE && err != BG_ERR_NOT_ENROLLED))
			return err;
		err = wait_enter(ask,
			err == BG_ERR_NO_DEVICE
				? "No security key here. Plug one in and press Enter:"
				: "That security key is not in the seal. Plug in one that is and "
				  "press Enter:");
		if (err)
			return err;
	}
	return BG_ERR_NO_DEVICE;
}

/* Which enrolled key answered; the helper's word is checked. */
static enum bg_err check_assertion(struct bg_crypto *crypto, const struct bg_fido2_ask *ask,
	const struct bg_seal *seal, size_t *ret_key, struct bg_assertion *ret, struct bg_diag *diag)
{
	size_t n = 0;

	for (size_t i = 0; i < seal->key_count; i++) {
		const struct bg_key *key = &seal->keys[i];
		enum bg_err err;

		if (!key->credential_len || n++ != ask->reply.credential)
			continue;
		err = bg_assertion_verify(crypto, key, seal->rp_id, ask->request.client_data_hash,
			&ask->reply.assertion, diag);
		if (err)
			return err;
		*ret_key = i;
		*ret = ask->reply.assertion;
		/* a key that was asked for one credential need not name it */
		memcpy(ret->credential, key->credential, key->credential_len);
		ret->credential_len = key->credential_len;
		return BG_OK;
	}
	return bg_diag_set(diag, BG_ERR_HELPER, NULL, "it names a key that was not asked for");
}

enum bg_err bg_fido2_ask_assert(struct bg_crypto *crypto, struct bg_fido2_ask *ask,
	const struct bg_seal *seal, const uint8_t hash[static BG_SHA256_LEN], size_t *ret_key,
	struct bg_assertion *ret, struct bg_diag *diag)
{
	enum bg_err err = BG_ERR_CANCELLED;

	for (int try = 0; try < BG_FIDO2_TRIES; try++) {
		*diag = (struct bg_diag){ 0 };
		err = wait_for_key(ask, seal);
		if (err == BG_ERR_ARGUMENT && try + 1 < BG_FIDO2_TRIES && ask->tty && !ask->pins) {
			err = wait_enter(ask, "Several of the seal's keys are plugged in. Leave "
					      "one and press Enter:");
			if (err)
				return err;
			continue;
		}
		if (err)
			return err;
		bg_fido2_ask_set(ask, BG_FIDO2_ASSERT, seal->rp_id);
		bg_fido2_ask_credentials(ask, seal, seal->key_count);
		err = touch(ask, ask->reply.retries, hash, diag);
		if (!err)
			err = check_assertion(crypto, ask, seal, ret_key, ret, diag);
		if (!err || !bg_fido2_ask_again(ask, err))
			return err;
	}
	return err;
}

/* Exactly one key, whichever it is. */
static enum bg_err wait_for_one(struct bg_fido2_ask *ask, struct bg_diag *diag)
{
	const struct bg_fido2_reply *reply = &ask->reply;

	for (int i = 0; i < BG_FIDO2_TRIES; i++) {
		enum bg_err err;

		bg_fido2_ask_set(ask, BG_FIDO2_LIST, "");
		err = bg_fido2_ask_run(ask, diag);
		if (err || (reply->device_count == 1 && reply->devices[0].has_pin))
			return err;
		if (reply->device_count == 1)
			return BG_ERR_PIN_NOT_SET;
		err = wait_enter(ask,
			reply->device_count ? "Several security keys are plugged in. Leave the one "
					      "that is meant, press Enter:"
					    : "No security key here. Plug it in and press Enter:");
		if (err)
			return err;
	}
	return reply->device_count ? BG_ERR_ARGUMENT : BG_ERR_NO_DEVICE;
}

/* As bg_fido2_ask_again, for a key that is not known. */
static bool again(struct bg_fido2_ask *ask, enum bg_err err, const char *zone)
{
	if (err != BG_ERR_NOT_ENROLLED)
		return bg_fido2_ask_again(ask, err);
	bg_tty_say(ask->tty,
		" That key is not enrolled for zone %s, or not discoverable: plug in\n"
		" another, or begin again with --seal FILE.\n",
		zone);
	return true;
}

enum bg_err bg_fido2_ask_discover(struct bg_fido2_ask *ask, const char *zone, const char *account,
	const uint8_t hash[static BG_SHA256_LEN], struct bg_assertion *ret, unsigned int *ret_count,
	struct bg_diag *diag)
{
	char rp_id[BG_RP_ID_LEN + 1];
	enum bg_err err = BG_ERR_CANCELLED;

	(void)snprintf(rp_id, sizeof(rp_id), "breakglass:%s", zone);
	for (int try = 0; try < BG_FIDO2_TRIES; try++) {
		*diag = (struct bg_diag){ 0 };
		err = wait_for_one(ask, diag);
		if (err)
			return err;
		bg_fido2_ask_set(ask, BG_FIDO2_DISCOVER, rp_id);
		(void)snprintf(
			ask->request.user_name, sizeof(ask->request.user_name), "%s", account);
		err = touch(ask, ask->reply.devices[0].retries, hash, diag);
		if (!err) {
			*ret = ask->reply.assertion;
			*ret_count = ask->reply.present;
			return BG_OK;
		}
		if (!again(ask, err, zone))
			return err;
	}
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrol.h"
#include "bg-unlock.h"

#include <breakglass/framing.h>
#include <breakglass/os_helper.h>
#include <breakglass/os_random.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>

#define TOUCH_SECS  60
#define TRIES_MAX   5
#define PIN_MIN_LEN 4

/* The PIN into request: from --stdin or asked for. RULES P02: an empty one is never sent. */
static enum bg_err ask_pin(struct bg_enrol *e, const char *prompt)
{
	struct bg_tty *from = e->pins ? e->pins : e->tty;
	enum bg_err err = BG_ERR_CANCELLED;
	size_t len = 0;

	for (int i = 0; i < 3 && from; i++) {
		err = bg_tty_ask(from, false, prompt, e->text, &len);
		if (err || (len >= PIN_MIN_LEN && len <= BG_PIN_LEN) || e->pins)
			break;
		bg_tty_say(e->tty, " A PIN has 4 to 63 characters.\n");
	}
	if (!err && (len < PIN_MIN_LEN || len > BG_PIN_LEN))
		err = BG_ERR_RANGE;
	if (!err)
		memcpy(e->request.pin.text, e->text, len + 1);
	bg_wipe(e->text, sizeof(e->text));
	return err;
}

static enum bg_err run_helper(struct bg_enrol *e, struct bg_diag *diag)
{
	enum bg_err err = bg_helper_run(BG_PATH_FIDO2, &e->request, &e->reply, diag);

	bg_pin_wipe(&e->request.pin);
	if (!err && e->reply.err && e->reply.detail[0])
		(void)bg_diag_set(diag, e->reply.err, NULL, "%s", e->reply.detail);
	return err ? err : e->reply.err;
}

/* What to say before trying again; false: trying again does not help. */
static bool explain(struct bg_enrol *e, enum bg_err err)
{
	switch ((unsigned int)err) {
	case BG_ERR_PIN:
		bg_tty_say(e->tty, " Wrong PIN, %u tries left. Caps Lock? Keyboard layout?\n",
			e->reply.retries);
		return true;
	case BG_ERR_NO_DEVICE:
		bg_tty_say(e->tty, " No security key here.\n");
		return true;
	case BG_ERR_NOT_ENROLLED:
		bg_tty_say(e->tty, " That key is not one of this seal's; plug in another.\n");
		return true;
	case BG_ERR_DUPLICATE:
		bg_tty_say(e->tty, " That key is enrolled already; plug in another.\n");
		return true;
	case BG_ERR_TIMEOUT:
		bg_tty_say(e->tty, " It was not touched in time.\n");
		return true;
	case BG_ERR_ARGUMENT:
		bg_tty_say(e->tty,
			" More than one security key is plugged in; leave only that one.\n");
		return true;
	case BG_ERR_DENIED:
	case BG_ERR_BUSY:
		bg_tty_say(e->tty, " %s; once more.\n", bg_err_text(err));
		return true;
	default:
		return false;
	}
}

static int give_up(enum bg_err err, const struct bg_diag *diag)
{
	if (err == BG_ERR_RANGE)
		return bg_fail(err, diag, "a PIN has 4 to 63 characters");
	if (err == BG_ERR_ARGUMENT) {
		bg_error("more than one security key is plugged in");
		bg_hint("leave only the one that is meant, or name its device: --key "
			"NAME=HOLDER@DEVICE");
		return BG_EXIT_MACHINE;
	}
	if (err == BG_ERR_DUPLICATE) {
		bg_error("this security key is enrolled already");
		bg_hint("give each key of the plan a security key of its own");
		return BG_EXIT_NO;
	}
	return bg_fail(err, diag, err == BG_ERR_CANCELLED ? "nothing was written" : NULL);
}

static enum bg_err enrol_challenge(
	struct bg_crypto *crypto, const struct bg_seal *seal, uint8_t ret[static BG_SHA256_LEN])
{
	uint8_t nonce[BG_TOUCH_NONCE_LEN], frame[512];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };

	if (bg_os_random(NULL, nonce, sizeof(nonce)) != 0)
		return BG_ERR_RANDOM;
	bg_frame_begin(&w, BG_CTX_ENROL);
	bg_frame_field(&w, nonce, sizeof(nonce));
	bg_frame_text(&w, seal->account);
	bg_frame_text(&w, seal->zone);
	return w.is_full ? BG_ERR_TOO_BIG : bg_sha256(crypto, frame, w.len, ret);
}

static void set_credentials(
	struct bg_fido2_request *request, const struct bg_seal *seal, size_t count)
{
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

static void set_request(struct bg_enrol *e, enum bg_fido2_op op, const struct bg_seal *seal)
{
	bg_fido2_request_wipe(&e->request);
	e->request.op = op;
	e->request.timeout_secs = TOUCH_SECS;
	(void)snprintf(e->request.device, sizeof(e->request.device), "%s", e->device);
	(void)snprintf(e->request.rp_id, sizeof(e->request.rp_id), "%s", seal->rp_id);
}

static enum bg_err prepare_make(
	struct bg_crypto *crypto, struct bg_enrol *e, const struct bg_seal *seal, size_t i)
{
	set_request(e, BG_FIDO2_MAKE, seal);
	set_credentials(&e->request, seal, i);
	(void)snprintf(e->request.user_name, sizeof(e->request.user_name), "%s", seal->account);
	if (bg_os_random(NULL, e->request.user_id, sizeof(e->request.user_id)) != 0)
		return BG_ERR_RANDOM;
	return enrol_challenge(crypto, seal, e->request.client_data_hash);
}

static enum bg_err plug_in(struct bg_enrol *e, const struct bg_key *key)
{
	char prompt[160];
	size_t len = 0;

	if (!e->tty)
		return BG_OK;
	(void)snprintf(prompt, sizeof(prompt),
		"\nPlug in key %s (holder %s), only that one,\nand press Enter:", key->name,
		key->holder);
	return bg_tty_ask(e->tty, false, prompt, e->text, &len);
}

static void keep(struct bg_enrol *e, struct bg_key *key)
{
	struct bg_key made = e->reply.key;

	memcpy(made.name, key->name, sizeof(made.name));
	memcpy(made.holder, key->holder, sizeof(made.holder));
	memcpy(made.ssh, key->ssh, sizeof(made.ssh));
	if (key->model[0])
		memcpy(made.model, key->model, sizeof(made.model));
	*key = made;
	if (!e->reply.is_attested)
		bg_note("key %s: its maker's attestation is missing or not checked", key->name);
	if (!e->reply.is_discoverable)
		bg_note("key %s: not discoverable; it works, by its credential id", key->name);
}

int bg_enrol_key(struct bg_crypto *crypto, struct bg_enrol *e, struct bg_seal *seal, size_t i)
{
	struct bg_key *key = &seal->keys[i];
	struct bg_diag diag = { 0 };
	enum bg_err err = BG_ERR_CANCELLED;
	char prompt[96];

	(void)snprintf(
		prompt, sizeof(prompt), "PIN of key %s, then touch it when it blinks:", key->name);
	for (int try = 0; try < TRIES_MAX; try++) {
		diag = (struct bg_diag){ 0 };
		err = plug_in(e, key);
		if (!err)
			err = prepare_make(crypto, e, seal, i);
		if (!err)
			err = ask_pin(e, prompt);
		if (!err)
			err = run_helper(e, &diag);
		if (!err) {
			keep(e, key);
			return BG_EXIT_DONE;
		}
		if (!e->tty || e->pins || !explain(e, err))
			break;
	}
	return give_up(err, &diag);
}

/* Which enrolled key answered; the helper's word is checked. */
static enum bg_err check_assertion(struct bg_crypto *crypto, const struct bg_enrol *e,
	const struct bg_seal *seal, size_t *ret_key, struct bg_diag *diag)
{
	size_t n = 0;

	for (size_t i = 0; i < seal->key_count; i++) {
		if (!seal->keys[i].credential_len)
			continue;
		if (n++ != e->reply.credential)
			continue;
		*ret_key = i;
		return bg_assertion_verify(crypto, &seal->keys[i], seal->rp_id,
			e->request.client_data_hash, &e->reply.assertion, diag);
	}
	return bg_diag_set(diag, BG_ERR_HELPER, NULL, "it names a key that was not asked for");
}

static enum bg_err wait_for_key(struct bg_enrol *e, const struct bg_seal *seal)
{
	size_t len = 0;
	enum bg_err err;

	for (int i = 0; i < TRIES_MAX; i++) {
		struct bg_diag diag = { 0 };

		set_request(e, BG_FIDO2_FIND, seal);
		set_credentials(&e->request, seal, seal->key_count);
		err = run_helper(e, &diag);
		if (err == BG_OK || !e->tty ||
			(err != BG_ERR_NO_DEVICE && err != BG_ERR_NOT_ENROLLED))
			return err;
		err = bg_tty_ask(e->tty, false,
			err == BG_ERR_NO_DEVICE
				? "No security key here. Plug one in and press Enter:"
				: "That security key is not in the seal. Plug in one that is and "
				  "press Enter:",
			e->text, &len);
		if (err)
			return err;
	}
	return BG_ERR_NO_DEVICE;
}

int bg_enrol_endorse(struct bg_crypto *crypto, struct bg_enrol *e, const struct bg_seal *seal,
	const uint8_t hash[static BG_SHA256_LEN], size_t *ret_key, struct bg_assertion *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = BG_ERR_CANCELLED;

	for (int try = 0; try < TRIES_MAX; try++) {
		diag = (struct bg_diag){ 0 };
		err = wait_for_key(e, seal);
		if (err)
			break;
		set_request(e, BG_FIDO2_ASSERT, seal);
		set_credentials(&e->request, seal, seal->key_count);
		memcpy(e->request.client_data_hash, hash, BG_SHA256_LEN);
		err = ask_pin(e, "PIN of your security key, then touch it when it blinks:");
		if (!err)
			err = run_helper(e, &diag);
		if (!err)
			err = check_assertion(crypto, e, seal, ret_key, &diag);
		if (!err) {
			*ret = e->reply.assertion;
			return BG_EXIT_DONE;
		}
		if (!e->tty || e->pins || !explain(e, err))
			break;
	}
	return give_up(err, &diag);
}

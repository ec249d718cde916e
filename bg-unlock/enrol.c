/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrol.h"
#include "bg-unlock.h"

#include <breakglass/framing.h>
#include <breakglass/os_random.h>

#include <stdio.h>
#include <string.h>

static int give_up(enum bg_err err, const struct bg_diag *diag)
{
	if (err == BG_ERR_DUPLICATE) {
		bg_error("this security key is enrolled already");
		bg_hint("give each key of the plan a security key of its own");
		return BG_EXIT_NO;
	}
	if (err == BG_ERR_CANCELLED)
		return bg_fail(err, diag, "nothing was written");
	return bg_fido2_ask_fail(err, diag, "NAME=HOLDER@DEVICE");
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

static enum bg_err prepare_make(
	struct bg_crypto *crypto, struct bg_fido2_ask *ask, const struct bg_seal *seal, size_t i)
{
	bg_fido2_ask_set(ask, BG_FIDO2_MAKE, seal->rp_id);
	bg_fido2_ask_credentials(ask, seal, i);
	(void)snprintf(ask->request.user_name, sizeof(ask->request.user_name), "%s", seal->account);
	if (bg_os_random(NULL, ask->request.user_id, sizeof(ask->request.user_id)) != 0)
		return BG_ERR_RANDOM;
	return enrol_challenge(crypto, seal, ask->request.client_data_hash);
}

static enum bg_err plug_in(struct bg_fido2_ask *ask, const struct bg_key *key)
{
	char prompt[160];
	size_t len = 0;

	if (!ask->tty)
		return BG_OK;
	(void)snprintf(prompt, sizeof(prompt),
		"\nPlug in key %s (holder %s), only that one,\nand press Enter:", key->name,
		key->holder);
	return bg_tty_ask(ask->tty, false, prompt, ask->text, &len);
}

static void keep(struct bg_fido2_ask *ask, struct bg_key *key)
{
	struct bg_key made = ask->reply.key;

	memcpy(made.name, key->name, sizeof(made.name));
	memcpy(made.holder, key->holder, sizeof(made.holder));
	memcpy(made.ssh, key->ssh, sizeof(made.ssh));
	if (key->model[0])
		memcpy(made.model, key->model, sizeof(made.model));
	*key = made;
	if (!ask->reply.is_attested)
		bg_note("key %s: its maker's attestation is missing or not checked", key->name);
	if (!ask->reply.is_discoverable)
		bg_note("key %s: not discoverable; it works, by its credential id", key->name);
}

int bg_enrol_key(struct bg_crypto *crypto, struct bg_fido2_ask *ask, struct bg_seal *seal, size_t i)
{
	struct bg_key *key = &seal->keys[i];
	struct bg_diag diag = { 0 };
	enum bg_err err = BG_ERR_CANCELLED;
	char prompt[96];

	(void)snprintf(
		prompt, sizeof(prompt), "PIN of key %s, then touch it when it blinks:", key->name);
	for (int try = 0; try < BG_FIDO2_TRIES; try++) {
		diag = (struct bg_diag){ 0 };
		err = plug_in(ask, key);
		if (!err)
			err = prepare_make(crypto, ask, seal, i);
		if (!err)
			err = bg_fido2_ask_pin(ask, prompt);
		if (!err)
			err = bg_fido2_ask_run(ask, &diag);
		if (!err) {
			keep(ask, key);
			return BG_EXIT_DONE;
		}
		if (!bg_fido2_ask_again(ask, err))
			break;
	}
	return give_up(err, &diag);
}

int bg_enrol_endorse(struct bg_crypto *crypto, struct bg_fido2_ask *ask, const struct bg_seal *seal,
	const uint8_t hash[static BG_SHA256_LEN], size_t *ret_key, struct bg_assertion *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_fido2_ask_assert(crypto, ask, seal, hash, ret_key, ret, &diag);

	if (!err)
		return BG_EXIT_DONE;
	return err == BG_ERR_CANCELLED ? bg_fail(err, &diag, "nothing was written")
				       : bg_fido2_ask_fail(err, &diag, "--device PATH");
}

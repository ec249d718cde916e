/* SPDX-License-Identifier: BSD-2-Clause */
#include "show_request.h"
#include "bg-unlock.h"

#include <breakglass/escape.h>

#include <stdio.h>
#include <string.h>

#define SHOWN_LEN 128 /* of any text of a request */

/* The challenge that a host with this seal makes for the request, byte by byte. */
static bool is_of_seal(struct bg_crypto *crypto, const struct bg_request *request,
	const struct bg_seal *seal, const uint8_t *body, size_t len)
{
	struct bg_request_challenge challenge;
	uint8_t made[BG_CODE_MAX_LEN];
	struct bg_writer w = { .p = made, .cap = sizeof(made) };

	return bg_request_challenge_make(crypto, request, seal, &challenge) == BG_OK &&
	       bg_request_challenge_write(&challenge, &w) == BG_OK && w.len == len &&
	       bg_equal(made, body, len);
}

static int no(const char *what, const char *hint)
{
	bg_error("%s", what);
	bg_hint("%s", hint);
	return BG_EXIT_NO;
}

static int compare(struct bg_crypto *crypto, const struct bg_request *request,
	const struct bg_seal *seal, const uint8_t *body, size_t len)
{
	int key = bg_seal_find_key(seal, request->key);

	if (!bg_equal(request->seal_digest, seal->digest, sizeof(seal->digest)))
		return no("the request is of another seal than the one given",
			"give the seal that is in force on that host, or none");
	if (strcmp(request->account, seal->account) != 0 || key < 0 ||
		strcmp(request->holder, seal->keys[key].holder) != 0 ||
		!is_of_seal(crypto, request, seal, body, len))
		return no("the request contradicts its seal: somebody made it up",
			"telephone whoever gave it to you, by the number that you know");
	return BG_EXIT_DONE;
}

int bg_request_take(struct bg_crypto *crypto, const uint8_t *body, size_t len,
	const struct bg_seal *seal, struct bg_asked_request *ret)
{
	struct bg_asked_request request = { .seal = seal };
	enum bg_err err = bg_request_challenge_read(body, len, &request.challenge);
	int status;

	if (err) {
		bg_error("the request challenge cannot be read");
		bg_hint("was it made by a newer version? get this one from the same package");
		return BG_EXIT_USAGE;
	}
	err = bg_request_digest(crypto, &request.challenge.request, request.digest);
	if (err)
		return bg_fail(err, NULL, NULL);
	status = seal ? compare(crypto, &request.challenge.request, seal, body, len) : BG_EXIT_DONE;
	if (status)
		return status;
	bg_short_id(request.digest, request.id);
	bg_short_id(request.challenge.set_id, request.set);
	*ret = request;
	return BG_EXIT_DONE;
}

static void duration(uint32_t secs, char ret[static 48])
{
	unsigned int hours = secs / 3600, mins = secs % 3600 / 60, rest = secs % 60;
	char parts[3][16] = { "", "", "" };

	if (hours)
		(void)snprintf(parts[0], sizeof(parts[0]), "%u h ", hours);
	if (mins)
		(void)snprintf(parts[1], sizeof(parts[1]), "%u min ", mins);
	if (rest || secs == 0)
		(void)snprintf(parts[2], sizeof(parts[2]), "%u s ", rest);
	(void)snprintf(ret, 48, "%s%s%s", parts[0], parts[1], parts[2]);
	ret[strlen(ret) - 1] = '\0';
}

/* One row; a text of somebody else's never comes out as more than that. */
static void row(struct bg_tty *tty, const char *name, const char *text)
{
	char shown[SHOWN_LEN];

	bg_escape_terminal(shown, sizeof(shown), text);
	bg_tty_say(tty, "  %-9s %s\n", name, shown);
}

static void head(struct bg_tty *tty, const struct bg_asked_request *request, const char *what)
{
	if (request->challenge.request.purpose == BG_PURPOSE_DRILL)
		bg_tty_say(tty,
			"\n *** DRILL, DRILL, DRILL: practice, nothing is broken ***   request "
			"%s\n\n",
			request->id);
	else
		bg_tty_say(tty, "\n %s   (request %s)\n\n", what, request->id);
}

static void fields(struct bg_tty *tty, const struct bg_asked_request *request)
{
	const struct bg_request_challenge *challenge = &request->challenge;
	const struct bg_request *r = &challenge->request;
	char text[SHOWN_LEN], length[48];

	(void)snprintf(text, sizeof(text), "account %s (uid %u)", r->account, r->uid);
	row(tty, "what", text);
	(void)snprintf(text, sizeof(text), "host %s, by its door %s", r->host_label, r->service);
	row(tty, "where", text);
	row(tty, "from", r->origin[0] ? r->origin : "(not known)");
	(void)snprintf(text, sizeof(text), "%s, with the security key %s", r->holder, r->key);
	row(tty, "who", text);
	row(tty, "why", r->reason[0] ? r->reason : "(no reason was given)");
	duration(r->session_secs, length);
	row(tty, "how long", length);
	(void)snprintf(text, sizeof(text), "%u of %zu custodians, set %s epoch %u",
		challenge->threshold, challenge->custodian_count, request->set, challenge->epoch);
	row(tty, "needs", text);
}

void bg_request_show(struct bg_tty *tty, const struct bg_asked_request *request)
{
	char holder[BG_HOLDER_LEN + 1];

	head(tty, request, "EMERGENCY: somebody wants to open");
	fields(tty, request);
	bg_escape_terminal(holder, sizeof(holder), request->challenge.request.holder);
	bg_tty_say(tty,
		"\n Telephone %s, by the number that you know, and ask:\n"
		" is this you, now, and does your screen say request %s?\n"
		" If you do not know of this, refuse: press Ctrl-C, then approve --refuse.\n\n",
		holder[0] ? holder : "the key's holder", request->id);
}

void bg_request_show_refused(struct bg_tty *tty, const struct bg_asked_request *request)
{
	head(tty, request, "EMERGENCY: somebody wants to open, or has opened");
	fields(tty, request);
	bg_tty_say(tty,
		"\n Your no ends this request and every session that came of it, nothing else,\n"
		" when root on %s gives it to:  bg-unlock revoke --code\n\n",
		request->challenge.request.host_label);
}

bool bg_request_agree(struct bg_tty *tty, const char *prompt, char line[static BG_TTY_LINE_LEN])
{
	size_t len = 0;
	bool is_yes;

	bg_tty_drain(tty);
	is_yes = bg_tty_ask(tty, false, prompt, line, &len) == BG_OK && strcmp(line, "yes") == 0;
	bg_wipe(line, BG_TTY_LINE_LEN);
	return is_yes;
}

/* With a seal: which retired epoch or whose it is. */
static enum bg_err share_of_seal(struct bg_crypto *crypto, const struct bg_asked_request *request,
	const struct bg_given *given, char ret_text[static BG_WHOSE_LEN])
{
	struct bg_whose whose;
	enum bg_err err = bg_ask_whose(crypto, request->seal, given, &whose);

	if (err)
		return err;
	(void)snprintf(ret_text, BG_WHOSE_LEN, "%s",
		whose.standing == BG_SHARE_CURRENT ? whose.name : whose.text);
	switch (whose.standing) {
	case BG_SHARE_CURRENT:
		return BG_OK;
	case BG_SHARE_RETIRED:
		return BG_ERR_RETIRED;
	case BG_SHARE_OTHER_SET:
		return BG_ERR_OTHER_SET;
	case BG_SHARE_UNKNOWN:
		break;
	}
	return BG_ERR_NOT_A_SHARE;
}

enum bg_err bg_request_share(struct bg_crypto *crypto, const struct bg_asked_request *request,
	const struct bg_given *given, struct bg_secret *ret_seed,
	char ret_text[static BG_WHOSE_LEN])
{
	const struct bg_request_challenge *challenge = &request->challenge;
	const struct bg_slip39_share *share = &given->share;
	enum bg_err err = bg_request_challenge_share(crypto, challenge,
		given->is_compact ? -1 : share->identifier, share->member_index, &share->value,
		ret_seed);

	if (share->value.len * 8 != challenge->strength && err == BG_OK)
		err = BG_ERR_NOT_A_SHARE;
	if (request->seal && (err == BG_OK || err == BG_ERR_OTHER_SET || err == BG_ERR_NOT_A_SHARE))
		return share_of_seal(crypto, request, given, ret_text);
	if (err == BG_OK)
		(void)snprintf(
			ret_text, BG_WHOSE_LEN, "custodian number %u", share->member_index + 1u);
	else if (err == BG_ERR_OTHER_SET)
		(void)snprintf(ret_text, BG_WHOSE_LEN,
			"a share of another set (or a retired one): set %s epoch %u is wanted",
			request->set, challenge->epoch);
	else if (err == BG_ERR_NOT_A_SHARE)
		(void)snprintf(ret_text, BG_WHOSE_LEN,
			"of no custodian of set %s epoch %u: of another set, or retired",
			request->set, challenge->epoch);
	return err;
}

static void json_text(const char *name, const char *value)
{
	uint8_t buf[6 * SHOWN_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };

	bg_escape_json(&w, value, SHOWN_LEN);
	(void)printf("\"%s\":\"%.*s\",", name, (int)w.len, (const char *)buf);
}

void bg_request_json(const struct bg_asked_request *request)
{
	const struct bg_request_challenge *challenge = &request->challenge;
	const struct bg_request *r = &challenge->request;
	char hex[2 * BG_SHA256_LEN + 1];

	(void)printf("{");
	json_text("id", request->id);
	bg_hex_encode(request->digest, sizeof(request->digest), hex);
	json_text("digest", hex);
	bg_hex_encode(r->seal_digest, sizeof(r->seal_digest), hex);
	json_text("seal", hex);
	json_text("purpose", bg_purpose_text(r->purpose));
	json_text("account", r->account);
	json_text("host", r->host_label);
	json_text("service", r->service);
	json_text("origin", r->origin);
	json_text("key", r->key);
	json_text("holder", r->holder);
	json_text("reason", r->reason);
	json_text("set", request->set);
	(void)printf("\"epoch\":%u,\"uid\":%u,\"session_seconds\":%u,\"threshold\":%u}",
		challenge->epoch, r->uid, r->session_secs, challenge->threshold);
}

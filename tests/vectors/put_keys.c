/* SPDX-License-Identifier: BSD-2-Clause */
/* keys.json: every context's frame; from a share's words to its key; from the secret to its keys.
 */
#include "out.h"
#include "world.h"

#include <breakglass/code.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 512

struct field {
	enum { NUMBER, TEXT, BYTES, END } type;
	uint32_t number;
	const char *text; /* TEXT; BYTES: 32 times its first byte */
};

static void put_frame(enum bg_context context, const struct field *field)
{
	uint8_t frame[FRAME_MAX], bytes[BG_SHA256_LEN];
	struct bg_writer w = { .p = frame, .cap = sizeof(frame) };

	out_object(NULL);
	out_text("context", bg_context_name(context));
	out_list("fields");
	bg_frame_begin(&w, context);
	for (; field->type != END; field++) {
		out_object(NULL);
		if (field->type == NUMBER) {
			bg_frame_u32(&w, field->number);
			out_number("number", field->number);
		} else if (field->type == TEXT) {
			bg_frame_text(&w, field->text);
			out_text("text", field->text);
		} else {
			memset(bytes, field->text[0], sizeof(bytes));
			bg_frame_field(&w, bytes, sizeof(bytes));
			out_hex("bytes", bytes, sizeof(bytes));
		}
		out_end();
	}
	out_end();
	must(w.is_full ? BG_ERR_TOO_BIG : BG_OK);
	out_hex("frame", frame, w.len);
	out_end();
}

#define N(n)                                                                                       \
	{                                                                                          \
		.type = NUMBER, .number = (n)                                                      \
	}
#define T(t)                                                                                       \
	{                                                                                          \
		.type = TEXT, .text = (t)                                                          \
	}
#define B(b)                                                                                       \
	{                                                                                          \
		.type = BYTES, .text = (b)                                                         \
	}
#define FIELDS 16

static void put_frames(void)
{
	static const struct field fields[BG_CTX_COUNT][FIELDS] = {
		[BG_CTX_CUSTODIAN_KEY] = { N(7), N(15), { .type = END } },
		[BG_CTX_QUORUM_KEY] = { N(4294967295), { .type = END } },
		[BG_CTX_ENVELOPE_KEY] = { N(1), { .type = END } },
		[BG_CTX_SEAL] = { B("1"), { .type = END } },
		[BG_CTX_SUCCESSION_QUORUM] = { B("1"), { .type = END } },
		[BG_CTX_SUCCESSION_KEY] = { B("1"), { .type = END } },
		[BG_CTX_ENROL] = { B("2"), T("breakglass"), T("db"), { .type = END } },
		[BG_CTX_TOUCH] = { B("3"), B("4"), T("db1"), T("breakglass"), T("login"), T(""),
			{ .type = END } },
		[BG_CTX_REQUEST] = { T("drill"), B("4"), T("db1"), T("breakglass"), N(0), T("a"),
			T("oncall"), T(""), N(60), B("5"), T("login"), T("/dev/tty1"),
			{ .type = END } },
		[BG_CTX_APPROVAL] = { B("6"), { .type = END } },
		[BG_CTX_RESPONSE] = { B("6"), N(0x8001), { .type = END } },
		[BG_CTX_REFUSAL] = { B("6"), { .type = END } },
		[BG_CTX_KEY_TEST] = { B("7"), T("db"), { .type = END } },
	};

	out_list("frames");
	for (unsigned int i = 0; i < BG_CTX_COUNT; i++)
		put_frame((enum bg_context)i, fields[i]);
	out_end();
}

static void put_custodian(const struct world *w, const struct epoch *e, size_t i)
{
	const struct bg_custodian *custodian = &e->f.seal.custodians[i];
	struct bg_compact compact = { .member_index = custodian->index,
		.value = e->shares[i].value };
	struct bg_request_challenge challenge;
	struct bg_slip39_words words;
	struct bg_request request;
	char text[BG_SLIP39_TEXT_LEN], modhex[BG_COMPACT_TEXT_LEN];

	must(bg_slip39_encode(&e->shares[i], &words));
	bg_slip39_words_text(&words, text);
	must(bg_compact_encode(&compact, modhex));
	world_request(w, 0, &request);
	must(bg_request_challenge_make(w->crypto, &request, &e->f.seal, &challenge));
	out_object(NULL);
	out_text("name", custodian->name);
	out_number("index", custodian->index);
	out_text("words", text);
	out_secret("value", &e->shares[i].value);
	out_text("compact", modhex);
	out_secret("seed", &e->f.seeds[i]);
	out_hex("public", custodian->pub, sizeof(custodian->pub));
	out_hex("key_hash", challenge.custodians[i].hash, BG_KEY_HASH_LEN);
	out_end();
}

static void put_set(const struct world *w, const struct epoch *e)
{
	char id[BG_SHORT_ID_LEN + 1], identity[BG_AGE_IDENTITY_LEN + 1];

	bg_short_id(e->f.seal.set_id, id);
	out_object(NULL);
	out_number("epoch", e->f.seal.epoch);
	out_number("strength", e->f.seal.strength);
	out_number("threshold", e->f.seal.threshold);
	out_number("slip39_id", e->f.seal.slip39_id);
	out_hex("set", e->f.seal.set_id, BG_SET_ID_LEN);
	out_text("short_id", id);
	out_secret("secret", &e->f.secret);
	out_secret("sign_seed", &e->f.quorum.sign_seed);
	out_hex("sign_public", e->f.quorum.sign_pub, BG_ED25519_PUB_LEN);
	out_secret("envelope", &e->f.quorum.envelope);
	out_hex("envelope_public", e->f.quorum.envelope_pub, BG_X25519_PUB_LEN);
	out_text("recipient", e->f.seal.recipient);
	if (bg_age_identity(&e->f.quorum.envelope, identity) != BG_OK)
		abort();
	out_text("identity", identity); /* of which age-keygen -y makes the recipient */
	out_list("custodians");
	for (size_t i = 0; i < e->f.seal.custodian_count; i++)
		put_custodian(w, e, i);
	out_end();
	out_end();
}

void put_keys(const struct world *w)
{
	put_frames();
	out_list("sets");
	put_set(w, &w->epochs[0]);
	put_set(w, &w->epochs[1]);
	out_end();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* seals.json: two seals, the second the successor of the first; a credential's challenge; ssh
   keys. chain.json: records. */
#include "out.h"
#include "world.h"

#include <breakglass/event.h>
#include <string.h>

static void put_seal(const char *name, const struct seal_fixture *f)
{
	out_object(name);
	out_number("body_len", f->seal.body_len);
	out_hex("digest", f->seal.digest, BG_SHA256_LEN);
	out_lines("text", f->text);
	out_end();
}

/* As bg-unlock's enrolment does it. */
static void put_enrol(const struct world *w)
{
	const struct bg_seal *seal = &w->epochs[0].f.seal;
	uint8_t frame[256], nonce[BG_TOUCH_NONCE_LEN], digest[BG_SHA256_LEN];
	struct bg_writer writer = { .p = frame, .cap = sizeof(frame) };

	memset(nonce, 0x63, sizeof(nonce));
	bg_frame_begin(&writer, BG_CTX_ENROL);
	bg_frame_field(&writer, nonce, sizeof(nonce));
	bg_frame_text(&writer, seal->account);
	bg_frame_text(&writer, seal->zone);
	must(bg_sha256(w->crypto, frame, writer.len, digest));
	out_object("enrol");
	out_hex("nonce", nonce, sizeof(nonce));
	out_text("account", seal->account);
	out_text("zone", seal->zone);
	out_hex("digest", digest, sizeof(digest));
	out_end();
}

static void put_ssh(const struct bg_key *key)
{
	uint8_t blob[200];
	size_t len = world_ssh_blob(key, blob);

	out_object(NULL);
	out_text("line", key->ssh);
	out_hex("public", key->pub, key->alg == BG_ALG_ES256 ? 64 : 32);
	out_text("application", "ssh:");
	out_hex("blob", blob, len);
	out_end();
}

void put_seals(const struct world *w)
{
	put_seal("seal", &w->epochs[0].f);
	put_seal("successor", &w->epochs[1].f);
	put_enrol(w);
	out_list("ssh");
	put_ssh(&w->epochs[0].f.seal.keys[KEY_EDDSA]);
	put_ssh(&w->epochs[0].f.seal.keys[KEY_ES256]);
	out_end();
}

void put_chain(const struct world *w)
{
	struct bg_event events[] = {
		{ .id = BG_EV_DEGRADED, .result = "no head of the chain was found" },
		{ .id = BG_EV_ATTEMPT, .account = "breakglass", .service = "sshd", .count = 1 },
		{ .id = BG_EV_APPROVAL_REFUSED,
			.account = "breakglass",
			.reason = "INC-1: \"quoted\", \xc3\xbc",
			.result = "approval of another request" },
	};
	struct bg_chain_pos pos = { .seq = 1 };
	char line[BG_EVENT_MAX_LEN];
	size_t len = 0;

	out_list("records");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		events[i].host = "db1";
		events[i].severity = -1;
		must(bg_event_json(&events[i], &pos, "2026-01-02T03:04:05.678Z",
			"0f8a3f64-5f0e-4ad0-8a3a-3f1d3a3b9b11", 12345 + i, line, sizeof(line),
			&len));
		must(bg_sha256(w->crypto, line, len, pos.prev));
		out_object(NULL);
		out_number("seq", pos.seq++);
		out_hex("line", line, len);
		out_hex("hash", pos.prev, BG_SHA256_LEN);
		out_end();
	}
	out_end();
}

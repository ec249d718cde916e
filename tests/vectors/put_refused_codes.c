/* SPDX-License-Identifier: BSD-2-Clause */
/* refused.json, part two: lines, short forms and bodies that are nearly right. */
#include "out.h"
#include "world.h"

#include <breakglass/code.h>
#include <stdio.h>
#include <string.h>

#define LINE (BG_CODE_LINE_CHARS + 1)

static const struct {
	enum bg_err err;
	const char *name;
} names[] = { { BG_ERR_RANGE, "RANGE" }, { BG_ERR_SYNTAX, "SYNTAX" },
	{ BG_ERR_CHECKSUM, "CHECKSUM" }, { BG_ERR_WRONG_KIND, "WRONG_KIND" },
	{ BG_ERR_DUPLICATE, "DUPLICATE" }, { BG_ERR_MISSING, "MISSING" } };

/* "refusal": the error's name; what the library accepts, or refuses otherwise, ends the program. */
static void put_refusal(const char *what, enum bg_err err, enum bg_err want)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].err != err || err != want)
			continue;
		out_text("refusal", names[i].name);
		return;
	}
	fprintf(stderr, "protocol_vectors: %s: %s\n", what, bg_err_text(err));
	must(err == BG_OK ? BG_ERR_STATE : err);
}

/* The lines one after the other, and is the code whole then? */
static enum bg_err read_lines(const char *text)
{
	struct bg_code code = { 0 };
	const uint8_t *body;
	size_t len;

	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		struct bg_code_line line;
		enum bg_err err = bg_code_line_decode(text, (size_t)(end - text), &line);

		if (err == BG_OK)
			err = bg_code_add(&code, &line);
		if (err != BG_OK)
			return err;
	}
	return bg_code_is_whole(&code, &body, &len) ? BG_OK : BG_ERR_MISSING;
}

static void put_lines(const char *what, const char *text, enum bg_err want)
{
	out_object(NULL);
	out_text("what", what);
	out_lines("lines", text);
	put_refusal(what, read_lines(text), want);
	out_end();
}

/* A line made by hand, with a CRC that adds up: doc/protocol.md once more. */
static void make_line(unsigned int kind, unsigned int number, const uint8_t body[static 13],
	char ret[static LINE + 1])
{
	uint8_t raw[16] = { (uint8_t)(kind << 5 | number) };
	unsigned int crc = 0xffff;

	memcpy(raw + 1, body, 13);
	for (size_t i = 0; i < 14; i++) {
		crc ^= raw[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x8408 : 0);
	}
	raw[14] = (uint8_t)~crc;
	raw[15] = (uint8_t)(~crc >> 8);
	for (size_t i = 0; i < 32; i++)
		ret[i] = "cbdefghijklnrtuv"[raw[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	memcpy(ret + 32, "\n", 2);
}

static void put_one(const char *what, unsigned int kind, unsigned int number,
	const uint8_t body[static 13], const char *before, enum bg_err want)
{
	char text[BG_CODE_TEXT_LEN + 2 * LINE], line[LINE + 1];

	make_line(kind, number, body, line);
	(void)snprintf(text, sizeof(text), "%s%s", before, line);
	put_lines(what, text, want);
}

static void put_code_lines(const struct bg_writer *one, const struct bg_writer *two)
{
	char a[BG_CODE_TEXT_LEN], b[BG_CODE_TEXT_LEN], c[BG_CODE_TEXT_LEN];
	char text[BG_CODE_TEXT_LEN + LINE];
	uint8_t body[13] = { 0 };
	size_t last, at = 0;

	must(bg_code_encode_plain(BG_CODE_APPROVAL, one->p, one->len, a, sizeof(a)));
	must(bg_code_encode_plain(BG_CODE_APPROVAL, two->p, two->len, b, sizeof(b)));
	must(bg_code_encode_plain(BG_CODE_RESPONSE, one->p, one->len, c, sizeof(c)));
	last = strlen(a) - LINE;
	(void)snprintf(text, sizeof(text), "%.*s\n%s", LINE - 2, a, a + LINE);
	put_lines("a line cut by a character", text, BG_ERR_RANGE);
	(void)snprintf(text, sizeof(text), "%.*s", (int)last, a);
	put_lines("the last line is missing", text, BG_ERR_MISSING);
	put_lines("line 0 is missing", a + LINE, BG_ERR_MISSING);
	(void)snprintf(text, sizeof(text), "%.*s%s", LINE, a, a + 2 * (size_t)LINE);
	put_lines("a line in the middle is missing", text, BG_ERR_MISSING);
	(void)snprintf(text, sizeof(text), "%s", a);
	text[4] = 'a';
	put_lines("a character that is not modhex", text, BG_ERR_SYNTAX);
	text[4] = a[4] == 'c' ? 'b' : 'c';
	put_lines("a wrong character", text, BG_ERR_CHECKSUM);
	(void)snprintf(text, sizeof(text), "%s", a);
	while (a[at] == a[at + 1])
		at++;
	text[at] = a[at + 1];
	text[at + 1] = a[at];
	put_lines("two characters swapped", text, BG_ERR_CHECKSUM);
	(void)snprintf(text, sizeof(text), "%.*s%s", (int)last, a, c + last);
	put_lines("the last line of a response", text, BG_ERR_WRONG_KIND);
	(void)snprintf(text, sizeof(text), "%s%.*s", a, LINE, b);
	put_lines("another approval's line 0 besides", text, BG_ERR_DUPLICATE);
	put_one("an unknown kind", 6, 0, body, "", BG_ERR_WRONG_KIND);
	put_one("an unknown kind", 7, 0, body, "", BG_ERR_WRONG_KIND);
	put_one("no bytes at all", BG_CODE_APPROVAL, 0, body, "", BG_ERR_RANGE);
	body[0] = 0xff;
	put_one("more bytes than lines can hold", BG_CODE_APPROVAL, 0, body, "", BG_ERR_RANGE);
	memcpy(body, (uint8_t[]){ 0, 3, 1, 2, 3, 4 }, 6);
	put_one("bytes after the end", BG_CODE_APPROVAL, 0, body, "", BG_ERR_RANGE);
	body[5] = 0;
	make_line(BG_CODE_APPROVAL, 0, body, text);
	put_one("a line beyond the length", BG_CODE_APPROVAL, 1, body, text, BG_ERR_RANGE);
}

static void put_compact(const char *what, const char *text, enum bg_err want)
{
	struct bg_compact share;

	out_object(NULL);
	out_text("what", what);
	out_text("modhex", text);
	put_refusal(what, bg_compact_decode(text, strlen(text), &share), want);
	out_end();
}

static void put_compacts(const struct world *w)
{
	struct bg_compact share = { .member_index = 1, .value = w->epochs[0].f.values[1] };
	char text[BG_COMPACT_TEXT_LEN], changed[BG_COMPACT_TEXT_LEN + 1];

	must(bg_compact_encode(&share, text));
	(void)snprintf(changed, sizeof(changed), "%.*s", BG_COMPACT_CHARS_128 - 1, text);
	put_compact("a character missing", changed, BG_ERR_RANGE);
	(void)snprintf(changed, sizeof(changed), "%sc", text);
	put_compact("a character too many", changed, BG_ERR_RANGE);
	memcpy(changed, text, sizeof(text));
	changed[7] = 'x';
	put_compact("a character that is not modhex", changed, BG_ERR_SYNTAX);
	changed[7] = text[7] == 'c' ? 'b' : 'c';
	put_compact("a wrong character", changed, BG_ERR_CHECKSUM);
	memcpy(changed, text, sizeof(text));
	changed[1] = text[1] == 'c' ? 'd' : 'c';
	put_compact("another member index", changed, BG_ERR_CHECKSUM);
	/* 38 characters whose CRC adds up, of type 2 */
	put_compact("the other length's type", "dbcccccccccccccccccccccccccccccccctbrk",
		BG_ERR_WRONG_KIND);
}

typedef enum bg_err read_fn(const uint8_t *p, size_t len);

#define READER(unit)                                                                               \
	static enum bg_err read_##unit(const uint8_t *p, size_t len)                               \
	{                                                                                          \
		struct bg_##unit ret;                                                              \
                                                                                                   \
		return bg_##unit##_read(p, len, &ret);                                             \
	}

READER(touch_challenge)
READER(touch_answer)
READER(request_challenge)
READER(approval)
READER(response)
READER(refusal)

static void put_body(const char *what, enum bg_code_kind kind, const struct bg_writer *body)
{
	static read_fn *const readers[BG_CODE_KIND_COUNT] = {
		[BG_CODE_TOUCH_CHALLENGE] = read_touch_challenge,
		[BG_CODE_TOUCH_ANSWER] = read_touch_answer,
		[BG_CODE_REQUEST_CHALLENGE] = read_request_challenge,
		[BG_CODE_APPROVAL] = read_approval,
		[BG_CODE_RESPONSE] = read_response,
		[BG_CODE_REFUSAL] = read_refusal,
	};

	must(body->is_full ? BG_ERR_TOO_BIG : BG_OK);
	out_object(NULL);
	out_text("what", what);
	out_number("kind", kind);
	out_hex("body", body->p, body->len);
	put_refusal(what, readers[kind](body->p, body->len), BG_ERR_SYNTAX);
	out_end();
}

/* The same for each kind: another version, cut, longer. body has room for a byte more. */
static void put_usual(enum bg_code_kind kind, struct bg_writer *body)
{
	uint8_t version = body->p[0];

	body->p[0] = 0;
	put_body("version 0", kind, body);
	body->p[0] = 2;
	put_body("version 2", kind, body);
	body->p[0] = version;
	body->len--;
	put_body("a byte missing", kind, body);
	body->len++;
	bg_put_u8(body, 0);
	put_body("a byte too many", kind, body);
	body->len = 1;
	put_body("nothing but the version", kind, body);
}

static void put_touch_bodies(const struct world *w)
{
	static const struct {
		const char *what;
		size_t at; /* in struct bg_touch_challenge */
		const char *text;
	} rows[] = {
		{ "no host label", offsetof(struct bg_touch_challenge, touch.host_label), "" },
		{ "a host label with a blank",
			offsetof(struct bg_touch_challenge, touch.host_label), "db 1" },
		{ "an account in capitals", offsetof(struct bg_touch_challenge, touch.account),
			"Breakglass" },
		{ "a zone with a slash", offsetof(struct bg_touch_challenge, zone), "d/b" },
		{ "a control character in the service",
			offsetof(struct bg_touch_challenge, touch.service), "s\033[2J" },
		{ "text turned around in the origin",
			offsetof(struct bg_touch_challenge, touch.origin),
			"a\xe2\x80\xae"
			"b" },
		{ "broken UTF-8 in the origin", offsetof(struct bg_touch_challenge, touch.origin),
			"a\xff" },
	};
	uint8_t bytes[BG_CODE_MAX_LEN + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
		struct bg_touch_challenge challenge;

		world_touch(w, 0, &challenge);
		memcpy((char *)&challenge + rows[i].at, rows[i].text, strlen(rows[i].text) + 1);
		must(bg_touch_challenge_write(&challenge, &body));
		put_body(rows[i].what, BG_CODE_TOUCH_CHALLENGE, &body);
		if (i + 1 < sizeof(rows) / sizeof(rows[0]))
			continue;
		body.len = 0;
		world_touch(w, 0, &challenge);
		must(bg_touch_challenge_write(&challenge, &body));
		put_usual(BG_CODE_TOUCH_CHALLENGE, &body);
	}
}

static void put_answer_bodies(const struct world *w)
{
	struct bg_touch_answer answer = { .flags = SEAL_UP | SEAL_UV, .sig_len = 64 };
	uint8_t bytes[BG_CODE_MAX_LEN + 1];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };

	(void)w;
	must(bg_touch_answer_write(&answer, &body));
	put_usual(BG_CODE_TOUCH_ANSWER, &body);
	body.len = 0;
	answer.flags |= SEAL_ED;
	must(bg_touch_answer_write(&answer, &body));
	put_body("extensions", BG_CODE_TOUCH_ANSWER, &body);
	body.len = 0;
	answer.flags = SEAL_UP | SEAL_UV;
	answer.sig_len = BG_ASSERTION_SIG_MAX_LEN;
	must(bg_touch_answer_write(&answer, &body));
	bg_put_u8(&body, 0);
	bytes[14] = BG_ASSERTION_SIG_MAX_LEN + 1;
	put_body("a signature that is too long", BG_CODE_TOUCH_ANSWER, &body);
}

static void put_changed(const struct world *w, const char *what,
	void (*change)(struct bg_request_challenge *challenge))
{
	uint8_t bytes[BG_CODE_MAX_LEN + 1];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };
	struct bg_request_challenge challenge;
	struct bg_request request;

	world_request(w, 0, &request);
	must(bg_request_challenge_make(w->crypto, &request, &w->epochs[0].f.seal, &challenge));
	if (change != NULL)
		change(&challenge);
	must(bg_request_challenge_write(&challenge, &body));
	if (change != NULL)
		put_body(what, BG_CODE_REQUEST_CHALLENGE, &body);
	else
		put_usual(BG_CODE_REQUEST_CHALLENGE, &body);
}

#define CHANGE(name, ...)                                                                          \
	static void name(struct bg_request_challenge *challenge)                                   \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

CHANGE(no_purpose, challenge->request.purpose = BG_PURPOSE_NONE)
CHANGE(key_name, challenge->request.key[0] = 'B')
CHANGE(line_feed, challenge->request.reason[3] = '\n')
CHANGE(epoch_zero, challenge->epoch = 0)
CHANGE(strength, challenge->strength = 192)
CHANGE(identifier, challenge->slip39_id = 0x8000)
CHANGE(threshold_zero, challenge->threshold = 0)
CHANGE(threshold_one, challenge->threshold = 1)
CHANGE(threshold_above, challenge->threshold = 4)
CHANGE(nobody, challenge->custodian_count = 0)
CHANGE(index_twice, challenge->custodians[1].index = 0)
CHANGE(index_sixteen, challenge->custodians[2].index = 16)

static void put_request_bodies(const struct world *w)
{
	put_changed(w, "no purpose", no_purpose);
	put_changed(w, "a key's name in capitals", key_name);
	put_changed(w, "a line feed in the reason", line_feed);
	put_changed(w, "epoch 0", epoch_zero);
	put_changed(w, "192 bit", strength);
	put_changed(w, "an identifier of 16 bit", identifier);
	put_changed(w, "a threshold of 0", threshold_zero);
	put_changed(w, "one of three", threshold_one);
	put_changed(w, "four of three", threshold_above);
	put_changed(w, "no custodians", nobody);
	put_changed(w, "a member index twice", index_twice);
	put_changed(w, "member index 16", index_sixteen);
	put_changed(w, NULL, NULL);
}

/* To be written anew. */
static struct bg_writer *emptied(struct bg_writer *w)
{
	w->len = 0;
	return w;
}

static void put_proof_bodies(void)
{
	struct bg_approval approval = { .index = 1, .epoch = 1 };
	struct bg_response response = { .epoch = 1, .exposed = 3 };
	struct bg_refusal refusal = { .index = 1, .epoch = 1 };
	uint8_t bytes[BG_CODE_MAX_LEN + 1];
	struct bg_writer body = { .p = bytes, .cap = sizeof(bytes) };

	must(bg_approval_write(&approval, emptied(&body)));
	put_usual(BG_CODE_APPROVAL, &body);
	approval.index = 16;
	must(bg_approval_write(&approval, emptied(&body)));
	put_body("member index 16", BG_CODE_APPROVAL, &body);
	must(bg_response_write(&response, emptied(&body)));
	put_body("a response as an approval", BG_CODE_APPROVAL, &body);
	put_usual(BG_CODE_RESPONSE, &body);
	response.exposed = 0;
	must(bg_response_write(&response, emptied(&body)));
	put_body("nobody's share exposed", BG_CODE_RESPONSE, &body);
	must(bg_refusal_write(&refusal, emptied(&body)));
	put_usual(BG_CODE_REFUSAL, &body);
	refusal.index = 16;
	must(bg_refusal_write(&refusal, emptied(&body)));
	put_body("member index 16", BG_CODE_REFUSAL, &body);
	must(bg_response_write(&response, emptied(&body)));
	put_body("a response as a refusal", BG_CODE_REFUSAL, &body);
}

void put_refused_codes(const struct world *w)
{
	struct bg_approval approval = { .index = 1, .epoch = 1 };
	uint8_t one[128], two[128];
	struct bg_writer a = { .p = one, .cap = sizeof(one) }, b = { .p = two, .cap = sizeof(two) };

	memset(approval.sig, 0x31, sizeof(approval.sig));
	must(bg_approval_write(&approval, &a));
	memset(approval.tag, 0x32, sizeof(approval.tag));
	must(bg_approval_write(&approval, &b));
	out_list("lines");
	put_code_lines(&a, &b);
	out_end();
	out_list("compact");
	put_compacts(w);
	out_end();
	out_list("bodies");
	put_touch_bodies(w);
	put_answer_bodies(w);
	put_request_bodies(w);
	put_proof_bodies();
	out_end();
}

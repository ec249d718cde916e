/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "unit.h"

#include <breakglass/ini.h>

struct world {
	struct bg_crypto *crypto;
	struct seal_fixture now, next, other;
	struct seal_fixture work, scratch; /* a copies to spoil; they own no keys */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct bg_diag diag = { 0 };

	*state = w;
	w->crypto = bg_crypto_open();
	if (w->crypto == NULL || seal_fixture_plan(&w->now, 1) != 0 ||
		seal_fixture_seal(w->crypto, &w->now, NULL, &diag) != BG_OK ||
		seal_fixture_plan_next(&w->next, &w->now, 2) != 0 ||
		seal_fixture_seal(w->crypto, &w->next, &w->now, &diag) != BG_OK ||
		seal_fixture_plan(&w->other, 3) != 0) {
		fprintf(stderr, "%s:%u %s\n", diag.where, diag.line, diag.what);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_fixture_free(&w->now);
	seal_fixture_free(&w->next);
	seal_fixture_free(&w->other);
	bg_crypto_close(w->crypto);
	free(w);
	return 0;
}

static enum bg_err parse(struct world *w, const char *text, size_t len, struct bg_diag *diag)
{
	struct bg_seal seal;

	return bg_seal_parse(w->crypto, text, len, "x.seal", &seal, diag);
}

/* w->work = a copy of f whose first `from` became `to`, not signed anew. */
static void spoil(struct world *w, const struct seal_fixture *f, const char *from, const char *to)
{
	const char *at = strstr(f->text, from);
	size_t before;

	w->work = *f;
	assert_non_null(at);
	before = (size_t)(at - f->text);
	w->work.len = (size_t)snprintf(w->work.text, sizeof(w->work.text), "%.*s%s%s", (int)before,
		f->text, to, at + strlen(from));
}

/* The same, signed anew: only the rule itself can refuse it. */
static enum bg_err parse_spoilt(struct world *w, const struct seal_fixture *f, const char *from,
	const char *to, struct bg_diag *diag)
{
	spoil(w, f, from, to);
	assert_int_equal(seal_fixture_resign(w->crypto, &w->work), BG_OK);
	return parse(w, w->work.text, w->work.len, diag);
}

static void seal_written_reads_back_the_same(void **state)
{
	struct world *w = *state;
	char text[32768];
	size_t len = 0;
	const struct bg_seal *s = &w->next.seal;

	assert_int_equal(bg_seal_write_body(s, text, sizeof(text), &len), BG_OK);
	assert_int_equal(len, s->body_len);
	assert_int_equal(bg_seal_write_signature(s, text, sizeof(text), &len), BG_OK);
	assert_int_equal(len, w->next.len);
	assert_memory_equal(text, w->next.text, len);
	assert_string_equal(s->account, "breakglass");
	assert_int_equal(s->epoch, 2);
	assert_int_equal(s->retired_count, 1);
	assert_string_equal(s->retired[0].custodians[2].name, "audit");
	assert_true(s->policy.remote_ssh && s->policy.is_reason_required);
	assert_string_equal(s->keys[1].ssh, w->now.seal.keys[1].ssh);
	assert_string_equal(s->predecessor_key, "a");
}

static void seal_write_refuses_small_buffers(void **state)
{
	struct world *w = *state;
	char text[32768];
	size_t len = 0, whole = w->now.seal.body_len;

	for (size_t size = 1; size <= whole; size++)
		assert_int_equal(
			bg_seal_write_body(&w->now.seal, text, size, &len), BG_ERR_TOO_BIG);
	assert_int_equal(bg_seal_write_body(&w->now.seal, text, whole + 1, &len), BG_OK);
	for (size_t size = whole; size <= w->now.len; size++) {
		len = whole;
		assert_int_equal(
			bg_seal_write_signature(&w->now.seal, text, size, &len), BG_ERR_TOO_BIG);
	}
}

static void seal_every_truncation_refused(void **state)
{
	struct world *w = *state;

	for (size_t len = 0; len < w->next.len; len++)
		assert_int_not_equal(parse(w, w->next.text, len, NULL), BG_OK);
	assert_int_equal(parse(w, w->next.text, w->next.len, NULL), BG_OK);
}

/* A first seal has nothing that its own signature, or its one spelling, does not cover. */
static void seal_every_bit_flip_refused(void **state)
{
	struct world *w = *state;

	w->work = w->now;
	for (size_t i = 0; i < w->now.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			w->work.text[i] = (char)(w->now.text[i] ^ 1 << bit);
			assert_int_not_equal(parse(w, w->work.text, w->work.len, NULL), BG_OK);
		}
		w->work.text[i] = w->now.text[i];
	}
}

/* In a successor the endorsements are the predecessor's to check. */
static void seal_every_bit_flip_of_a_successor_refused(void **state)
{
	struct world *w = *state;
	struct bg_seal seal;

	w->work = w->next;
	for (size_t i = w->next.seal.body_len; i < w->next.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			enum bg_err err;

			w->work.text[i] = (char)(w->next.text[i] ^ 1 << bit);
			err = bg_seal_parse(w->crypto, w->work.text, w->work.len, "x", &seal, NULL);
			if (err == BG_OK)
				err = bg_seal_check_successor(
					w->crypto, &w->now.seal, &seal, w->work.text, false, NULL);
			assert_int_not_equal(err, BG_OK);
		}
		w->work.text[i] = w->next.text[i];
	}
}

static void seal_nothing_may_follow_or_precede_the_signature(void **state)
{
	struct world *w = *state;
	static const char *const tails[] = { "\n", "# note\n", "[policy]\n", "quorum = 00\n",
		"[signature]\n" };

	for (size_t i = 0; i < LEN(tails); i++) {
		w->work = w->now;
		strcpy(w->work.text + w->work.len, tails[i]);
		assert_int_not_equal(
			parse(w, w->work.text, w->work.len + strlen(tails[i]), NULL), BG_OK);
	}
	assert_int_equal(
		parse_spoilt(w, &w->now, "\n[policy]\n", "\n# remark\n\n[policy]\n", NULL), BG_OK);
	assert_int_equal(parse_spoilt(w, &w->now, "[seal]\n", "[signature ]\n[seal]\n", NULL),
		BG_ERR_SYNTAX);
}

static void seal_sections_out_of_order_refused(void **state)
{
	struct world *w = *state;
	struct bg_diag diag = { 0 };
	char policy[1024];
	const char *from = strstr(w->now.text, "[policy]"), *to = strstr(from, "[custodian");

	snprintf(policy, sizeof(policy), "%.*s", (int)(to - from), from);
	spoil(w, &w->now, policy, "");
	w->scratch = w->work;
	strcat(policy, "[seal]");
	assert_int_equal(parse_spoilt(w, &w->scratch, "[seal]", policy, &diag), BG_ERR_SYNTAX);
	assert_non_null(strstr(diag.what, "must come before"));
}

static unsigned int line_of(const char *text, const char *at)
{
	unsigned int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Each word that stands before '=' or in brackets, with each letter changed. */
static void seal_P19_each_misspelt_word_is_an_error_with_its_line(void **state)
{
	struct world *w = *state;
	const char *text = w->next.text;
	size_t words = 0;

	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t start = *line == '[' ? 1 : 0;
		size_t len = strcspn(line + start, " ]\n");

		for (size_t i = start; i < start + len; i++) {
			struct bg_diag diag = { 0 };
			enum bg_err err;

			w->work = w->next;
			w->work.text[line - text + i] = line[i] == 'x' ? 'y' : 'x';
			if (line < text + w->next.seal.body_len &&
				strncmp(line, "[signature]", 11) != 0)
				assert_int_equal(seal_fixture_resign(w->crypto, &w->work), BG_OK);
			err = parse(w, w->work.text, w->work.len, &diag);
			assert_int_equal(err, BG_ERR_UNKNOWN_KEY);
			assert_int_equal(diag.line, line_of(text, line));
			assert_string_equal(diag.where, "x.seal");
			assert_true(diag.what[0] != '\0');
		}
		words += len > 0;
	}
	assert_true(words > 50);
}

static void seal_S18_each_key_and_section_twice_refused(void **state)
{
	struct world *w = *state;
	const char *text = w->next.text;

	for (const char *line = text, *end; *line != '\0'; line = end) {
		struct bg_diag diag = { 0 };
		size_t at = (size_t)(line - text);
		size_t len;
		enum bg_err err;

		end = strchr(line, '\n') + 1;
		len = (size_t)(end - line);
		if (*line == '\n')
			continue;
		w->work = w->next;
		memcpy(w->work.text + at + len, line, w->next.len - at + 1);
		w->work.len += len;
		if (at < w->next.seal.body_len)
			assert_int_equal(seal_fixture_resign(w->crypto, &w->work), BG_OK);
		err = parse(w, w->work.text, w->work.len, &diag);
		/* A header again: what stood under it first is missing its keys. */
		assert_true(err == BG_ERR_DUPLICATE || (*line == '[' && err == BG_ERR_MISSING));
		assert_true(
			diag.line >= line_of(text, line) && diag.line <= line_of(text, line) + 1);
	}
}

static void seal_each_key_missing_refused(void **state)
{
	struct world *w = *state;
	const char *text = w->next.text;

	for (const char *line = text, *end; *line != '\0'; line = end) {
		struct bg_diag diag = { 0 };
		size_t at = (size_t)(line - text);

		end = strchr(line, '\n') + 1;
		if (*line == '\n' || *line == '[')
			continue;
		w->work = w->next;
		memcpy(w->work.text + at, end, w->next.len - (size_t)(end - text) + 1);
		w->work.len -= (size_t)(end - line);
		if (at < w->next.seal.body_len)
			assert_int_equal(seal_fixture_resign(w->crypto, &w->work), BG_OK);
		assert_int_equal(parse(w, w->work.text, w->work.len, &diag), BG_ERR_MISSING);
		assert_true(diag.line > 0);
	}
}

static const struct {
	const char *name, *from, *to;
	enum bg_err err;
} bad_values[] = {
	{ "version 2", "version = 1", "version = 2", BG_ERR_RANGE },
	{ "upper-case account", "account = breakglass", "account = Breakglass", BG_ERR_SYNTAX },
	{ "17-byte account", "account = breakglass", "account = abcdefghijklmnopq", BG_ERR_SYNTAX },
	{ "zone of 25", "zone = db", "zone = abcdefghijklmnopqrstuvwxy", BG_ERR_SYNTAX },
	{ "created without Z", "T03:04:05Z\nset", "T03:04:05\nset", BG_ERR_SYNTAX },
	{ "created 30 February", "2026-01-02T", "2026-02-30T", BG_ERR_SYNTAX },
	{ "epoch 0", "epoch = 1", "epoch = 0", BG_ERR_RANGE },
	{ "leading zero", "epoch = 1", "epoch = 01", BG_ERR_SYNTAX },
	{ "sign", "epoch = 1", "epoch = +1", BG_ERR_SYNTAX },
	{ "epoch 2 without predecessor", "epoch = 1", "epoch = 2", BG_ERR_RANGE },
	{ "S16 threshold 0", "threshold = 2", "threshold = 0", BG_ERR_RANGE },
	{ "S16 threshold 1 of 3", "threshold = 2", "threshold = 1", BG_ERR_RANGE },
	{ "S16 threshold 4 of 3", "threshold = 2", "threshold = 4", BG_ERR_RANGE },
	{ "S16 threshold empty", "threshold = 2", "threshold =", BG_ERR_SYNTAX },
	{ "S16 remote empty", "remote = approve combine touch ssh", "remote = ", BG_ERR_SYNTAX },
	{ "remote with none", "remote = approve combine", "remote = none combine", BG_ERR_RANGE },
	{ "remote twice", "remote = approve combine", "remote = approve approve",
		BG_ERR_DUPLICATE },
	{ "strength 192", "strength = 128", "strength = 192", BG_ERR_RANGE },
	{ "identifier of 16 bits", "slip39-id = 4609", "slip39-id = 32768", BG_ERR_RANGE },
	{ "predecessor of epoch 1", "predecessor = none",
		"predecessor = 0000000000000000000000000000000000000000000000000000000000000000",
		BG_ERR_RANGE },
	{ "recipient", "recipient = age1", "recipient = age2", BG_ERR_SYNTAX },
	{ "another relying party", "rp-id = breakglass:db", "rp-id = breakglass:dc", BG_ERR_RANGE },
	{ "session too long", "session-seconds = 14400", "session-seconds = 86401", BG_ERR_RANGE },
	{ "grant too short", "grant-seconds = 60", "grant-seconds = 9", BG_ERR_RANGE },
	{ "reason", "reason = required", "reason = maybe", BG_ERR_RANGE },
	{ "reentry", "reentry = key", "reentry = yes", BG_ERR_RANGE },
	{ "expires", "expires = 2026", "expires = 1926", BG_ERR_SYNTAX },
	{ "index 16", "index = 2", "index = 16", BG_ERR_RANGE },
	{ "same index", "index = 2", "index = 1", BG_ERR_DUPLICATE },
	{ "same custodian", "[custodian dba]", "[custodian ops]", BG_ERR_DUPLICATE },
	{ "custodian's name", "[custodian dba]", "[custodian Dba]", BG_ERR_SYNTAX },
	{ "custodian's long name", "[custodian dba]", "[custodian abcdefghijklm]", BG_ERR_SYNTAX },
	{ "custodian without name", "[custodian dba]", "[custodian]", BG_ERR_SYNTAX },
	{ "policy with name", "[policy]", "[policy x]", BG_ERR_SYNTAX },
	{ "holder of 25", "holder = holder of a", "holder = abcdefghijklmnopqrstuvwxy",
		BG_ERR_RANGE },
	{ "algorithm", "algorithm = es256", "algorithm = rs256", BG_ERR_RANGE },
	{ "another algorithm's key", "algorithm = es256", "algorithm = eddsa", BG_ERR_RANGE },
	{ "no algorithm", "algorithm = es256", "algorithm = none", BG_ERR_RANGE },
	{ "key called none", "[key a]", "[key none]", BG_ERR_RANGE },
	{ "ssh without sk", "ssh = sk-ssh-ed25519@openssh.com", "ssh = ssh-ed25519",
		BG_ERR_SYNTAX },
	{ "ssh with comment", "ZW5zc2guY29t\n", "ZW5zc2guY29t me\n", BG_ERR_SYNTAX },
	{ "upper-case hex", "aaguid = 5f5f", "aaguid = 5F5f", BG_ERR_SYNTAX },
	{ "short hex", "aaguid = 5f5f", "aaguid = 5f5", BG_ERR_SYNTAX },
	{ "tab", "zone = db", "zone =\tdb", BG_ERR_SYNTAX },
	{ "carriage return", "zone = db", "zone = db\r", BG_ERR_SYNTAX },
	{ "indented", "zone = db", " zone = db", BG_ERR_SYNTAX },
	{ "byte order mark", "[seal]", "\xef\xbb\xbf[seal]", BG_ERR_SYNTAX },
	{ "invalid UTF-8", "holder = holder of a", "holder = \xc3(", BG_ERR_SYNTAX },
	{ "escape", "holder = holder of a", "holder = \x1b[2J", BG_ERR_SYNTAX },
	{ "right-to-left override", "holder = holder of a", "holder = \xe2\x80\xae",
		BG_ERR_SYNTAX },
};

static void seal_bad_values_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < LEN(bad_values); i++) {
		struct bg_diag diag = { 0 };
		enum bg_err err =
			parse_spoilt(w, &w->now, bad_values[i].from, bad_values[i].to, &diag);

		if (err != bad_values[i].err)
			print_error(
				"%s: %u %u %s\n", bad_values[i].name, err, diag.line, diag.what);
		assert_int_equal(err, bad_values[i].err);
		assert_true(diag.what[0] != '\0');
	}
}

/* from and everything up to (not including) to are taken out. */
static enum bg_err parse_without(struct world *w, const char *from, const char *to)
{
	char part[32768];
	const char *at = strstr(w->now.text, from), *end = strstr(at, to);

	snprintf(part, sizeof(part), "%.*s", (int)(end - at), at);
	return parse_spoilt(w, &w->now, part, "", NULL);
}

static void seal_S16_empty_lists_and_thresholds_denied(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse_without(w, "[custodian ops]", "[key a]"), BG_ERR_MISSING);
	assert_int_equal(parse_without(w, "[key a]", "[signature]"), BG_ERR_MISSING);
	assert_int_equal(parse_without(w, "[policy]", "[custodian"), BG_ERR_MISSING);
	assert_int_equal(parse_without(w, "session-seconds", "[custodian"), BG_ERR_MISSING);
	assert_int_equal(parse_without(w, "[seal]", "[policy]"), BG_ERR_MISSING);
	assert_int_equal(parse_without(w, "index = 0", "\n[custodian dba]"), BG_ERR_MISSING);
	/* two custodians left of three: 2 of 2 is a quorum */
	assert_int_equal(parse_without(w, "[custodian audit]", "[key a]"), BG_OK);
	/* one left: 2 of 1 is not */
	assert_int_equal(parse_without(w, "[custodian dba]", "[key a]"), BG_ERR_RANGE);
}

static void seal_key_needs_credential_or_ssh(void **state)
{
	struct world *w = *state;
	struct seal_fixture *f = &w->work;

	for (size_t i = 0; i < 2; i++) {
		*f = w->now;
		f->seal.keys[i].credential_len = 0;
		f->seal.keys[i].alg = BG_ALG_NONE;
		memset(f->seal.keys[i].pub, 0, sizeof(f->seal.keys[i].pub));
		/* key b has an ssh key, key a nothing else */
		assert_int_equal(seal_fixture_seal(w->crypto, f, NULL, NULL),
			i == 0 ? BG_ERR_MISSING : BG_OK);
	}
}

static void seal_signature_of_another_quorum_or_context_refused(void **state)
{
	struct world *w = *state;
	struct bg_diag diag = { 0 };
	size_t len = w->now.seal.body_len;

	w->work = w->now;
	w->work.quorum = w->next.quorum;
	assert_int_equal(seal_fixture_resign(w->crypto, &w->work), BG_OK);
	assert_int_equal(parse(w, w->work.text, w->work.len, &diag), BG_ERR_SIGNATURE);
	assert_string_equal(diag.where, "x.seal");
	w->work = w->now;
	assert_int_equal(bg_seal_sign(w->crypto, BG_CTX_SUCCESSION_QUORUM, &w->now.quorum.sign_seed,
				 w->work.text, len, w->work.seal.quorum_sig),
		BG_OK);
	assert_int_equal(bg_seal_write_signature(&w->work.seal, w->work.text, 65536, &len), BG_OK);
	assert_int_equal(parse(w, w->work.text, w->work.len, &diag), BG_ERR_SIGNATURE);
	assert_int_equal(bg_seal_sign(w->crypto, BG_CTX_APPROVAL, &w->now.quorum.sign_seed, "", 0,
				 w->work.seal.quorum_sig),
		BG_ERR_ARGUMENT);
}

static void seal_line_and_file_limits(void **state)
{
	struct world *w = *state;
	static char line[BG_INI_LINE_LEN + 32];

	memset(line, 'x', sizeof(line));
	line[0] = '#';
	memcpy(line + BG_INI_LINE_LEN, "\n[seal]\n", 9);
	assert_int_equal(parse_spoilt(w, &w->now, "[seal]\n", line, NULL), BG_OK);
	memcpy(line + BG_INI_LINE_LEN, "x\n[seal]\n", 10);
	assert_int_equal(parse_spoilt(w, &w->now, "[seal]\n", line, NULL), BG_ERR_TOO_BIG);
	w->work = w->now;
	assert_int_equal(parse(w, w->work.text, BG_INI_FILE_LEN + 1, NULL), BG_ERR_TOO_BIG);
}

/* ---- succession ---- */

static enum bg_err check(struct world *w, const struct seal_fixture *prev,
	const struct seal_fixture *next, bool is_keys_lost)
{
	return bg_seal_check_successor(
		w->crypto, &prev->seal, &next->seal, next->text, is_keys_lost, NULL);
}

static void seal_successor_accepted_and_same_is_nothing_to_do(void **state)
{
	struct world *w = *state;

	assert_int_equal(check(w, &w->now, &w->next, false), BG_OK);
	assert_int_equal(check(w, &w->now, &w->next, true), BG_OK);
	assert_int_equal(check(w, &w->now, &w->now, false), BG_OK);
}

static void seal_epoch_never_goes_back_and_forks_are_refused(void **state)
{
	struct world *w = *state;
	struct seal_fixture *third = calloc(1, sizeof(*third));

	assert_int_equal(check(w, &w->next, &w->now, false), BG_ERR_EPOCH);
	assert_int_equal(seal_fixture_plan_next(third, &w->next, 7), 0);
	assert_int_equal(seal_fixture_seal(w->crypto, third, &w->next, NULL), BG_OK);
	assert_int_equal(check(w, &w->next, third, false), BG_OK);
	assert_int_equal(third->seal.retired_count, 2);
	assert_int_equal(check(w, &w->now, third, false), BG_ERR_EPOCH);
	seal_fixture_free(third);
	assert_int_equal(seal_fixture_plan_next(third, &w->now, 8), 0);
	assert_int_equal(seal_fixture_seal(w->crypto, third, &w->now, NULL), BG_OK);
	assert_int_equal(check(w, &w->next, third, false), BG_ERR_FORK);
	seal_fixture_free(third);
	free(third);
}

static void seal_successor_of_another_account_zone_or_seal_refused(void **state)
{
	struct world *w = *state;
	struct seal_fixture *f = &w->work;

	*f = w->next;
	strcpy(f->seal.account, "otheracct");
	assert_int_equal(seal_fixture_seal(w->crypto, f, &w->now, NULL), BG_OK);
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_MISMATCH);
	*f = w->next;
	strcpy(f->seal.zone, "web");
	strcpy(f->seal.rp_id, "breakglass:web");
	assert_int_equal(seal_fixture_seal(w->crypto, f, &w->now, NULL), BG_OK);
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_MISMATCH);
	*f = w->next;
	f->seal.predecessor[0] ^= 1;
	assert_int_equal(seal_fixture_seal(w->crypto, f, &w->now, NULL), BG_OK);
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_MISMATCH);
}

/* Exposed shares alone, or a key alone, choose no custodians. */
static void seal_successor_needs_quorum_and_key(void **state)
{
	struct world *w = *state;
	struct seal_fixture *f = &w->work;
	size_t len;

	*f = w->next;
	len = f->seal.body_len;
	f->seal.predecessor_key[0] = '\0';
	assert_int_equal(bg_seal_write_signature(&f->seal, f->text, 65536, &len), BG_OK);
	assert_int_equal(bg_seal_parse(w->crypto, f->text, len, "x", &f->seal, NULL), BG_OK);
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_ASSERTION);
	assert_int_equal(check(w, &w->now, f, true), BG_OK);
	*f = w->next;
	f->seal.predecessor_quorum_sig[5] ^= 1;
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_SIGNATURE);
	assert_int_equal(check(w, &w->now, f, true), BG_ERR_SIGNATURE);
	f->seal.has_endorsement = false;
	assert_int_equal(check(w, &w->now, f, true), BG_ERR_SIGNATURE);
	*f = w->next;
	f->seal.predecessor_key_sig[f->seal.predecessor_key_sig_len - 1] ^= 1;
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_SIGNATURE);
	*f = w->next;
	f->seal.predecessor_key_authdata[32] &= (uint8_t)~SEAL_UV;
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_ASSERTION);
	*f = w->next;
	strcpy(f->seal.predecessor_key, "b");
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_ASSERTION);
	strcpy(f->seal.predecessor_key, "zz");
	assert_int_equal(check(w, &w->now, f, false), BG_ERR_ASSERTION);
	/* the new quorum's own signature is no endorsement by the old one */
	*f = w->next;
	memcpy(f->seal.predecessor_quorum_sig, f->seal.quorum_sig, 64);
	assert_int_equal(check(w, &w->now, f, true), BG_ERR_SIGNATURE);
}

/* ---- whose share ---- */

static enum bg_share_standing standing(struct world *w, const struct seal_fixture *seal,
	const struct seal_fixture *share, int slip39_id, size_t custodian, size_t *ret_custodian,
	uint32_t *ret_epoch)
{
	enum bg_share_standing ret = BG_SHARE_UNKNOWN;
	struct bg_secret seed = { 0 };

	assert_int_equal(bg_seal_share_standing(w->crypto, &seal->seal, slip39_id,
				 share->seal.custodians[custodian].index, &share->values[custodian],
				 &ret, ret_custodian, ret_epoch, &seed),
		BG_OK);
	if (ret == BG_SHARE_CURRENT)
		assert_memory_equal(&seed, &seal->seeds[custodian], sizeof(seed));
	else
		assert_int_equal(seed.len, 0);
	return ret;
}

static void seal_S11_a_share_is_named_by_custodian_epoch_and_set(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 3; i++) {
		size_t c = 99;
		uint32_t epoch = 99;
		int id_now = w->now.seal.slip39_id, id_next = w->next.seal.slip39_id;

		assert_int_equal(
			standing(w, &w->next, &w->next, id_next, i, &c, &epoch), BG_SHARE_CURRENT);
		assert_int_equal(c, i);
		assert_int_equal(epoch, 2);
		assert_int_equal(
			standing(w, &w->next, &w->next, -1, i, &c, &epoch), BG_SHARE_CURRENT);
		/* of the epoch before, as words and as a compact share */
		c = 99;
		assert_int_equal(
			standing(w, &w->next, &w->now, id_now, i, &c, &epoch), BG_SHARE_RETIRED);
		assert_int_equal(c, i);
		assert_int_equal(epoch, 1);
		assert_int_equal(
			standing(w, &w->next, &w->now, -1, i, &c, &epoch), BG_SHARE_RETIRED);
		/* of a set that the seal never knew */
		c = 99;
		epoch = 99;
		assert_int_equal(
			standing(w, &w->next, &w->other, w->other.seal.slip39_id, i, &c, &epoch),
			BG_SHARE_OTHER_SET);
		assert_int_equal(
			standing(w, &w->now, &w->next, id_next, i, &c, &epoch), BG_SHARE_OTHER_SET);
		assert_int_equal(
			standing(w, &w->next, &w->other, -1, i, &c, &epoch), BG_SHARE_UNKNOWN);
		assert_int_equal(c, 99);
		assert_int_equal(epoch, 99);
	}
}

static void seal_share_under_another_index_is_nobodys(void **state)
{
	struct world *w = *state;
	enum bg_share_standing ret = BG_SHARE_CURRENT;
	struct bg_secret seed = { 0 };
	size_t c = 99;
	uint32_t epoch = 99;

	assert_int_equal(bg_seal_share_standing(w->crypto, &w->now.seal, w->now.seal.slip39_id, 1,
				 &w->now.values[0], &ret, &c, &epoch, &seed),
		BG_OK);
	assert_int_equal(ret, BG_SHARE_UNKNOWN);
	assert_int_equal(c, 99);
}

static void seal_names_are_found(void **state)
{
	struct world *w = *state;

	assert_int_equal(bg_seal_find_key(&w->now.seal, "b"), 1);
	assert_int_equal(bg_seal_find_key(&w->now.seal, "c"), -1);
	assert_int_equal(bg_seal_find_key(&w->now.seal, ""), -1);
	assert_int_equal(bg_seal_find_custodian(&w->now.seal, "audit"), 2);
	assert_int_equal(bg_seal_find_custodian(&w->now.seal, "audi"), -1);
}

/* The largest seal that the limits allow fits a file. */
static void seal_largest_fits(void **state)
{
	struct world *w = *state;
	struct seal_fixture *f = &w->work;
	struct bg_diag diag = { 0 };
	enum bg_err err;

	*f = w->next;
	f->seal.custodian_count = 16;
	f->seal.threshold = 16;
	for (size_t i = 0; i < 16; i++) {
		snprintf(f->seal.custodians[i].name, 13, "custodian-%02zu", i);
		f->seal.custodians[i].index = (uint8_t)i;
		f->values[i] = (struct bg_secret){ .bytes = { (uint8_t)i, 9 }, .len = 16 };
	}
	f->seal.key_count = 8;
	for (size_t i = 0; i < 8; i++) {
		struct bg_key *k = &f->seal.keys[i];

		*k = (struct bg_key){ .alg = BG_ALG_ES256, .credential_len = BG_CREDENTIAL_LEN };
		snprintf(k->name, sizeof(k->name), "key-%zu", i);
		memset(k->holder, 'h', BG_HOLDER_LEN);
		memset(k->model, 'm', BG_MODEL_LEN);
		memset(k->credential, (int)i + 1, sizeof(k->credential));
		memset(k->pub, (int)i + 1, sizeof(k->pub));
	}
	assert_int_equal(seal_fixture_seal(w->crypto, f, NULL, &diag), BG_OK);
	f->seal.epoch = 100;
	f->seal.retired_count = BG_RETIRED_MAX;
	for (size_t i = 0; i < BG_RETIRED_MAX; i++) {
		struct bg_retired *r = &f->seal.retired[i];

		*r = (struct bg_retired){ .epoch = 99 - (uint32_t)i, .slip39_id = 0x7fff };
		r->set_id[0] = (uint8_t)i;
		r->custodian_count = 16;
		memcpy(r->custodians, f->seal.custodians, sizeof(r->custodians));
	}
	err = seal_fixture_seal(w->crypto, f, NULL, &diag);
	if (err != BG_OK)
		print_error("%u %s\n", diag.line, diag.what);
	assert_int_equal(err, BG_OK);
	assert_true(f->len < BG_INI_FILE_LEN / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal_written_reads_back_the_same),
		cmocka_unit_test(seal_write_refuses_small_buffers),
		cmocka_unit_test(seal_every_truncation_refused),
		cmocka_unit_test(seal_every_bit_flip_refused),
		cmocka_unit_test(seal_every_bit_flip_of_a_successor_refused),
		cmocka_unit_test(seal_nothing_may_follow_or_precede_the_signature),
		cmocka_unit_test(seal_sections_out_of_order_refused),
		cmocka_unit_test(seal_P19_each_misspelt_word_is_an_error_with_its_line),
		cmocka_unit_test(seal_S18_each_key_and_section_twice_refused),
		cmocka_unit_test(seal_each_key_missing_refused),
		cmocka_unit_test(seal_bad_values_refused),
		cmocka_unit_test(seal_S16_empty_lists_and_thresholds_denied),
		cmocka_unit_test(seal_key_needs_credential_or_ssh),
		cmocka_unit_test(seal_signature_of_another_quorum_or_context_refused),
		cmocka_unit_test(seal_line_and_file_limits),
		cmocka_unit_test(seal_successor_accepted_and_same_is_nothing_to_do),
		cmocka_unit_test(seal_epoch_never_goes_back_and_forks_are_refused),
		cmocka_unit_test(seal_successor_of_another_account_zone_or_seal_refused),
		cmocka_unit_test(seal_successor_needs_quorum_and_key),
		cmocka_unit_test(seal_S11_a_share_is_named_by_custodian_epoch_and_set),
		cmocka_unit_test(seal_share_under_another_index_is_nobodys),
		cmocka_unit_test(seal_names_are_found),
		cmocka_unit_test(seal_largest_fits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

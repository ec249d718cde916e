/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of requests, grants, sessions and marks of drills: read back whole or not at all. */
#include "unit.h"

#include "state_fixture.h"

#include <breakglass/record.h>

static struct bg_crypto *crypto;

struct bytes {
	uint8_t p[BG_RECORD_MAX_LEN];
	size_t len;
};

/* request_bytes(), grant_bytes() ...: what is written of a record. */
#define DEFINE_BYTES(kind, type)                                                                   \
	static struct bytes kind##_bytes(const type *record)                                       \
	{                                                                                          \
		struct bytes b = { 0 };                                                            \
		struct bg_writer w = { .p = b.p, .cap = sizeof(b.p) };                             \
                                                                                                   \
		assert_int_equal(bg_record_write_##kind(crypto, record, &w), BG_OK);               \
		b.len = w.len;                                                                     \
		return b;                                                                          \
	}
DEFINE_BYTES(request, struct bg_request_record)
DEFINE_BYTES(grant, struct bg_grant)
DEFINE_BYTES(session, struct bg_session)
DEFINE_BYTES(drill, struct bg_drill)

static void record_written_is_read_back(void **state)
{
	struct bg_request_record r = fixture_request(7), r2;
	struct bg_grant g = fixture_grant(), g2;
	struct bg_session s = fixture_session(), s2;
	struct bytes b;

	(void)state;
	memset(&r2, 0xee, sizeof(r2));
	memset(&g2, 0xee, sizeof(g2));
	memset(&s2, 0xee, sizeof(s2));
	b = request_bytes(&r);
	assert_int_equal(bg_record_read_request(crypto, b.p, b.len, &r2), BG_OK);
	assert_memory_equal(&r2.request, &r.request, sizeof(r.request));
	assert_int_equal(r2.phase, r.phase);
	assert_int_equal(r2.expires_ms, r.expires_ms);
	assert_int_equal(r2.owner, r.owner);
	assert_memory_equal(&r2.tally, &r.tally, sizeof(r.tally));
	assert_memory_equal(request_bytes(&r2).p, b.p, b.len);
	b = grant_bytes(&g);
	assert_int_equal(bg_record_read_grant(crypto, b.p, b.len, &g2), BG_OK);
	assert_int_equal(g2.process.start_ticks, g.process.start_ticks);
	assert_memory_equal(grant_bytes(&g2).p, b.p, b.len);
	b = session_bytes(&s);
	assert_int_equal(bg_record_read_session(crypto, b.p, b.len, &s2), BG_OK);
	assert_string_equal(s2.custodians, s.custodians);
	assert_memory_equal(session_bytes(&s2).p, b.p, b.len);
}

static void record_drill_is_read_back(void **state)
{
	struct bg_drill d = fixture_drill(), d2;
	struct bytes b = drill_bytes(&d);

	(void)state;
	memset(&d2, 0xee, sizeof(d2));
	assert_int_equal(bg_record_read_drill(crypto, b.p, b.len, &d2), BG_OK);
	assert_string_equal(d2.boot_id, d.boot_id);
	assert_int_equal(d2.process.pid, d.process.pid);
	assert_int_equal(d2.process.parent, d.process.parent);
	assert_int_equal(d2.process.start_ticks, d.process.start_ticks);
	assert_int_equal(d2.started_ms, d.started_ms);
	assert_string_equal(d2.account, d.account);
	assert_string_equal(d2.service, d.service);
	assert_string_equal(d2.id, d.id);
	assert_memory_equal(drill_bytes(&d2).p, b.p, b.len);
}

/* All kinds over the same bytes: at most the right one reads them. */
static enum bg_err read_any(const uint8_t *p, size_t len)
{
	struct bg_request_record r;
	struct bg_grant g;
	struct bg_session s;
	struct bg_drill d;
	unsigned int taken = bg_record_read_request(crypto, p, len, &r) == BG_OK;

	taken += bg_record_read_grant(crypto, p, len, &g) == BG_OK;
	taken += bg_record_read_session(crypto, p, len, &s) == BG_OK;
	taken += bg_record_read_drill(crypto, p, len, &d) == BG_OK;
	assert_true(taken <= 1);
	return taken == 1 ? BG_OK : BG_ERR_SYNTAX;
}

static void record_cut_longer_or_flipped_is_refused(void **state)
{
	struct bg_request_record r = fixture_request(7);
	struct bg_grant g = fixture_grant();
	struct bg_session s = fixture_session();
	struct bg_drill d = fixture_drill();
	struct bytes all[] = { request_bytes(&r), grant_bytes(&g), session_bytes(&s),
		drill_bytes(&d) };

	(void)state;
	for (size_t k = 0; k < LEN(all); k++) {
		struct bytes *b = &all[k];

		assert_int_equal(read_any(b->p, b->len), BG_OK);
		for (size_t n = 0; n < b->len; n++)
			assert_int_equal(read_any(b->p, n), BG_ERR_SYNTAX);
		assert_int_equal(read_any(b->p, b->len + 1), BG_ERR_SYNTAX);
		for (size_t bit = 0; bit < b->len * 8; bit++) {
			b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(read_any(b->p, b->len), BG_ERR_SYNTAX);
			b->p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void rehash(struct bytes *b)
{
	size_t body = b->len - BG_SHA256_LEN;

	assert_int_equal(bg_sha256(crypto, b->p, body, b->p + body), BG_OK);
}

/* A good hash over bad content: whoever can write it is root, and still no reader may stumble. */
static void record_bad_content_with_good_hash_is_refused(void **state)
{
	struct bg_request_record r = fixture_request(7), untouched;
	struct bytes good = request_bytes(&r);
	unsigned int refused = 0;

	(void)state;
	for (size_t at = 9; at < good.len - BG_SHA256_LEN; at++) {
		struct bytes b = good;

		b.p[at] = 0xff;
		rehash(&b);
		memset(&untouched, 0x5c, sizeof(untouched));
		if (bg_record_read_request(crypto, b.p, b.len, &untouched) == BG_OK)
			continue;
		refused++;
		for (size_t i = 0; i < sizeof(untouched); i++)
			assert_int_equal(((const uint8_t *)&untouched)[i], 0x5c);
	}
	/* purpose, phase, lengths of texts, how, has_response */
	assert_true(refused > 20);
	for (size_t drop = 1; drop < 40; drop++) {
		struct bytes b = good;

		b.len -= drop;
		b.p[8] = (uint8_t)((good.len - drop - 9 - BG_SHA256_LEN) & 0xff);
		b.p[7] = (uint8_t)((good.len - drop - 9 - BG_SHA256_LEN) >> 8);
		rehash(&b);
		assert_int_equal(
			bg_record_read_request(crypto, b.p, b.len, &untouched), BG_ERR_SYNTAX);
	}
}

static void record_that_could_not_be_read_is_not_written(void **state)
{
	struct bg_request_record r = fixture_request(7);
	struct bg_grant g = fixture_grant();
	struct bg_drill d = fixture_drill();
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	size_t needed;

	(void)state;
	memset(r.request.reason, 'x', sizeof(r.request.reason)); /* no NUL */
	assert_int_equal(bg_record_write_request(crypto, &r, &w), BG_ERR_RANGE);
	r = fixture_request(7);
	r.phase = (enum bg_phase)99;
	w.len = 0;
	assert_int_equal(bg_record_write_request(crypto, &r, &w), BG_ERR_RANGE);
	g.process.pid = -1;
	w.len = 0;
	assert_int_equal(bg_record_write_grant(crypto, &g, &w), BG_ERR_RANGE);
	memset(d.id, 'x', sizeof(d.id)); /* no NUL */
	w.len = 0;
	assert_int_equal(bg_record_write_drill(crypto, &d, &w), BG_ERR_RANGE);
	r = fixture_request(7);
	needed = request_bytes(&r).len;
	for (size_t cap = 0; cap < needed; cap++) {
		struct bg_writer small = { .p = buf, .cap = cap };

		assert_int_equal(bg_record_write_request(crypto, &r, &small), BG_ERR_TOO_BIG);
	}
}

static void record_largest_fits(void **state)
{
	struct bg_request_record r = fixture_request(7);
	struct bg_session s = fixture_session();

	(void)state;
	memset(r.request.reason, 'x', BG_REASON_LEN);
	memset(r.request.origin, 'x', BG_ORIGIN_LEN);
	for (size_t i = 0; i < BG_CUSTODIANS_MAX; i++)
		r.tally.approvals[i].how = BG_HOW_REMOTE;
	assert_true(request_bytes(&r).len < BG_RECORD_MAX_LEN);
	memset(s.custodians, 'x', sizeof(s.custodians) - 1);
	assert_true(session_bytes(&s).len < BG_RECORD_MAX_LEN);
}

static int setup(void **state)
{
	(void)state;
	crypto = bg_crypto_open();
	return crypto ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	bg_crypto_cleanup(&crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_written_is_read_back),
		cmocka_unit_test(record_drill_is_read_back),
		cmocka_unit_test(record_cut_longer_or_flipped_is_refused),
		cmocka_unit_test(record_bad_content_with_good_hash_is_refused),
		cmocka_unit_test(record_that_could_not_be_read_is_not_written),
		cmocka_unit_test(record_largest_fits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

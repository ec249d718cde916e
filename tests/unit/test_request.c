/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_fixture.h"
#include "unit.h"

#include <breakglass/request.h>

static struct bg_request request(void)
{
	return (struct bg_request){ .purpose = BG_PURPOSE_EMERGENCY,
		.seal_digest = { 1, 2, 3 },
		.host_label = "db1",
		.account = "breakglass",
		.uid = 990,
		.key = "a",
		.holder = "oncall",
		.reason = "INC-1 LDAP is down",
		.session_secs = 14400,
		.nonce = { 9, 8, 7 },
		.service = "sshd",
		.origin = "198.51.100.7" };
}

static struct bg_touch touch(void)
{
	return (struct bg_touch){ .nonce = { 5, 6 },
		.seal_digest = { 1, 2, 3 },
		.host_label = "db1",
		.account = "breakglass",
		.service = "sshd",
		.origin = "198.51.100.7" };
}

static int setup(void **state)
{
	*state = bg_crypto_open();
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	bg_crypto_close(*state);
	return 0;
}

/* Each field changes the digest: whatever was approved, nothing else is. */
static void request_P17_every_field_is_covered(void **state)
{
	struct bg_request variants[14];
	uint8_t digests[14][BG_SHA256_LEN];

	for (size_t i = 0; i < LEN(variants); i++)
		variants[i] = request();
	variants[1].purpose = BG_PURPOSE_DRILL;
	variants[2].seal_digest[31] = 1;
	strcpy(variants[3].host_label, "db2");
	strcpy(variants[4].account, "breakglas");
	variants[5].uid = 991;
	strcpy(variants[6].key, "b");
	strcpy(variants[7].holder, "other");
	strcpy(variants[8].reason, "INC-1 LDAP is up");
	variants[9].session_secs = 14401;
	variants[10].nonce[15] = 1;
	strcpy(variants[11].service, "login");
	strcpy(variants[12].origin, "tty1");
	/* a letter that moves from one field to the next */
	strcpy(variants[13].key, "ao");
	strcpy(variants[13].holder, "ncall");
	for (size_t i = 0; i < LEN(variants); i++) {
		assert_int_equal(bg_request_digest(*state, &variants[i], digests[i]), BG_OK);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(digests[i], digests[j], BG_SHA256_LEN);
	}
}

static void request_without_purpose_has_no_digest(void **state)
{
	struct bg_request r = request();
	uint8_t digest[BG_SHA256_LEN] = { 7 };

	r.purpose = BG_PURPOSE_NONE;
	assert_int_equal(bg_request_digest(*state, &r, digest), BG_ERR_ARGUMENT);
	r.purpose = (enum bg_purpose)3;
	assert_int_equal(bg_request_digest(*state, &r, digest), BG_ERR_ARGUMENT);
	assert_int_equal(digest[0], 7);
}

static void request_largest_has_a_digest(void **state)
{
	struct bg_request r = request();
	struct bg_touch t = touch();
	uint8_t digest[BG_SHA256_LEN];

	memset(r.host_label, 'h', BG_HOST_LABEL_LEN);
	memset(r.account, 'a', BG_ACCOUNT_LEN);
	memset(r.key, 'k', BG_NAME_LEN);
	memset(r.holder, 'h', BG_HOLDER_LEN);
	memset(r.reason, 'r', BG_REASON_LEN);
	memset(r.service, 's', BG_SERVICE_LEN);
	memset(r.origin, 'o', BG_ORIGIN_LEN);
	assert_int_equal(bg_request_digest(*state, &r, digest), BG_OK);
	memset(t.host_label, 'h', BG_HOST_LABEL_LEN);
	memset(t.account, 'a', BG_ACCOUNT_LEN);
	memset(t.service, 's', BG_SERVICE_LEN);
	memset(t.origin, 'o', BG_ORIGIN_LEN);
	assert_int_equal(bg_touch_digest(*state, &t, digest), BG_OK);
}

/* An assertion for one login proves nothing in any other. */
static void request_P17_an_assertion_is_for_one_login_only(void **state)
{
	static struct seal_fixture f;
	struct bg_touch variants[7];
	uint8_t challenge[BG_SHA256_LEN];
	struct bg_assertion a;

	for (size_t i = 0; i < LEN(variants); i++)
		variants[i] = touch();
	variants[1].nonce[31] = 1;
	variants[2].seal_digest[31] = 1;
	strcpy(variants[3].host_label, "db2");
	strcpy(variants[4].account, "breakglass2");
	strcpy(variants[5].service, "login");
	strcpy(variants[6].origin, "198.51.100.8");
	assert_int_equal(seal_fixture_plan(&f, 1), 0);
	assert_int_equal(bg_touch_digest(*state, &variants[0], challenge), BG_OK);
	for (size_t key = 0; key < 2; key++) {
		assert_int_equal(seal_fixture_assert(
					 &f, key, f.seal.rp_id, challenge, SEAL_UP | SEAL_UV, &a),
			0);
		for (size_t i = 0; i < LEN(variants); i++) {
			uint8_t other[BG_SHA256_LEN];

			assert_int_equal(bg_touch_digest(*state, &variants[i], other), BG_OK);
			assert_int_equal(bg_assertion_verify(*state, &f.seal.keys[key],
						 f.seal.rp_id, other, &a, NULL),
				i == 0 ? BG_OK : BG_ERR_SIGNATURE);
		}
	}
	seal_fixture_free(&f);
}

static void request_text_is_what_can_be_shown(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = { { "plain", "plain" }, { "", "" }, { "12345678", "12345678" },
		{ "123456789", "12345678" }, { "a\nb\x1b[m", "a?b?[m" },
		{ "1234567\xc3\xa9", "1234567" }, { "123456\xc3\xa9", "123456\xc3\xa9" },
		{ "\xc3(", "?(" }, { "\xff\xfe", "??" },
		{ "a\xe2\x80\xae"
		  "b",
			"a?b" },
		{ "\xc2\x85", "?" }, { "\x7f", "?" }, { "1234\xe2\x82", "1234??" } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char out[9];

		memset(out, 'x', sizeof(out));
		bg_request_text(out, 8, rows[i].from);
		assert_string_equal(out, rows[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_P17_every_field_is_covered),
		cmocka_unit_test(request_without_purpose_has_no_digest),
		cmocka_unit_test(request_largest_has_a_digest),
		cmocka_unit_test(request_P17_an_assertion_is_for_one_login_only),
		cmocka_unit_test(request_text_is_what_can_be_shown),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/alert.h>

static struct bg_crypto *crypto;

static int set_up(void **state)
{
	(void)state;
	crypto = bg_crypto_open();
	return crypto ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	bg_crypto_close(crypto);
	return 0;
}

static size_t make_line(
	enum bg_event_id id, uint64_t count, const char *reason, char ret[static BG_EVENT_MAX_LEN])
{
	const struct bg_event event = { .id = id,
		.host = "db1",
		.account = "breakglass",
		.holder = "oncall",
		.custodians = "audit, dba",
		.reason = reason,
		.role = "identity",
		.result = "open",
		.count = count,
		.severity = -1 };
	const struct bg_chain_pos pos = { .seq = 7 };
	size_t len = 0;

	assert_int_equal(bg_event_json(&event, &pos, "2026-11-21T08:55:51.123Z", "boot", 1000, ret,
				 BG_EVENT_MAX_LEN, &len),
		BG_OK);
	return len;
}

static void alert_is_due_for_what_alerts_and_nothing_else(void **state)
{
	char line[BG_EVENT_MAX_LEN];

	(void)state;
	for (int id = 0; id < BG_EV_COUNT; id++) {
		size_t len = make_line((enum bg_event_id)id, 0, "", line);

		assert_int_equal(
			bg_alert_is_due(line, len), bg_event_type((enum bg_event_id)id)->is_alert);
	}
	/* of a stranger's attempts only the first */
	assert_true(bg_alert_is_due(line, make_line(BG_EV_ATTEMPT, 1, "", line)));
	assert_false(bg_alert_is_due(line, make_line(BG_EV_ATTEMPT, 2, "", line)));
	assert_false(bg_alert_is_due("", 0));
	assert_false(bg_alert_is_due("{}", 2));
}

static void alert_json_carries_the_record_and_its_text(void **state)
{
	char line[BG_EVENT_MAX_LEN], json[BG_ALERT_MAX_LEN];
	size_t len = make_line(BG_EV_SESSION_OPENED, 0, "LDAP \"down\" \\ \n\x1b[2J", line), n = 0;
	int64_t time_ms = 0;
	uint64_t id = 0;
	const char *at;

	(void)state;
	assert_int_equal(bg_alert_json(crypto, 42, line, len, json, sizeof(json), &n), BG_OK);
	assert_int_equal(strlen(json), n);
	assert_int_equal(json[n - 1], '\n');
	assert_memory_equal(json,
		"{\"schema\":1,\"id\":42,\"drill\":false,\"test\":false,\"message\":\""
		"SESSION_OPENED host=db1 account=breakglass holder=oncall ",
		sizeof("{\"schema\":1,\"id\":42,\"drill\":false,\"test\":false,\"message\":\""
		       "SESSION_OPENED host=db1 account=breakglass holder=oncall ") -
			1);
	assert_non_null(strstr(json, " role=identity result=open chain=7:"));
	at = strstr(json, "\",\"record\":");
	assert_non_null(at);
	assert_memory_equal(at + 11, line, len);
	for (size_t i = 0; i + 1 < n; i++) /* RULES P20 */
		assert_true((unsigned char)json[i] >= ' ');
	assert_int_equal(bg_alert_read(json, n, &id, &time_ms), BG_OK);
	assert_int_equal(id, 42);
	assert_true(time_ms == 1795251351123); /* date -d 2026-11-21T08:55:51.123Z +%s%3N */
	/* every truncation is an error or at least no overrun */
	for (size_t cut = 0; cut < n; cut++)
		(void)!bg_alert_read(json, cut, &id, &time_ms);
	assert_int_equal(bg_alert_json(crypto, 1, line, len, json, len, &n), BG_ERR_TOO_BIG);
	assert_int_equal(
		bg_alert_json(crypto, 1, line, len - 1, json, sizeof(json), &n), BG_ERR_SYNTAX);
}

static void alert_json_says_what_is_a_drill_and_what_a_test(void **state)
{
	char line[BG_EVENT_MAX_LEN], json[BG_ALERT_MAX_LEN];
	size_t n = 0;
	int64_t time_ms;
	uint64_t id;

	(void)state;
	assert_int_equal(bg_alert_json(crypto, 1, line, make_line(BG_EV_DRILL_STARTED, 0, "", line),
				 json, sizeof(json), &n),
		BG_OK);
	assert_non_null(strstr(json, "\"drill\":true,\"test\":false"));
	assert_int_equal(bg_alert_test_json(9, "d\"b\n1", json, sizeof(json), &n), BG_OK);
	assert_non_null(strstr(json, "\"drill\":false,\"test\":true"));
	assert_non_null(strstr(json, "d\\\"b\\n1"));
	assert_int_equal(bg_alert_read(json, n, &id, &time_ms), BG_OK);
	assert_int_equal(id, 9);
	assert_int_equal(time_ms, 0);
}

/* What is handed over instead of a damaged alert is an alert of that number, and no drill or test.
 */
static void alert_lost_is_an_alert(void **state)
{
	char json[BG_ALERT_MAX_LEN];
	int64_t time_ms = 1;
	uint64_t id = 0;
	size_t n = 0;

	(void)state;
	assert_int_equal(bg_alert_lost_json(7, json, sizeof(json), &n), BG_OK);
	assert_int_equal(bg_alert_read(json, n, &id, &time_ms), BG_OK);
	assert_int_equal(id, 7);
	assert_int_equal(time_ms, 0);
	assert_non_null(strstr(json, "\"drill\":false,\"test\":false,\"message\":\"ALERT "));
	assert_int_equal(bg_alert_lost_json(7, json, n, &n), BG_ERR_TOO_BIG);
}

static void alert_handlers_names(void **state)
{
	static const struct {
		const char *name;
		bool is_one;
	} rows[] = { { "mail", true }, { "10-webhook.sh", true }, { "a", true },
		{ "abcdefghijklmnopqrstuvwxyz012345", true },
		{ "abcdefghijklmnopqrstuvwxyz0123456", false }, { "", false }, { ".hidden", false },
		{ "-x", false }, { "_x", false }, { "a b", false }, { "a/b", false },
		{ "mail~", false }, { "a\n", false } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(bg_alert_is_handler(rows[i].name), rows[i].is_one);
	}
}

static void alert_told_and_cursor_come_back_as_written(void **state)
{
	const struct bg_alert_told told = { .id = 3,
		.outcome = BG_ALERT_FAILED,
		.handler = "mail",
		.latency_ms = 12,
		.failures = 4 };
	const struct bg_alert_cursor cursor = { .done = 9,
		.failures = 2,
		.next_ms = 77,
		.boot_id = "0f3b6c2e-0000-4000-8000-000000000000" };
	struct bg_alert_told told_back;
	struct bg_alert_cursor cursor_back;
	char text[128];
	size_t len = 0;

	(void)state;
	assert_int_equal(bg_alert_told_write(&told, text, sizeof(text), &len), BG_OK);
	assert_int_equal(bg_alert_told_read(text, len, &told_back), BG_OK);
	assert_int_equal(told_back.id, 3);
	assert_int_equal(told_back.outcome, BG_ALERT_FAILED);
	assert_string_equal(told_back.handler, "mail");
	assert_int_equal(told_back.latency_ms, 12);
	assert_int_equal(told_back.failures, 4);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(bg_alert_told_read(text, cut, &told_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_alert_cursor_write(&cursor, text, sizeof(text), &len), BG_OK);
	assert_int_equal(bg_alert_cursor_read(text, len, &cursor_back), BG_OK);
	assert_int_equal(cursor_back.done, 9);
	assert_int_equal(cursor_back.next_ms, 77);
	assert_string_equal(cursor_back.boot_id, cursor.boot_id);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(bg_alert_cursor_read(text, cut, &cursor_back), BG_ERR_SYNTAX);
	/* written by an unprivileged program: nothing of it gets into a record as it is */
	assert_int_equal(bg_alert_told_read("1 1 1 1 a b\n", 12, &told_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_alert_told_read("1 0 1 1 mail\n", 13, &told_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_alert_told_read("1 4 1 1 mail\n", 13, &told_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_alert_told_read("99999999999999999999 1 1 1 mail\n", 32, &told_back),
		BG_ERR_SYNTAX);
}

static void alert_pauses_grow_to_an_hour(void **state)
{
	static const uint64_t minutes[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	for (uint32_t i = 0; i < LEN(minutes); i++)
		assert_int_equal(bg_alert_pause_ms(i + 1), minutes[i] * 60000);
	assert_int_equal(bg_alert_pause_ms(UINT32_MAX), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alert_is_due_for_what_alerts_and_nothing_else),
		cmocka_unit_test(alert_json_carries_the_record_and_its_text),
		cmocka_unit_test(alert_json_says_what_is_a_drill_and_what_a_test),
		cmocka_unit_test(alert_lost_is_an_alert),
		cmocka_unit_test(alert_handlers_names),
		cmocka_unit_test(alert_told_and_cursor_come_back_as_written),
		cmocka_unit_test(alert_pauses_grow_to_an_hour),
	};

	return cmocka_run_group_tests_name("alert", tests, set_up, tear_down);
}

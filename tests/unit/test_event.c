/* SPDX-License-Identifier: BSD-2-Clause */
#include "event_fixture.h"
#include "unit.h"

#include <breakglass/event.h>

static char big[65537];
static const char hostile[] = "a\nb \x1b[2J %n \" \xe2\x80\xae \xff";

static size_t chars(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((uint8_t)*text & 0xc0) != 0x80;
	return n;
}

/* Where the first n characters end. */
static size_t chars_end(const char *text, size_t n)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80 && n-- == 0)
			break;
	return i;
}

static void event_table_is_whole(void **state)
{
	uint8_t id[16];

	(void)state;
	for (int i = 0; i < BG_EV_COUNT; i++) {
		const struct bg_event_type *type = bg_event_type((enum bg_event_id)i);

		assert_non_null(type->name);
		assert_true(bg_hex_decode(type->message_id, strlen(type->message_id), id, 16));
		assert_true(type->severity == (type->is_alert ? type->severity : 5));
		assert_in_range(type->severity, 0, 5);
		assert_true(strlen(type->text) > 10);
		for (int j = 0; j < i; j++) {
			const struct bg_event_type *other = bg_event_type((enum bg_event_id)j);

			assert_string_not_equal(type->name, other->name);
			assert_string_not_equal(type->message_id, other->message_id);
		}
	}
	assert_null(bg_event_type(BG_EV_COUNT));
	assert_null(bg_event_type((enum bg_event_id) - 1));
}

static void event_severity_is_the_tables_and_can_only_be_lowered(void **state)
{
	struct bg_event event = { .id = BG_EV_GRANTED, .severity = -1 };

	(void)state;
	assert_int_equal(bg_event_severity(&event), 0);
	event.severity = 2;
	assert_int_equal(bg_event_severity(&event), 2);
	event.id = BG_EV_REVIEWED;
	assert_int_equal(bg_event_severity(&event), 5);
	event = (struct bg_event){ .id = BG_EV_ATTEMPT, .count = 1 };
	assert_int_equal(bg_event_severity(&event), 1);
	assert_true(bg_event_is_alert(&event));
	event.count = 2;
	assert_int_equal(bg_event_severity(&event), 5);
	assert_false(bg_event_is_alert(&event));
}

static void event_json_says_everything(void **state)
{
	struct bg_event event = fixture_event(BG_EV_GRANTED);
	struct bg_chain_pos pos = { .seq = 7 };
	char line[BG_EVENT_MAX_LEN];
	size_t len = 0;

	(void)state;
	pos.prev[31] = 1;
	event.count = 4;
	assert_int_equal(bg_event_json(&event, &pos, "2026-11-21T08:55:51.123Z", "boot-id", 12345,
				 line, sizeof(line), &len),
		BG_OK);
	assert_int_equal(strlen(line), len);
	assert_string_equal(line,
		"{\"schema\":1,\"seq\":7,\"prev\":\"00000000000000000000000000000000000000000000"
		"00000000000000000001\",\"time\":\"2026-11-21T08:55:51.123Z\",\"boot\":\"boot-id\","
		"\"boottime\":12,\"event\":\"GRANTED\",\"severity\":0,\"host\":\"db1\","
		"\"account\":\"breakglass\",\"holder\":\"Example Holder\","
		"\"reason\":\"LDAP is down\",\"custodians\":\"audit, "
		"dba\",\"role\":\"identity\",\"key\":\"blue\","
		"\"request\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
		"\"set\":\"00112233445566778899aabbccddeeff\",\"service\":\"sshd\","
		"\"origin\":\"192.0.2.1\",\"result\":\"two of three\",\"epoch\":3,\"count\":4}");
}

static void event_json_has_a_number_as_one(void **state)
{
	struct bg_event event = {
		.id = BG_EV_SESSION_CONTEXT, .ordinary = "240", .normal = "healthy"
	};
	struct bg_chain_pos pos = { .seq = 7 };
	char line[BG_EVENT_MAX_LEN], text[BG_EVENT_TEXT_LEN + 1];
	size_t len = 0;

	(void)state;
	assert_int_equal(bg_event_json(&event, &pos, "t", "b", 0, line, sizeof(line), &len), BG_OK);
	assert_non_null(strstr(line, ",\"ordinary\":240,\"normal\":\"healthy\"}"));
	assert_true(bg_event_line_field(line, len, "ordinary", text, sizeof(text)));
	assert_string_equal(text, "240");
	assert_int_equal(bg_event_text(&event, NULL, text, sizeof(text)), BG_OK);
	assert_string_equal(text, "SESSION_CONTEXT ordinary=240 normal=healthy");
	event.ordinary = "\",\"x\":\"";
	assert_int_equal(bg_event_json(&event, &pos, "t", "b", 0, line, sizeof(line), &len), BG_OK);
	assert_non_null(strstr(line, ",\"ordinary\":0,"));
}

static void event_text_says_everything(void **state)
{
	struct bg_event event = fixture_event(BG_EV_SESSION_OPENED);
	char text[BG_EVENT_TEXT_LEN + 1];

	(void)state;
	assert_int_equal(bg_event_text(&event, "7:abc", text, sizeof(text)), BG_OK);
	assert_string_equal(text,
		"SESSION_OPENED host=db1 account=breakglass holder=\"Example Holder\" "
		"reason=\"LDAP is down\" custodians=\"audit, dba\" role=identity key=blue "
		"request=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
		"set=00112233445566778899aabbccddeeff service=sshd origin=192.0.2.1 "
		"result=\"two of three\" epoch=3 chain=7:abc");
	event = (struct bg_event){ .id = BG_EV_ATTEMPT, .account = "x", .host = "" };
	assert_int_equal(bg_event_text(&event, NULL, text, sizeof(text)), BG_OK);
	assert_string_equal(text, "ATTEMPT account=x");
}

static void event_alerts_head_is_cut_from_its_end(void **state)
{
	struct bg_event event = fixture_event(BG_EV_SESSION_OPENED);
	char text[BG_EVENT_TEXT_LEN + 1], head[BG_EVENT_TEXT_LEN + 1];
	size_t end;

	(void)state;
	event.reason = "the identity provider answers nobody, the replica is out of step";
	event.custodians = "audit, dba, ops, second, third";
	assert_int_equal(bg_event_text(&event, "7:abc", text, sizeof(text)), BG_OK);
	end = chars_end(text, 140);
	memcpy(head, text, end);
	head[end] = '\0';
	assert_true(chars(head) <= 140);
	assert_non_null(strstr(head, "host=db1 account=breakglass holder=\"Example Holder\" "));
	assert_non_null(strstr(head, "reason=\"the identity provider"));
	assert_non_null(strstr(head, " custodians=\xe2\x80\xa6"));
	assert_non_null(strstr(text, "full_reason=\"the identity provider answers nobody, the "
				     "replica is out of step\""));
	assert_non_null(strstr(text, "full_custodians=\"audit, dba, ops, second, third\" chain="));

	/* the longest names leave the custodians their …, and the reason what is left */
	event.host = "a-host-label-of-24-bytes";
	event.account = "an-account-of-16";
	event.holder = "A Holder Of 24 Bytes Abc";
	assert_int_equal(bg_event_text(&event, "7:abc", text, sizeof(text)), BG_OK);
	end = chars_end(text, 140);
	memcpy(head, text, end);
	head[end] = '\0';
	assert_non_null(strstr(head, "host=a-host-label-of-24-bytes account=an-account-of-16 "));
	assert_non_null(strstr(head, "holder=\"A Holder Of 24 Bytes Abc\" reason=\"the"));
	assert_non_null(strstr(head, " custodians=\xe2\x80\xa6"));
}

static void fill(struct bg_event *event, const char *text)
{
	event->host = event->account = event->request = event->set = event->key = text;
	event->holder = event->custodians = event->reason = event->service = text;
	event->origin = event->result = event->role = text;
	event->ordinary = event->normal = text;
}

static void assert_harmless(const char *text)
{
	for (; *text; text++)
		assert_true((uint8_t)*text >= 0x20 && *text != 0x7f && (uint8_t)*text != 0xff);
}

static void event_P20_foreign_text_is_escaped_and_capped_everywhere(void **state)
{
	const char *const texts[] = { hostile, big, "\x1b", "\"", "%n%s%d" };
	struct bg_chain_pos pos = { .seq = UINT64_MAX };
	char line[BG_EVENT_MAX_LEN], text[BG_EVENT_TEXT_LEN + 1];
	uint8_t datagram[BG_EVENT_MAX_LEN];
	char chain[BG_CHAIN_TEXT_LEN];
	size_t len;

	(void)state;
	memset(chain, 'c', sizeof(chain) - 1);
	chain[sizeof(chain) - 1] = '\0';
	memset(pos.prev, 0xff, sizeof(pos.prev));
	for (int fill_char = 0; fill_char < 256; fill_char++) {
		memset(big, fill_char ? fill_char : 'x', sizeof(big) - 1);
		for (size_t i = 0; i < LEN(texts); i++) {
			struct bg_event event = { .id = BG_EV_SESSION_ESCALATED,
				.epoch = UINT32_MAX,
				.count = UINT64_MAX };
			struct bg_writer w = { .p = datagram, .cap = sizeof(datagram) };

			fill(&event, texts[i]);
			assert_int_equal(bg_event_json(&event, &pos, big, big, UINT64_MAX, line,
						 sizeof(line), &len),
				BG_OK);
			assert_harmless(line);
			assert_int_equal(bg_event_text(&event, chain, text, sizeof(text)), BG_OK);
			assert_harmless(text);
			assert_non_null(strstr(text, chain));
			assert_int_equal(
				bg_event_journal(&event, "pam_breakglass", chain, &w), BG_OK);
			if (fill_char && i != 1)
				break;
		}
	}
}

static void event_journal_tells_the_length_of_a_value_with_a_line_feed(void **state)
{
	struct bg_event event = fixture_event(BG_EV_GRANTED);
	uint8_t buf[BG_EVENT_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	static const char reason[] = "\nBREAKGLASS_REASON\n\x03\0\0\0\0\0\0\0a\nb\n";

	(void)state;
	event.reason = "a\nb";
	assert_int_equal(bg_event_journal(&event, "bg-unlock", "7:abc", &w), BG_OK);
	assert_non_null(memmem(buf, w.len, reason, sizeof(reason) - 1));
	for (const char *const *p = (const char *const[]){ "MESSAGE=GRANTED host=db1 account=",
		     "\nMESSAGE_ID=", "\nPRIORITY=0\nSYSLOG_FACILITY=10\n",
		     "\nSYSLOG_IDENTIFIER=bg-unlock\n", "\nBREAKGLASS_EVENT=GRANTED\n",
		     "\nBREAKGLASS_ACCOUNT=breakglass\n", "\nBREAKGLASS_EPOCH=3\n",
		     "\nBREAKGLASS_CUSTODIANS=audit, dba\n", "\nBREAKGLASS_ROLE=identity\n",
		     "\nBREAKGLASS_CHAIN=7:abc\n", NULL };
		*p; p++)
		assert_non_null(memmem(buf, w.len, *p, strlen(*p)));
}

static void event_formats_refuse_too_little_room(void **state)
{
	struct bg_event event = fixture_event(BG_EV_GRANTED);
	struct bg_chain_pos pos = { .seq = 1 };
	char line[200] = "x";
	struct bg_writer w = { .p = (uint8_t *)line, .cap = sizeof(line) };
	size_t len = 77;

	(void)state;
	assert_int_equal(
		bg_event_json(&event, &pos, "t", "b", 0, line, sizeof(line), &len), BG_ERR_TOO_BIG);
	assert_int_equal(len, 77);
	assert_string_equal(line, "");
	assert_int_equal(bg_event_text(&event, "", line, sizeof(line)), BG_ERR_ARGUMENT);
	assert_int_equal(bg_event_journal(&event, "x", "", &w), BG_ERR_TOO_BIG);
	event.id = BG_EV_COUNT;
	assert_int_equal(bg_event_json(&event, &pos, "t", "b", 0, line, sizeof(line), &len),
		BG_ERR_ARGUMENT);
}

static void event_line_reads_back(void **state)
{
	struct bg_event event = fixture_event(BG_EV_GRANTED);
	struct bg_chain_pos pos = { .seq = 42 }, back = { 0 };
	char line[BG_EVENT_MAX_LEN], text[128];
	size_t len = 0;

	(void)state;
	memset(pos.prev, 0xab, sizeof(pos.prev));
	event.reason = "a\nb \"c\" \\ \x1b \xf3\xa0\x81\x81 J\xc3\xb6rg";
	assert_int_equal(bg_event_json(&event, &pos, "t", "b", 0, line, sizeof(line), &len), BG_OK);
	assert_true(bg_event_line_pos(line, len, &back));
	assert_int_equal(back.seq, 42);
	assert_memory_equal(back.prev, pos.prev, sizeof(pos.prev));
	assert_true(bg_event_line_field(line, len, "event", text, sizeof(text)));
	assert_string_equal(text, "GRANTED");
	assert_true(bg_event_line_field(line, len, "reason", text, sizeof(text)));
	assert_string_equal(text, "a\nb \"c\" \\ ? ? J\xc3\xb6rg");
	assert_true(bg_event_line_field(line, len, "epoch", text, sizeof(text)));
	assert_string_equal(text, "3");
	assert_false(bg_event_line_field(line, len, "count", text, sizeof(text)));
	assert_false(bg_event_line_field(line, len, "reason", text, 5));
	for (size_t cut = 0; cut < len; cut++) {
		char *part = malloc(cut ? cut : 1); /* so that ASan sees a read beyond */

		assert_non_null(part);
		memcpy(part, line, cut);
		assert_false(bg_event_line_pos(part, cut, &back));
		assert_false(bg_event_line_field(part, cut, "none", text, sizeof(text)));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_table_is_whole),
		cmocka_unit_test(event_severity_is_the_tables_and_can_only_be_lowered),
		cmocka_unit_test(event_json_says_everything),
		cmocka_unit_test(event_json_has_a_number_as_one),
		cmocka_unit_test(event_text_says_everything),
		cmocka_unit_test(event_alerts_head_is_cut_from_its_end),
		cmocka_unit_test(event_P20_foreign_text_is_escaped_and_capped_everywhere),
		cmocka_unit_test(event_journal_tells_the_length_of_a_value_with_a_line_feed),
		cmocka_unit_test(event_formats_refuse_too_little_room),
		cmocka_unit_test(event_line_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

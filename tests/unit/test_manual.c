/* SPDX-License-Identifier: BSD-2-Clause */
/* pam_breakglass(8) says of events and fields what the code does. */
#include "event_fixture.h"
#include "unit.h"

#define MANUAL	    BG_VECTORS "/../../doc/pam_breakglass.8"
#define MANUAL_SIZE 65536

static int load(void **state)
{
	char *text = calloc(1, MANUAL_SIZE);
	FILE *file = fopen(MANUAL, "r");
	size_t len = 0;

	if (text != NULL && file != NULL)
		len = fread(text, 1, MANUAL_SIZE - 1, file);
	if (file != NULL)
		(void)fclose(file);
	*state = text;
	return len > 0 ? 0 : -1;
}

static int unload(void **state)
{
	free(*state);
	return 0;
}

static const char *severity_word(int severity)
{
	static const char *const words[] = { "emerg", "alert", "crit", "err", "warning", "notice" };

	assert_in_range(severity, 0, LEN(words) - 1);
	return words[severity];
}

static void manual_lists_each_event_with_severity_id_and_text(void **state)
{
	for (int i = 0; i < BG_EV_COUNT; i++) {
		const struct bg_event_type *type = bg_event_type((enum bg_event_id)i);
		char want[512];

		(void)snprintf(want, sizeof(want), "\n.It Sy %s %s Li %s\n%s\n", type->name,
			severity_word(type->severity), type->message_id, type->text);
		if (strstr(*state, want) == NULL)
			fail_msg("the manual lacks:%s", want);
	}
}

static void manual_lists_no_other_event(void **state)
{
	const char *at = strstr(*state, ".Sh EVENTS");
	const char *end = at != NULL ? strstr(at, ".Sh WHEN") : NULL;
	int count = 0;

	assert_non_null(end);
	while ((at = strstr(at, "\n.It Sy ")) != NULL && at < end) {
		at++;
		count++;
	}
	assert_int_equal(count, BG_EV_COUNT);
}

/* A datagram with all set: what stands before each "=" is in the manual. */
static void manual_lists_each_field_of_the_journal(void **state)
{
	struct bg_event event = fixture_event(BG_EV_ATTEMPT);
	static const char prefix[] = "BREAKGLASS_";
	uint8_t buf[BG_EVENT_MAX_LEN + 1] = { 0 };
	struct bg_writer writer = { .p = buf, .cap = sizeof(buf) - 1 };
	int count = 0;

	event.count = 2;
	event.ordinary = "240";
	event.normal = "healthy";
	assert_int_equal(bg_event_journal(&event, "pam_breakglass", "1:00", &writer), BG_OK);
	for (char *line = strtok((char *)buf, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char want[64];

		if (strncmp(line, prefix, sizeof(prefix) - 1) != 0)
			continue;
		(void)snprintf(want, sizeof(want), "\n.Ev %.*s", (int)strcspn(line, "="), line);
		if (strstr(*state, want) == NULL)
			fail_msg("the manual lacks:%s", want);
		count++;
	}
	assert_int_equal(count, 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_lists_each_event_with_severity_id_and_text),
		cmocka_unit_test(manual_lists_no_other_event),
		cmocka_unit_test(manual_lists_each_field_of_the_journal),
	};

	return cmocka_run_group_tests(tests, load, unload);
}

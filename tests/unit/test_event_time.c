/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/event_time.h>
#include <breakglass/os_clock.h>
#include <stdlib.h>
#include <time.h>

#define GOOD "2026-11-21T08:55:51.123Z"

static const struct {
	const char *name, *text;
	int64_t ms; /* -1: refused */
} rows[] = {
	{ "as the chain writes it", GOOD, 1795251351123 },
	{ "the first", "1970-01-01T00:00:00.000Z", 0 },
	{ "the first millisecond", "1970-01-01T00:00:00.001Z", 1 },
	{ "the last", "9999-12-31T23:59:59.999Z", 253402300799999 },
	{ "leap day", "2028-02-29T12:00:00.000Z", 1835438400000 },
	{ "leap day of a century that has one", "2000-02-29T00:00:00.000Z", 951782400000 },
	{ "leap day of one that has none", "2100-02-29T00:00:00.000Z", -1 },
	{ "leap day of another year", "2026-02-29T00:00:00.000Z", -1 },
	{ "before 1970", "1969-12-31T23:59:59.999Z", -1 },
	{ "month 0", "2026-00-21T08:55:51.123Z", -1 },
	{ "month 13", "2026-13-21T08:55:51.123Z", -1 },
	{ "day 0", "2026-11-00T08:55:51.123Z", -1 },
	{ "day 31 of a month of 30", "2026-11-31T08:55:51.123Z", -1 },
	{ "hour 24", "2026-11-21T24:00:00.000Z", -1 },
	{ "minute 60", "2026-11-21T08:60:51.123Z", -1 },
	{ "leap second", "2026-11-21T08:55:60.123Z", -1 },
	{ "without milliseconds", "2026-11-21T08:55:51Z", -1 },
	{ "with microseconds", "2026-11-21T08:55:51.123456Z", -1 },
	{ "another zone", "2026-11-21T08:55:51.123+00:00", -1 },
	{ "no zone", "2026-11-21T08:55:51.123", -1 },
	{ "lower case", "2026-11-21t08:55:51.123z", -1 },
	{ "a blank for the T", "2026-11-21 08:55:51.123Z", -1 },
	{ "a blank before it", " " GOOD, -1 },
	{ "a blank behind it", GOOD " ", -1 },
	{ "a digit less", "2026-1-21T08:55:51.123Z", -1 },
	{ "a digit less, another more", "2026-1-021T08:55:51.123Z", -1 },
	{ "a blank for a digit", "2026-11-21T 8:55:51.123Z", -1 },
	{ "a sign", "2026-11-21T+8:55:51.123Z", -1 },
	{ "nothing", "", -1 },
};

static void event_time_reads_what_the_chain_writes_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		int64_t ms = -7;

		if (bg_event_time_read(rows[i].text, &ms) != (rows[i].ms >= 0) ||
			ms != (rows[i].ms >= 0 ? rows[i].ms : -7))
			fail_msg("%s: %lld", rows[i].name, (long long)ms);
	}
}

static void event_time_refuses_what_is_cut(void **state)
{
	char text[sizeof(GOOD)] = GOOD;
	int64_t ms;

	(void)state;
	for (size_t len = sizeof(GOOD) - 1; len-- > 0;) {
		text[len] = '\0';
		assert_false(bg_event_time_read(text, &ms));
	}
}

static void event_time_reads_back_the_clock(void **state)
{
	char text[BG_TIME_TEXT_LEN];
	struct timespec now;
	int64_t ms = 0, before;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	before = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	bg_clock_wall_text(text);
	assert_true(bg_event_time_read(text, &ms));
	assert_in_range((uint64_t)(ms - before), 0, 60000);
}

/* One in some fifty days of each year there is, as libc counts them. */
static void event_time_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t secs = 0; secs < 253402300800; secs += 4406400 + 3599) {
		time_t t = (time_t)secs;
		struct tm tm;
		char text[40];
		int64_t ms = 0;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_not_equal(
			strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.007Z", &tm), 0);
		assert_true(bg_event_time_read(text, &ms));
		assert_int_equal(ms, secs * 1000 + 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_time_reads_what_the_chain_writes_only),
		cmocka_unit_test(event_time_refuses_what_is_cut),
		cmocka_unit_test(event_time_reads_back_the_clock),
		cmocka_unit_test(event_time_agrees_with_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

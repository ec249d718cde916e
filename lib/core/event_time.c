/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/event_time.h>

#include <breakglass/bytes.h>
#include <string.h>

#define FIRST_YEAR 1970
#define PARTS	   7

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint64_t month_days(uint64_t year, uint64_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Leap years before this one, since the year 1. */
static uint64_t leap_years(uint64_t year)
{
	return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
}

/* Days since 1970-01-01. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t days = (year - FIRST_YEAR) * 365 + leap_years(year) - leap_years(FIRST_YEAR);

	for (uint64_t m = 1; m < month; m++)
		days += month_days(year, m);
	return days + day - 1;
}

/* Each number with as many digits as it must have, and what stands behind it. */
static bool read_parts(const char *text, uint64_t ret[static PARTS])
{
	static const char shape[] = "0000-00-00T00:00:00.000Z";
	const char *p = text;

	if (strnlen(text, sizeof(shape)) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0, at = 0; i < PARTS; i++, at++) {
		at += strspn(shape + at, "0");
		if (!bg_decimal_take(&p, text + at, &ret[i]) || p != text + at || *p++ != shape[at])
			return false;
	}
	return true;
}

bool bg_event_time_read(const char *text, int64_t *ret_ms)
{
	uint64_t n[PARTS];

	if (!read_parts(text, n) || n[0] < FIRST_YEAR || n[1] < 1 || n[1] > 12 || n[2] < 1 ||
		n[2] > month_days(n[0], n[1]) || n[3] > 23 || n[4] > 59 || n[5] > 59)
		return false;
	*ret_ms = (int64_t)((((days_of(n[0], n[1], n[2]) * 24 + n[3]) * 60 + n[4]) * 60 + n[5]) *
				    1000 +
			    n[6]);
	return true;
}

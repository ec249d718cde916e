/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_clock.h>

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t bg_clock_boot_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#define DAY_SECS    86400
#define DAYS_MAX    2932896 /* 9999-12-31 */
#define ERA_DAYS    146097  /* 400 years of the Gregorian calendar */
#define YEAR_DAYS   365
#define FIRST_YEAR  1970
#define MONTH_COUNT 12

static bool is_leap(unsigned int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The date so many days after 1970-01-01. No libc function does it here: gmtime_r(3), too, reads TZ
   at its first call and opens the file that it names (RULES P06). */
static void date_of(uint64_t days, unsigned int *year, unsigned int *month, unsigned int *day)
{
	static const uint8_t lengths[MONTH_COUNT] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	unsigned int left = (unsigned int)(days < DAYS_MAX ? days : DAYS_MAX), m = 0;
	unsigned int y = FIRST_YEAR + left / ERA_DAYS * 400;

	left %= ERA_DAYS;
	for (; left >= YEAR_DAYS + (is_leap(y) ? 1U : 0U); y++)
		left -= YEAR_DAYS + (is_leap(y) ? 1U : 0U);
	for (; m < MONTH_COUNT - 1; m++) {
		unsigned int length = lengths[m] + (m == 1 && is_leap(y) ? 1U : 0U);

		if (left < length)
			break;
		left -= length;
	}
	*year = y;
	*month = m + 1;
	*day = left + 1;
}

void bg_clock_wall_text(char ret[static BG_TIME_TEXT_LEN])
{
	struct timespec ts = { 0 };
	uint64_t secs;
	unsigned int year, month, day, of_day;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	secs = ts.tv_sec > 0 ? (uint64_t)ts.tv_sec : 0;
	date_of(secs / DAY_SECS, &year, &month, &day);
	of_day = (unsigned int)(secs % DAY_SECS);
	(void)snprintf(ret, BG_TIME_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000,
		month % 100, day % 100, of_day / 3600 % 100, of_day / 60 % 60, of_day % 60,
		(unsigned int)(ts.tv_nsec / 1000000) % 1000);
}

static int64_t be64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Seconds east of UTC at `when`, from a TZif file of version 2 (RFC 8536 section 3): the last
   transition before it. False where the file is another, or a rule goes on behind its last
   transition: UTC is said then. */
static bool zone_offset(const unsigned char *p, size_t len, int64_t when, int32_t *ret)
{
	size_t first, times, types, chars, at, rest;
	const unsigned char *index;

	if (len < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	/* The first data block is the 32-bit one: skip it. */
	first = 44 + be32(p + 32) * 5UL + be32(p + 36) * 6UL + be32(p + 40) + be32(p + 28) * 8UL +
		be32(p + 24) + be32(p + 20);
	if (first > len || len - first < 44)
		return false;
	p += first;
	len -= first;
	times = be32(p + 32);
	types = be32(p + 36);
	chars = be32(p + 40);
	if (times > 4096 || types == 0 || types > 256 || 44 + times * 9 + types * 6 + chars > len)
		return false;
	at = 0;
	while (at < times && be64(p + 44 + at * 8) <= when)
		at++;
	/* After the last transition a rule in the footer may apply, which is not read here; one
	   without a comma has no summer time, so the last transition's offset stays. */
	rest = 44 + times * 9 + types * 6 + chars + be32(p + 28) * 12UL + be32(p + 24) +
	       be32(p + 20);
	if (at == times && (rest >= len || memchr(p + rest, ',', len - rest) != NULL))
		return false;
	index = p + 44 + times * 8;
	if (at > 0 && index[at - 1] >= types)
		return false;
	*ret = (int32_t)be32(p + 44 + times * 9 + (at > 0 ? index[at - 1] : 0) * 6UL);
	return true;
}

void bg_clock_local_hm(uint32_t secs, char *ret, size_t ret_size)
{
	unsigned char zone[8192];
	ssize_t len = bg_io_read_small("/etc/localtime", false, (char *)zone, sizeof(zone));
	int64_t when = (int64_t)time(NULL) + secs;
	int32_t offset = 0;
	bool is_local = len > 0 && zone_offset(zone, (size_t)len, when, &offset);
	int64_t of_day = ((when + offset) % DAY_SECS + DAY_SECS) % DAY_SECS;

	(void)snprintf(ret, ret_size, "%02u:%02u%s", (unsigned int)(of_day / 3600),
		(unsigned int)(of_day / 60 % 60), is_local ? "" : " UTC");
}

enum bg_err bg_clock_boot_id(char ret[static BG_BOOT_ID_LEN + 1])
{
	char buf[BG_BOOT_ID_LEN + 8];
	ssize_t n = bg_io_read_small("/proc/sys/kernel/random/boot_id", true, buf, sizeof(buf));

	if (n < BG_BOOT_ID_LEN)
		return BG_ERR_IO;
	memcpy(ret, buf, BG_BOOT_ID_LEN);
	ret[BG_BOOT_ID_LEN] = '\0';
	return BG_OK;
}

void bg_duration_text(uint64_t secs, char ret[static 24])
{
	unsigned int hours = (unsigned int)(secs / 3600), mins = (unsigned int)(secs % 3600 / 60);

	if (secs < 60)
		(void)snprintf(ret, 24, "%u s", (unsigned int)secs);
	else if (hours < 2 && secs != 3600)
		(void)snprintf(ret, 24, "%u min", hours * 60 + mins);
	else if (mins == 0)
		(void)snprintf(ret, 24, "%u h", hours);
	else
		(void)snprintf(ret, 24, "%u h %u min", hours, mins);
}

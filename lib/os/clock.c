/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_clock.h>

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

/* gmtime_r(3) asks no environment; localtime_r would ask TZ. */
void bg_clock_wall_text(char ret[static BG_TIME_TEXT_LEN])
{
	struct timespec ts = { 0 };
	struct tm tm = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)snprintf(ret, BG_TIME_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(unsigned int)(tm.tm_year + 1900) % 10000, (unsigned int)(tm.tm_mon + 1) % 100,
		(unsigned int)tm.tm_mday % 100, (unsigned int)tm.tm_hour % 100,
		(unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100,
		(unsigned int)(ts.tv_nsec / 1000000) % 1000);
}

/* Reads a small file of /proc or /etc; returns its length, or -1. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	(void)close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
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
   transition before it. False where the file is another, or ends before `when`: UTC is said then.
 */
static bool zone_offset(const unsigned char *p, size_t len, int64_t when, int32_t *ret)
{
	size_t first, times, types, chars, at;
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
	/* After the last transition a rule in the footer may apply, which is not read here. */
	if (at == times && times > 0)
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
	ssize_t len = read_small("/etc/localtime", (char *)zone, sizeof(zone));
	int64_t when = (int64_t)time(NULL) + secs;
	int32_t offset = 0;
	bool is_local = len > 0 && zone_offset(zone, (size_t)len, when, &offset);
	time_t shifted = (time_t)(when + offset);
	struct tm tm = { 0 };

	(void)gmtime_r(&shifted, &tm);
	(void)snprintf(ret, ret_size, "%02u:%02u%s", (unsigned int)tm.tm_hour,
		(unsigned int)tm.tm_min, is_local ? "" : " UTC");
}

enum bg_err bg_clock_boot_id(char ret[static BG_BOOT_ID_LEN + 1])
{
	char buf[BG_BOOT_ID_LEN + 8];
	ssize_t n = read_small("/proc/sys/kernel/random/boot_id", buf, sizeof(buf));

	if (n < BG_BOOT_ID_LEN)
		return BG_ERR_IO;
	memcpy(ret, buf, BG_BOOT_ID_LEN);
	ret[BG_BOOT_ID_LEN] = '\0';
	return BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks and processes; no environment decides what they say (RULES P06). */
#include "unit.h"

#include "fds.h"
#include "private_ns.h"
#include "steps.h"

#include <breakglass/os_clock.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <time.h>

/* The wall clock that the library sees: this definition comes before libc's. */
static bool is_fixed;
static struct timespec fixed;

int clock_gettime(clockid_t id, struct timespec *ret)
{
	if (is_fixed && id == CLOCK_REALTIME) {
		*ret = fixed;
		return 0;
	}
	return (int)syscall(SYS_clock_gettime, id, ret);
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

static int reset(void **state)
{
	(void)state;
	is_fixed = false;
	(void)unlink("/etc/localtime");
	return 0;
}

static void fix(int64_t secs, long nsec)
{
	is_fixed = true;
	fixed = (struct timespec){ .tv_sec = secs, .tv_nsec = nsec };
}

static void clock_wall_text_is_rfc_3339(void **state)
{
	static const struct {
		int64_t secs;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.007Z" },
		{ 951782399, "2000-02-28T23:59:59.007Z" },
		{ 951782400, "2000-02-29T00:00:00.007Z" },
		{ 951868800, "2000-03-01T00:00:00.007Z" },
		{ 978220800, "2000-12-31T00:00:00.007Z" },
		{ 1795251351, "2026-11-21T08:55:51.007Z" },
		{ 1835395200, "2028-02-29T00:00:00.007Z" },
		{ 4107542400, "2100-03-01T00:00:00.007Z" },
		{ 253402300799, "9999-12-31T23:59:59.007Z" },
	};
	char text[BG_TIME_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		fix(rows[i].secs, 7999999);
		bg_clock_wall_text(text);
		assert_string_equal(text, rows[i].text);
	}
	fix(-5, 0);
	bg_clock_wall_text(text);
	assert_int_equal(strlen(text), BG_TIME_TEXT_LEN - 1);
}

/* libc's own calendar, day by day over 130 years. */
static void clock_dates_agree_with_libc(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 47500; day++) {
		time_t secs = day * 86400 + 3661;
		struct tm tm;
		char text[BG_TIME_TEXT_LEN], expected[64];

		fix(secs, 0);
		bg_clock_wall_text(text);
		assert_non_null(gmtime_r(&secs, &tm));
		(void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT01:01:01.000Z",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		assert_string_equal(text, expected);
	}
}

static void be(uint8_t **p, uint64_t v, int len)
{
	while (len-- > 0)
		*(*p)++ = (uint8_t)(v >> 8 * len);
}

/* Two transitions: UTC+1 before 1000000, UTC+2 from there, UTC-3:30 from 2000000 on. */
static size_t zone_make(uint8_t *buf, const char *footer)
{
	uint8_t *p = buf;

	for (int block = 0; block < 2; block++) {
		memcpy(p, "TZif2", 5);
		memset(p + 5, 0, 15);
		p += 20;
		be(&p, 0, 4);
		be(&p, 0, 4);
		be(&p, 0, 4);
		be(&p, block ? 2 : 0, 4);
		be(&p, block ? 3 : 1, 4);
		be(&p, 4, 4);
		if (!block) {
			be(&p, 0, 6);
			be(&p, 0, 4);
			continue;
		}
		be(&p, 1000000, 8);
		be(&p, 2000000, 8);
		be(&p, 1, 1);
		be(&p, 2, 1);
		be(&p, 3600, 4);
		be(&p, 0, 2);
		be(&p, 7200, 4);
		be(&p, 0, 2);
		be(&p, (uint32_t)-12600, 4);
		be(&p, 0, 2);
		be(&p, 0, 4);
	}
	memcpy(p, footer, strlen(footer));
	return (size_t)(p - buf) + strlen(footer);
}

static void zone_put(const uint8_t *buf, size_t len)
{
	int fd = open("/etc/localtime", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, len), (ssize_t)len);
	close(fd);
}

static void check_hm(int64_t at, uint32_t secs, const char *expected)
{
	char text[16];

	fix(at, 0);
	bg_clock_local_hm(secs, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void clock_local_hm_reads_the_zone_file(void **state)
{
	uint8_t zone[512];

	(void)state;
	check_hm(86400 + 6 * 3600, 14 * 60, "06:14 UTC");
	zone_put(zone, zone_make(zone, "\n<-0330>3:30\n"));
	check_hm(86400 * 2, 60, "01:01");
	check_hm(1000000 - 1, 0, "14:46");
	check_hm(1000000 - 1, 1, "15:46");
	check_hm(86400 * 30, 0, "20:30"); /* no rule: the last offset goes on */
	zone_put(zone, zone_make(zone, "\nNST3:30NDT,M3.2.0,M11.1.0\n"));
	check_hm(86400 * 30, 0, "00:00 UTC"); /* rules that are not read */
	check_hm(1500000, 0, "10:40");
}

static void clock_damaged_zone_is_utc(void **state)
{
	uint8_t zone[512];
	size_t len = zone_make(zone, "\nX\n");

	(void)state;
	for (size_t n = 0; n < len; n++) {
		char text[16];

		zone_put(zone, n);
		fix(0, 0);
		bg_clock_local_hm(0, text, sizeof(text));
		assert_true(strlen(text) == 5 || strcmp(text, "00:00 UTC") == 0);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		char text[16];

		zone[bit / 8] ^= (uint8_t)(1 << bit % 8);
		zone_put(zone, len);
		fix(1500000, 0);
		bg_clock_local_hm(0, text, sizeof(text));
		assert_true(strlen(text) == 5 || strlen(text) == 9);
		zone[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void say_times(void *arg)
{
	char text[BG_TIME_TEXT_LEN];

	bg_clock_wall_text(text);
	bg_clock_local_hm(0, text, 16);
	if (strcmp(text, arg) != 0)
		_exit(1);
}

static void clock_P06_TZ_decides_nothing(void **state)
{
	static char expected[] = "00:00 UTC";
	struct steps without, with;

	(void)state;
	/* not reset by anything before: libc has read no zone in this child */
	fix(0, 0);
	without = steps_run(say_times, expected, 0);
	setenv("TZ", ":/run/zone", 1);
	setenv("TZDIR", "/run", 1);
	setenv("LANG", "de_DE.UTF-8", 1);
	with = steps_run(say_times, expected, 0);
	unsetenv("TZ");
	unsetenv("TZDIR");
	unsetenv("LANG");
	assert_true(without.is_done && with.is_done);
	assert_int_equal(with.stops, without.stops);
	assert_int_equal(with.of[SYS_openat], 1); /* /etc/localtime */
}

static void clock_boot_time_goes_on(void **state)
{
	uint64_t first = bg_clock_boot_ms();
	char a[BG_BOOT_ID_LEN + 1], b[BG_BOOT_ID_LEN + 1];

	(void)state;
	assert_true(first > 0);
	assert_true(bg_clock_boot_ms() - first < 60000);
	assert_int_equal(bg_clock_boot_id(a), BG_OK);
	assert_int_equal(bg_clock_boot_id(b), BG_OK);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef-"), BG_BOOT_ID_LEN);
}

static void process_self_has_parent_and_start(void **state)
{
	struct bg_process self = { 0 }, again = { 0 }, child = { 0 };
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(bg_process_self(&self), BG_OK);
	assert_int_equal(self.pid, getpid());
	assert_int_equal(self.parent, getppid());
	assert_true(self.start_ticks > 0);
	assert_true(bg_process_age_secs(&self) < 600);
	/* a name made to look like the rest of the line */
	assert_int_equal(prctl(PR_SET_NAME, ") R 1 1 1 1"), 0);
	assert_int_equal(bg_process_self(&again), BG_OK);
	assert_memory_equal(&again, &self, sizeof(self));
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		close(fds[1]);
		_exit((int)read(fds[0], &c, 1));
	}
	assert_int_equal(bg_process_get(pid, &child), BG_OK);
	assert_int_equal(child.parent, getpid());
	close(fds[1]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(bg_process_get(pid, &child), BG_ERR_NOENT);
	assert_int_not_equal(bg_process_get(0, &child), BG_OK);
	assert_int_not_equal(bg_process_get(-1, &child), BG_OK);
}

static void clock_P05_descriptors_stay_as_they_were(void **state)
{
	unsigned int before = fds_open();
	struct bg_process process;
	uint32_t session;
	char text[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		bg_clock_local_hm(0, text, 16);
		(void)!bg_clock_boot_id(text);
		(void)!bg_process_self(&process);
		(void)!bg_process_get(-1, &process);
		(void)!bg_audit_session(&session);
	}
	assert_int_equal(fds_open(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(clock_P06_TZ_decides_nothing, reset),
		cmocka_unit_test_setup(clock_wall_text_is_rfc_3339, reset),
		cmocka_unit_test_setup(clock_dates_agree_with_libc, reset),
		cmocka_unit_test_setup(clock_local_hm_reads_the_zone_file, reset),
		cmocka_unit_test_setup(clock_damaged_zone_is_utc, reset),
		cmocka_unit_test_setup(clock_boot_time_goes_on, reset),
		cmocka_unit_test_setup(process_self_has_parent_and_start, reset),
		cmocka_unit_test_setup(clock_P05_descriptors_stay_as_they_were, reset),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which alert was about which request: what a handler's "not authorised" ends hangs on it. */
#include "unit.h"

#include "../../lib/os/spool.h"
#include "private_ns.h"

#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#define DIGEST "5be3abababababababababababababababababababababababababababababab"
#define OTHER  "0123456701234567012345670123456701234567012345670123456701234567"
#define NONCE  "000102030405060708090a0b0c0d0e0f"
#define PLACES 1024 /* the newest alerts that are kept */
#define ROW    86   /* bytes of a line: number, blank, digest, LF */

static int setup(void **state)
{
	(void)state;
	if (mkdir(BG_PATH_RUN, 0700) != 0 && errno != EEXIST)
		return -1;
	return mount("state", BG_PATH_RUN, "tmpfs", 0, "mode=0700");
}

static int teardown(void **state)
{
	(void)state;
	return umount2(BG_PATH_RUN, MNT_DETACH);
}

static void note(uint64_t id, const char *request)
{
	char line[256];
	int len = snprintf(line, sizeof(line),
		"{\"schema\":1,\"seq\":1,\"event\":\"GRANTED\",\"request\":\"%s\"}", request);

	bg_alerted_note(id, line, (size_t)len);
}

static void is_about(uint64_t id, const char *request)
{
	char got[65] = "untouched";

	if (request) {
		assert_int_equal(bg_spool_request(id, got), BG_OK);
		assert_string_equal(got, request);
		return;
	}
	assert_int_equal(bg_spool_request(id, got), BG_ERR_NOENT);
	assert_string_equal(got, "untouched");
}

/* Nor is what it said anywhere in the file. */
static void is_blank(uint64_t id)
{
	char row[ROW + 1] = "", blank[ROW + 1];
	int fd = open(BG_PATH_ALERTED, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, row, ROW, (off_t)(id % PLACES * ROW)), ROW);
	assert_int_equal(close(fd), 0);
	(void)snprintf(blank, sizeof(blank), "%020d %64s\n", (int)id, "");
	assert_string_equal(row, blank);
}

static void spoil(off_t at, const char *text)
{
	int fd = open(BG_PATH_ALERTED, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void alerted_request_of_an_alert_is_found(void **state)
{
	struct stat st;

	(void)state;
	is_about(1, NULL);
	note(1, DIGEST);
	note(2, NONCE); /* not fixed yet: named by its nonce */
	note(3, OTHER);
	is_about(1, DIGEST);
	is_about(2, NONCE);
	is_about(3, OTHER);
	is_about(0, NULL);
	is_about(4, NULL);
	assert_int_equal(stat(BG_PATH_ALERTED, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	note(UINT64_MAX, DIGEST);
	is_about(UINT64_MAX, DIGEST);
}

static void alerted_alert_about_no_request_has_none(void **state)
{
	static const char *const none[] = { "", "5be3", DIGEST "ab", "../../../../etc/passwd",
		"5BE3ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB",
		"5be3abababababababababababababababababababababababababababababa ",
		"5be3abababababababababababababababababababababababababababababag" };
	static const char without[] = "{\"schema\":1,\"seq\":1,\"event\":\"CHECK_FAILED\"}";

	(void)state;
	for (size_t i = 0; i < LEN(none); i++) {
		note(7, DIGEST);
		note(7, none[i]);
		is_about(7, NULL);
		is_blank(7);
	}
	note(7, DIGEST);
	bg_alerted_note(7, without, sizeof(without) - 1);
	is_about(7, NULL);
	note(7, DIGEST);
	bg_alerted_note(7, "", 0); /* an alert that is a test */
	is_about(7, NULL);
}

/* A place is used again: the alert that had it before is about nothing any more. */
static void alerted_newest_1024_are_kept(void **state)
{
	struct stat st;

	(void)state;
	for (uint64_t id = 1; id <= 3 * PLACES; id++)
		note(id, id % 2 ? DIGEST : OTHER);
	for (uint64_t id = 1; id <= 2 * PLACES; id++)
		is_about(id, NULL);
	for (uint64_t id = 2 * PLACES + 1; id <= 3 * PLACES; id++)
		is_about(id, id % 2 ? DIGEST : OTHER);
	is_about(3 * PLACES + 1, NULL);
	assert_int_equal(stat(BG_PATH_ALERTED, &st), 0);
	assert_int_equal(st.st_size, PLACES * ROW);
}

static void alerted_damaged_line_is_about_nothing(void **state)
{
	static const char *const texts[] = { "0000000000000000000x", "00000000000000000003",
		"00000000000000000002\n", "00000000000000000002 \n", "00000000000000000002 x",
		"00000000000000000002 5BE3", "00000000000000000002  5be3" };

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		note(1, OTHER);
		note(2, DIGEST);
		note(3, OTHER);
		is_about(2, DIGEST);
		spoil((off_t)2 * ROW, texts[i]);
		is_about(2, NULL);
		is_about(1, OTHER);
		is_about(3, OTHER);
	}
}

static void alerted_every_truncation_gives_none_or_the_right_one(void **state)
{
	(void)state;
	for (off_t len = 3 * ROW; len >= 0; len--) {
		note(1, OTHER);
		note(2, DIGEST);
		assert_int_equal(truncate(BG_PATH_ALERTED, len), 0);
		is_about(2, len >= 3 * ROW ? DIGEST : NULL);
		is_about(1, len >= 2 * ROW ? OTHER : NULL);
	}
}

/* Whoever could write there could name the request that a refusal ends. */
static void alerted_file_of_others_is_not_believed(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601 };
	char got[65];

	(void)state;
	note(1, DIGEST);
	assert_int_equal(chown(BG_PATH_ALERTED, 65534, 0), 0);
	assert_int_equal(bg_spool_request(1, got), BG_ERR_UNSAFE);
	assert_int_equal(chown(BG_PATH_ALERTED, 0, 0), 0);
	is_about(1, DIGEST);
	for (size_t i = 0; i < LEN(modes); i++) {
		assert_int_equal(chmod(BG_PATH_ALERTED, modes[i]), 0);
		assert_int_equal(bg_spool_request(1, got), BG_ERR_UNSAFE);
	}
	assert_int_equal(chmod(BG_PATH_ALERTED, 0600), 0);
	assert_int_equal(rename(BG_PATH_ALERTED, BG_PATH_RUN "/elsewhere"), 0);
	assert_int_equal(symlink(BG_PATH_RUN "/elsewhere", BG_PATH_ALERTED), 0);
	assert_int_not_equal(bg_spool_request(1, got), BG_OK);
	note(1, OTHER); /* nor written through */
	assert_int_equal(unlink(BG_PATH_ALERTED), 0);
	assert_int_equal(rename(BG_PATH_RUN "/elsewhere", BG_PATH_ALERTED), 0);
	is_about(1, DIGEST);
	assert_int_equal(unlink(BG_PATH_ALERTED), 0);
	assert_int_equal(mkfifo(BG_PATH_ALERTED, 0600), 0);
	assert_int_equal(bg_spool_request(1, got), BG_ERR_UNSAFE); /* and does not wait */
	note(1, OTHER);
	assert_int_equal(unlink(BG_PATH_ALERTED), 0);
	assert_int_equal(mkdir(BG_PATH_ALERTED, 0700), 0);
	assert_int_equal(bg_spool_request(1, got), BG_ERR_UNSAFE);
	note(1, OTHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alerted_request_of_an_alert_is_found),
		TEST(alerted_alert_about_no_request_has_none),
		TEST(alerted_newest_1024_are_kept),
		TEST(alerted_damaged_line_is_about_nothing),
		TEST(alerted_every_truncation_gives_none_or_the_right_one),
		TEST(alerted_file_of_others_is_not_believed),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

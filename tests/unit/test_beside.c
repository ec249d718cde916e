/* SPDX-License-Identifier: BSD-2-Clause */
/* The misuse signal: what is said of what was found, and where it is looked for. */
#include "unit.h"

#include <breakglass/os_ways.h>
#include <breakglass/sources.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmp.h>

#define ALL(state)                                                                                 \
	{                                                                                          \
		state, state, state, state, state                                                  \
	}

static const struct {
	struct bg_beside beside;
	const char *ordinary, *normal, *result;
	int severity;
} rows[] = {
	{ { ALL(BG_WAY_GOOD), true, 240 }, "240", "healthy",
		"an ordinary login 4 minutes before; normal ways looked healthy", 1 },
	{ { ALL(BG_WAY_GOOD), false, 240 }, "", "healthy",
		"no ordinary login is known; normal ways looked healthy", 1 },
	{ { ALL(BG_WAY_GOOD), true, 0 }, "0", "healthy",
		"an ordinary login 0 seconds before; normal ways looked healthy", 1 },
	{ { ALL(BG_WAY_NONE), true, 119 }, "119", "healthy",
		"an ordinary login 1 minute before; normal ways looked healthy", 1 },
	{ { ALL(BG_WAY_UNKNOWN), true, 7200 }, "7200", "unknown",
		"an ordinary login 2 hours before; normal ways unknown", 1 },
	{ { { BG_WAY_GOOD, BG_WAY_UNKNOWN, BG_WAY_NONE, BG_WAY_GOOD, BG_WAY_GOOD }, true, 86400 },
		"86400", "unknown", "an ordinary login 1 day before; normal ways unknown", 1 },
	{ { { BG_WAY_UNKNOWN, BG_WAY_BAD, BG_WAY_UNKNOWN, BG_WAY_GOOD, BG_WAY_GOOD }, true, 1 },
		"1", "broken: names do not answer",
		"an ordinary login 1 second before; normal ways broken: names do not answer", 5 },
	{ { ALL(BG_WAY_BAD), true, UINT64_MAX }, "18446744073709551615",
		"broken: nologin is there, names do not answer, the directory's service is down, "
		"sshd does not answer, /var does not answer",
		"an ordinary login 213503982334601 days before; normal ways broken: nologin is "
		"there, names do not answer, the directory's service is down, sshd does not "
		"answer, /var does not answer",
		5 },
};

static void beside_is_said_in_fields_and_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_event event = {
			.id = BG_EV_SESSION_OPENED, .host = "db1", .result = "open", .severity = -1
		};
		struct bg_beside_words words;

		bg_beside_event(&rows[i].beside, &words, &event);
		assert_int_equal(event.id, BG_EV_SESSION_CONTEXT);
		assert_string_equal(event.ordinary, rows[i].ordinary);
		assert_string_equal(event.normal, rows[i].normal);
		assert_string_equal(event.result, rows[i].result);
		assert_int_equal(bg_event_severity(&event), rows[i].severity);
		assert_true(bg_event_is_alert(&event));
		assert_string_equal(event.host, "db1");
	}
}

static void beside_is_no_louder_than_the_configuration(void **state)
{
	struct bg_event event = { .severity = 2 };
	struct bg_beside_words words;

	(void)state;
	bg_beside_event(&rows[0].beside, &words, &event);
	assert_int_equal(bg_event_severity(&event), 2);
}

#define FILE_PATH "wtmp"
#define ACCOUNTS  "accounts"

static void put(int fd, short type, const char *name, int32_t time)
{
	struct utmp entry = { .ut_type = type };

	memcpy(entry.ut_user, name, strnlen(name, sizeof(entry.ut_user)));
	entry.ut_tv.tv_sec = time;
	assert_int_equal(write(fd, &entry, sizeof(entry)), (ssize_t)sizeof(entry));
}

static struct bg_ordinary find(int64_t until)
{
	struct bg_ordinary found = { 0 };

	bg_ordinary_find(FILE_PATH, ACCOUNTS, until, &found);
	return found;
}

static int make(void)
{
	int fd = open(FILE_PATH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void ordinary_login_is_the_newest_of_an_ordinary_account(void **state)
{
	static const char *const names[] = { "breakglass", "", "-s", "../up", "a/b", ".", "a b",
		"a\nb", "\xff", "\x1b[2J" };
	struct bg_ordinary found;
	int fd = make();

	(void)state;
	put(fd, USER_PROCESS, "bob", 500);
	put(fd, USER_PROCESS, "alice", 900);
	put(fd, USER_PROCESS, "carol", 700); /* the clock was set back */
	for (size_t i = 0; i < LEN(names); i++)
		put(fd, USER_PROCESS, names[i], 950);
	put(fd, DEAD_PROCESS, "dave", 960);
	put(fd, BOOT_TIME, "reboot", 970);
	put(fd, USER_PROCESS, "future", 1001);
	assert_int_equal(write(fd, "cut", 3), 3);
	close(fd);
	found = find(1000);
	assert_int_equal(found.time, 900);
	assert_string_equal(found.name, "alice");
	assert_string_equal(find(899).name, "carol");
	assert_int_equal(find(499).time, 0);
	assert_int_equal(find(-1).time, 0);
	/* what is known already stays, if it is newer */
	found = (struct bg_ordinary){ .time = 901, .name = "known" };
	bg_ordinary_find(FILE_PATH, ACCOUNTS, 1000, &found);
	assert_string_equal(found.name, "known");
}

static void ordinary_login_is_looked_for_at_the_end_only(void **state)
{
	int fd = make();

	(void)state;
	put(fd, USER_PROCESS, "old", 999);
	put(fd, USER_PROCESS, "found", 5);
	for (int i = 0; i < 8191; i++)
		put(fd, DEAD_PROCESS, "", 6);
	close(fd);
	assert_string_equal(find(1000).name, "found");
	/* a name of 32 bytes has no NUL in the file */
	fd = make();
	put(fd, USER_PROCESS, "abcdefghijklmnopqrstuvwxyz-12345", 7);
	close(fd);
	assert_string_equal(find(1000).name, "abcdefghijklmnopqrstuvwxyz-12345");
}

static void ordinary_login_is_not_found_in_what_is_no_file(void **state)
{
	int fd;

	(void)state;
	(void)unlink(FILE_PATH);
	assert_int_equal(find(1000).time, 0);
	assert_int_equal(mkfifo(FILE_PATH, 0600), 0); /* nothing waits for a writer */
	assert_int_equal(find(1000).time, 0);
	assert_int_equal(unlink(FILE_PATH), 0);
	fd = make();
	put(fd, USER_PROCESS, "alice", 900);
	close(fd);
	assert_int_equal(find(1000).time, 900);
	assert_int_equal(rename(FILE_PATH, FILE_PATH ".1"), 0);
	assert_int_equal(symlink(FILE_PATH ".1", FILE_PATH), 0);
	assert_int_equal(find(1000).time, 0);
	assert_int_equal(unlink(FILE_PATH), 0);
	assert_int_equal(unlink(FILE_PATH ".1"), 0);
}

static void sources_are_read_as_nsswitch_means_them(void **state)
{
	static const char text[] = "# passwd: no\npasswd:\tfiles systemd # sss\n group: files "
				   "[SUCCESS=merge] sss\nshadow:files\npasswd_compat: nis\n"
				   "initgroups:";
	static const struct {
		const char *database, *sources, *first;
	} lines[] = {
		{ "passwd", "files systemd ", NULL },
		{ "group", "files [SUCCESS=merge] sss", "sss" },
		{ "shadow", "files", NULL },
		{ "initgroups", "", NULL },
		{ "hosts", "", NULL },
		{ "passwd_compat", "nis", "nis" },
	};
	char sources[BG_SOURCES_LEN], first[BG_SOURCE_LEN];

	(void)state;
	for (size_t i = 0; i < LEN(lines); i++) {
		bg_sources_find(text, lines[i].database, sources);
		assert_string_equal(sources, lines[i].sources);
		assert_int_equal(bg_sources_first(sources, false, first), lines[i].first != NULL);
		if (lines[i].first != NULL)
			assert_string_equal(first, lines[i].first);
	}
	assert_false(bg_sources_first(
		"files [NOTFOUND=return !UNAVAIL=merge SUCCESS=return]", false, first));
	assert_false(bg_sources_first("files[NOTFOUND=return]systemd", false, first));
	assert_true(bg_sources_first("files[!SUCCESS=return]sss", false, first));
	assert_string_equal(first, "sss");
	assert_true(bg_sources_first("sss files", true, first));
	assert_false(bg_sources_first("files sss", true, first));
}

static int in_a_folder(void **state)
{
	static char folder[] = "/tmp/bg-beside-XXXXXX";

	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 && mkdir(ACCOUNTS, 0700) == 0 &&
			       mkdir(ACCOUNTS "/breakglass", 0700) == 0
		       ? 0
		       : -1;
}

static int and_out(void **state)
{
	char folder[64];

	(void)state;
	(void)unlink(FILE_PATH);
	(void)rmdir(ACCOUNTS "/breakglass");
	(void)rmdir(ACCOUNTS);
	return getcwd(folder, sizeof(folder)) && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_is_said_in_fields_and_in_words),
		cmocka_unit_test(beside_is_no_louder_than_the_configuration),
		cmocka_unit_test(ordinary_login_is_the_newest_of_an_ordinary_account),
		cmocka_unit_test(ordinary_login_is_looked_for_at_the_end_only),
		cmocka_unit_test(ordinary_login_is_not_found_in_what_is_no_file),
		cmocka_unit_test(sources_are_read_as_nsswitch_means_them),
	};

	return cmocka_run_group_tests(tests, in_a_folder, and_out);
}

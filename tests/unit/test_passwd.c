/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/passwd as a file: byte by byte, one entry, one uid (RULES P13, P14). */
#include "unit.h"

#include "fds.h"
#include "private_ns.h"
#include "steps.h"

#include <breakglass/os_passwd.h>
#include <fcntl.h>

#define FILE_PATH "/run/passwd"
#define ROOT	  "root:x:0:0:root:/root:/bin/bash\n"
#define GOOD	  "breakglass:x:990:980:Emergency,,,:/:/bin/sh\n"

static void put(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static enum bg_err find(const char *text, const char *name, struct bg_passwd *ret)
{
	put(FILE_PATH, text, strlen(text));
	return bg_passwd_find_in(FILE_PATH, name, ret, NULL);
}

static void passwd_entry_is_found(void **state)
{
	static const char *const texts[] = {
		GOOD,
		ROOT GOOD,
		ROOT GOOD "other:x:991:980::/:/bin/sh\n",
		"breakglass:x:990:980::/:/bin/sh", /* no LF at the end */
		"broken line\n\n::::::\n" GOOD,
		"breakglass2:x:1:1::/x:/y\nxbreakglass:x:2:1::/x:/y\n" GOOD,
	};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct bg_passwd entry = { 0 };

		assert_int_equal(find(texts[i], "breakglass", &entry), BG_OK);
		assert_int_equal(entry.uid, 990);
		assert_int_equal(entry.gid, 980);
		assert_string_equal(entry.home, "/");
		assert_string_equal(entry.shell, "/bin/sh");
	}
}

static const struct {
	const char *name, *text, *account;
	enum bg_err err;
} rows[] = {
	{ "P14 missing", ROOT, "breakglass", BG_ERR_NOENT },
	{ "P14 empty file", "", "breakglass", BG_ERR_NOENT },
	{ "P14 case", ROOT GOOD, "Breakglass", BG_ERR_NOENT },
	{ "P14 trailing blank asked", ROOT GOOD, "breakglass ", BG_ERR_NOENT },
	{ "P14 trailing blank stands", "breakglass :x:990:980::/:/bin/sh\n", "breakglass",
		BG_ERR_NOENT },
	{ "P14 leading blank stands", " breakglass:x:990:980::/:/bin/sh\n", "breakglass",
		BG_ERR_NOENT },
	{ "P14 shorter", ROOT GOOD, "breakglas", BG_ERR_NOENT },
	{ "P14 longer", ROOT GOOD, "breakglass2", BG_ERR_NOENT },
	{ "P14 name twice", GOOD "breakglass:x:991:980::/:/bin/sh\n", "breakglass",
		BG_ERR_DUPLICATE },
	{ "P14 the same line twice", GOOD GOOD, "breakglass", BG_ERR_DUPLICATE },
	{ "P14 same uid after", GOOD "other:x:990:1::/:/bin/sh\n", "breakglass", BG_ERR_DUPLICATE },
	{ "P14 same uid before", "other:x:990:1::/:/bin/sh\n" GOOD, "breakglass",
		BG_ERR_DUPLICATE },
	{ "P14 same uid, written otherwise", "other:x:0990:1::/:/bin/sh\n" GOOD, "breakglass",
		BG_ERR_DUPLICATE },
	{ "six fields", "breakglass:x:990:980::/\n", "breakglass", BG_ERR_SYNTAX },
	{ "eight fields", "breakglass:x:990:980::/:/bin/sh:\n", "breakglass", BG_ERR_SYNTAX },
	{ "no uid", "breakglass:x::980::/:/bin/sh\n", "breakglass", BG_ERR_SYNTAX },
	{ "negative uid", "breakglass:x:-1:980::/:/bin/sh\n", "breakglass", BG_ERR_SYNTAX },
	{ "uid that is none", "breakglass:x:4294967295:980::/:/bin/sh\n", "breakglass",
		BG_ERR_SYNTAX },
	{ "uid that wraps", "breakglass:x:4294968286:980::/:/bin/sh\n", "breakglass",
		BG_ERR_SYNTAX },
	{ "uid with a blank", "breakglass:x: 990:980::/:/bin/sh\n", "breakglass", BG_ERR_SYNTAX },
	{ "hexadecimal uid", "breakglass:x:0x3de:980::/:/bin/sh\n", "breakglass", BG_ERR_SYNTAX },
	{ "NIS entry", "+breakglass::::::\n", "breakglass", BG_ERR_NOENT },
};

static void passwd_P14_other_entries_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct bg_passwd entry = { .uid = 4711 };
		enum bg_err err = find(rows[i].text, rows[i].account, &entry);

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].name, bg_err_text(err));
		assert_int_equal(entry.uid, 4711);
	}
}

static void passwd_P14_NUL_and_long_fields_are_refused(void **state)
{
	static const char nul[] = "breakglass:x:990:980::/\0etc:/bin/sh\n";
	static char text[2000] = "breakglass:x:990:980::/";
	struct bg_passwd entry = { 0 };

	(void)state;
	put(FILE_PATH, nul, sizeof(nul) - 1);
	assert_int_equal(bg_passwd_find_in(FILE_PATH, "breakglass", &entry, NULL), BG_ERR_SYNTAX);
	memset(text + strlen(text), 'a', 1000);
	memcpy(text + strlen(text), ":/bin/sh\n", 10);
	assert_int_equal(find(text, "breakglass", &entry), BG_ERR_SYNTAX);
	/* somebody else's long line is no reason to refuse */
	text[0] = 'c';
	memcpy(text + strlen(text), GOOD, sizeof(GOOD));
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "creakglass:x:991", 16);
	assert_int_equal(find(text, "breakglass", &entry), BG_OK);
	assert_int_equal(entry.uid, 990);
}

static void passwd_big_file_is_read(void **state)
{
	FILE *f = fopen(FILE_PATH, "we");
	struct bg_passwd entry = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 100000; i++)
		fprintf(f, "user%u:x:%u:100:Somebody:/home/user%u:/bin/bash\n", i, 10000 + i, i);
	fputs(GOOD, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(bg_passwd_find_in(FILE_PATH, "breakglass", &entry, NULL), BG_OK);
	assert_int_equal(entry.uid, 990);
	assert_int_equal(bg_passwd_find_in(FILE_PATH, "user99999", &entry, NULL), BG_OK);
	assert_int_equal(entry.uid, 109999);
}

static void find_real(void *arg)
{
	struct bg_passwd entry;

	if (bg_passwd_find("breakglass", &entry, arg) != BG_OK || entry.uid != 990)
		_exit(1);
}

static void passwd_P13_nobody_else_is_asked(void **state)
{
	struct steps steps;

	(void)state;
	/* a service switch that would ask the network, and a name only that would know */
	put("/etc/nsswitch.conf", "passwd: sss ldap files\n", 23);
	put("/etc/passwd", ROOT GOOD, strlen(ROOT GOOD));
	steps = steps_run(find_real, NULL, 0);
	assert_true(steps.is_done);
	assert_int_equal(steps.of[SYS_socket], 0);
	assert_int_equal(steps.of[SYS_connect], 0);
	assert_int_equal(steps.of[SYS_openat], 3); /* "/", "etc", "passwd" */
}

static void passwd_P04_unsafe_file_is_refused(void **state)
{
	struct bg_passwd entry;
	unsigned int before = fds_open();

	(void)state;
	put(FILE_PATH, GOOD, strlen(GOOD));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(chmod(FILE_PATH, 0666), 0);
		assert_int_equal(
			bg_passwd_find_in(FILE_PATH, "breakglass", &entry, NULL), BG_ERR_UNSAFE);
		assert_int_equal(chmod(FILE_PATH, 0644), 0);
		assert_int_equal(bg_passwd_find_in(FILE_PATH, "breakglass", &entry, NULL), BG_OK);
	}
	assert_int_equal(fds_open(), before);
	assert_int_equal(unlink(FILE_PATH), 0);
	assert_int_equal(bg_passwd_find_in(FILE_PATH, "breakglass", &entry, NULL), BG_ERR_NOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwd_entry_is_found),
		cmocka_unit_test(passwd_P14_other_entries_are_refused),
		cmocka_unit_test(passwd_P14_NUL_and_long_fields_are_refused),
		cmocka_unit_test(passwd_big_file_is_read),
		cmocka_unit_test(passwd_P13_nobody_else_is_asked),
		cmocka_unit_test(passwd_P04_unsafe_file_is_refused),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

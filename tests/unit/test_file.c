/* SPDX-License-Identifier: BSD-2-Clause */
/* The one opener of files: what it refuses, and what a kill leaves. */
#include "unit.h"

#include "fds.h"
#include "private_ns.h"
#include "steps.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_file.h>
#include <dirent.h>
#include <fcntl.h>

#define DIR_PATH  "/run/t"
#define FILE_PATH DIR_PATH "/f"
#define STRANGER  65534

static int setup(void **state)
{
	(void)state;
	return mount("t", DIR_PATH, "tmpfs", 0, "mode=0755");
}

static int teardown(void **state)
{
	(void)state;
	return umount2(DIR_PATH, MNT_DETACH);
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static enum bg_err get(unsigned int flags, char *buf, size_t size, size_t *len)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_file_read(FILE_PATH, flags, buf, size, len, &diag);

	if (err != BG_OK)
		assert_string_equal(diag.where, FILE_PATH);
	return err;
}

static void file_good_is_read_whole(void **state)
{
	char buf[6];
	size_t len = 0;

	(void)state;
	put(FILE_PATH, "12345", 0644);
	assert_int_equal(get(0, buf, sizeof(buf), &len), BG_OK);
	assert_int_equal(len, 5);
	assert_string_equal(buf, "12345");
	assert_int_equal(get(0, buf, 5, &len), BG_ERR_TOO_BIG);
	put(FILE_PATH, "", 0600);
	assert_int_equal(get(BG_FILE_PRIVATE, buf, sizeof(buf), &len), BG_OK);
	assert_int_equal(len, 0);
	assert_string_equal(buf, "");
	assert_int_equal(unlink(FILE_PATH), 0);
	assert_int_equal(get(0, buf, sizeof(buf), &len), BG_ERR_NOENT);
	assert_int_equal(bg_file_read(DIR_PATH "/no/f", 0, buf, 1, &len, NULL), BG_ERR_NOENT);
}

static void make_symlink(void)
{
	put(DIR_PATH "/other", "x", 0600);
	assert_int_equal(symlink("other", FILE_PATH), 0);
}

static void make_hard_link(void)
{
	put(DIR_PATH "/other", "x", 0600);
	assert_int_equal(link(DIR_PATH "/other", FILE_PATH), 0);
}

static void make_fifo(void)
{
	assert_int_equal(mkfifo(FILE_PATH, 0600), 0);
}

static void make_device(void)
{
	assert_int_equal(mknod(FILE_PATH, S_IFCHR | 0600, makedev(1, 5)), 0);
}

static void make_tty(void)
{
	assert_int_equal(mknod(FILE_PATH, S_IFCHR | 0600, makedev(5, 0)), 0);
}

static void make_folder(void)
{
	assert_int_equal(mkdir(FILE_PATH, 0700), 0);
}

static void make_open_to_all(void)
{
	put(FILE_PATH, "x", 0666);
}

static void make_open_to_group(void)
{
	put(FILE_PATH, "x", 0620);
}

static void make_readable(void)
{
	put(FILE_PATH, "x", 0640);
}

static void make_foreign(void)
{
	put(FILE_PATH, "x", 0600);
	assert_int_equal(chown(FILE_PATH, STRANGER, 0), 0);
}

static void make_huge(void)
{
	put(FILE_PATH, "x", 0600);
	assert_int_equal(truncate(FILE_PATH, 1L << 30), 0);
}

static void make_folder_open(void)
{
	put(FILE_PATH, "x", 0600);
	assert_int_equal(chmod(DIR_PATH, 0777), 0);
}

static void make_folder_sticky(void)
{
	put(FILE_PATH, "x", 0600);
	assert_int_equal(chmod(DIR_PATH, 01777), 0);
}

static void make_folder_foreign(void)
{
	put(FILE_PATH, "x", 0600);
	assert_int_equal(chown(DIR_PATH, STRANGER, 0), 0);
}

static const struct {
	const char *name;
	void (*make)(void);
	enum bg_err err;
} unsafe[] = {
	{ "P04 symlink", make_symlink, BG_ERR_UNSAFE },
	{ "P04 hard link", make_hard_link, BG_ERR_UNSAFE },
	{ "P10 FIFO", make_fifo, BG_ERR_UNSAFE },
	{ "P04 device", make_device, BG_ERR_UNSAFE },
	{ "P04 terminal", make_tty, BG_OK /* any error will do */ },
	{ "P04 folder", make_folder, BG_ERR_UNSAFE },
	{ "P04 0666", make_open_to_all, BG_ERR_UNSAFE },
	{ "P04 0620", make_open_to_group, BG_ERR_UNSAFE },
	{ "P04 0640 where private", make_readable, BG_ERR_UNSAFE },
	{ "P04 foreign owner", make_foreign, BG_ERR_UNSAFE },
	{ "P04 1 GiB", make_huge, BG_ERR_TOO_BIG },
	{ "P04 folder 0777", make_folder_open, BG_ERR_UNSAFE },
	{ "P04 folder 1777", make_folder_sticky, BG_ERR_UNSAFE },
	{ "P04 folder of a stranger", make_folder_foreign, BG_ERR_UNSAFE },
};

static void file_P04_P10_unsafe_is_refused_at_once(void **state)
{
	for (size_t i = 0; i < LEN(unsafe); i++) {
		char buf[64];
		size_t len = 77;
		uint64_t begin;
		enum bg_err err;

		unsafe[i].make();
		begin = bg_clock_boot_ms();
		err = get(BG_FILE_PRIVATE, buf, sizeof(buf), &len);
		if (err == BG_OK || (unsafe[i].err != BG_OK && err != unsafe[i].err))
			fail_msg("%s: %s", unsafe[i].name, bg_err_text(err));
		assert_true(bg_clock_boot_ms() - begin < 1000);
		assert_int_equal(len, 77);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void file_P05_descriptors_stay_as_they_were(void **state)
{
	unsigned int before = fds_open();
	char buf[64];
	size_t len;
	int error;

	for (size_t i = 0; i < LEN(unsafe); i++) {
		unsafe[i].make();
		for (int round = 0; round < 1000; round++) {
			(void)!get(BG_FILE_PRIVATE, buf, sizeof(buf), &len);
			if (round % 20 == 0)
				(void)!bg_file_replace(
					FILE_PATH, BG_FILE_EXCLUSIVE, 0600, "y", 1, NULL);
			(void)!bg_folder_check(FILE_PATH, NULL);
			(void)bg_path_exists(FILE_PATH, &error);
		}
		(void)!bg_file_read(DIR_PATH "/a/b", 0, buf, sizeof(buf), &len, NULL);
		(void)!bg_file_replace(DIR_PATH "/a/b", 0, 0600, "y", 1, NULL);
		assert_int_equal(fds_open(), before);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void file_P04_link_above_is_not_followed(void **state)
{
	char buf[8];
	size_t len;

	(void)state;
	assert_int_equal(mkdir(DIR_PATH "/real", 0755), 0);
	put(DIR_PATH "/real/f", "x", 0600);
	assert_int_equal(symlink("real", DIR_PATH "/link"), 0);
	assert_int_equal(bg_file_read(DIR_PATH "/real/f", 0, buf, 8, &len, NULL), BG_OK);
	assert_int_equal(bg_file_read(DIR_PATH "/link/f", 0, buf, 8, &len, NULL), BG_ERR_UNSAFE);
	assert_int_equal(bg_file_replace(DIR_PATH "/link/f", 0, 0600, "y", 1, NULL), BG_ERR_UNSAFE);
	assert_int_equal(bg_folder_check(DIR_PATH "/real", NULL), BG_OK);
	assert_int_equal(bg_folder_check(DIR_PATH "/link", NULL), BG_ERR_UNSAFE);
	/* a command's own argument may lie anywhere */
	assert_int_equal(
		bg_file_read(DIR_PATH "/link/f", BG_FILE_ANY_FOLDER, buf, 8, &len, NULL), BG_OK);
}

static void file_replace_sets_mode_and_never_follows(void **state)
{
	struct stat st;
	char buf[8];
	size_t len;

	(void)state;
	put(DIR_PATH "/other", "x", 0600);
	assert_int_equal(symlink("other", FILE_PATH), 0);
	assert_int_equal(bg_file_replace(FILE_PATH, 0, 0644, "new", 3, NULL), BG_OK);
	assert_int_equal(lstat(FILE_PATH, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(bg_file_read(DIR_PATH "/other", 0, buf, 8, &len, NULL), BG_OK);
	assert_string_equal(buf, "x");
	assert_int_equal(bg_file_replace(FILE_PATH, BG_FILE_EXCLUSIVE, 0600, "no", 2, NULL),
		BG_ERR_DUPLICATE);
	assert_int_equal(get(0, buf, sizeof(buf), &len), BG_OK);
	assert_string_equal(buf, "new");
}

static unsigned int names_in_folder(void)
{
	unsigned int n = 0;
	DIR *dir = opendir(DIR_PATH);
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' || strncmp(entry->d_name, ".new-", 5) == 0;
	closedir(dir);
	return n;
}

static void file_replace_that_fails_leaves_nothing(void **state)
{
	static char big[1 << 20];

	(void)state;
	assert_int_equal(teardown(state), 0);
	assert_int_equal(mount("t", DIR_PATH, "tmpfs", 0, "mode=0755,size=64k"), 0);
	put(FILE_PATH, "old", 0600);
	assert_int_equal(bg_file_replace(FILE_PATH, 0, 0600, big, sizeof(big), NULL), BG_ERR_IO);
	assert_int_equal(names_in_folder(), 1);
}

struct replacing {
	unsigned int flags;
	const char *text;
};

static void replace(void *arg)
{
	const struct replacing *r = arg;

	if (bg_file_replace(FILE_PATH, r->flags, 0600, r->text, strlen(r->text), NULL) != BG_OK)
		_exit(1);
}

/* Kills a replacing process at each entry to and exit from a system call. */
static void kill_everywhere(const char *old, struct replacing *r)
{
	bool is_done = false, has_old = false, has_new = false;

	for (unsigned int at = 1; !is_done; at++) {
		char buf[64];
		size_t len = 0;
		enum bg_err err;

		(void)unlink(FILE_PATH);
		if (old)
			put(FILE_PATH, old, 0600);
		is_done = steps_run(replace, r, at).is_done;
		err = get(BG_FILE_PRIVATE, buf, sizeof(buf), &len);
		if (!old && err == BG_ERR_NOENT) {
			has_old = true;
			continue;
		}
		assert_int_equal(err, BG_OK);
		if (strcmp(buf, r->text) == 0)
			has_new = true;
		else if (old && strcmp(buf, old) == 0)
			has_old = true;
		else
			fail_msg("killed at stop %u: \"%s\"", at, buf);
		assert_true(at < 200);
	}
	assert_true(has_old && has_new);
}

static void file_P12_killed_anywhere_leaves_old_or_new(void **state)
{
	struct replacing r = { .text = "the new text" };

	(void)state;
	kill_everywhere("the old one", &r);
}

static void file_P12_exclusive_killed_anywhere_leaves_none_or_new(void **state)
{
	struct replacing r = { .flags = BG_FILE_EXCLUSIVE, .text = "the new text" };

	(void)state;
	kill_everywhere(NULL, &r);
}

static void read_it(void *arg)
{
	char buf[64];
	size_t len = 0;

	if (get(BG_FILE_PRIVATE, buf, sizeof(buf), &len) != BG_OK ||
		(strcmp(buf, "old") != 0 && strcmp(buf, arg) != 0))
		_exit(1);
}

static void replace_meanwhile(void)
{
	assert_int_equal(bg_file_replace(FILE_PATH, 0, 0600, "new", 3, NULL), BG_OK);
}

static void file_P12_replaced_while_read_is_old_or_new(void **state)
{
	static char new[] = "new";
	struct steps steps;
	unsigned int at = 1;

	(void)state;
	do {
		put(FILE_PATH, "old", 0600);
		steps = steps_run_with(read_it, new, at, replace_meanwhile);
		if (!steps.is_done)
			fail_msg("replaced at stop %u: not read", at);
	} while (steps.stops >= at++);
	assert_true(at > 10);
}

static void look(void *arg)
{
	int error = -1;

	if (bg_path_exists(arg, &error))
		_exit(1);
}

static void file_P10_path_exists_is_one_call(void **state)
{
	static char missing[] = DIR_PATH "/missing";
	int error = 0;

	(void)state;
	assert_int_equal(steps_calls(look, missing), 1);
	assert_int_equal(steps_run(look, missing, 0).of[SYS_newfstatat], 1);
	assert_false(bg_path_exists(missing, &error));
	assert_int_equal(error, ENOENT);
	put(FILE_PATH, "x", 0600);
	/* what is there and is no folder is somebody's mistake, and must deny, not ignore */
	assert_true(bg_path_exists(FILE_PATH, &error));
	assert_true(bg_path_exists(DIR_PATH, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_good_is_read_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P04_P10_unsafe_is_refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P05_descriptors_stay_as_they_were, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P04_link_above_is_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_replace_sets_mode_and_never_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_replace_that_fails_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P12_killed_anywhere_leaves_old_or_new, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P12_exclusive_killed_anywhere_leaves_none_or_new, setup, teardown),
		cmocka_unit_test_setup_teardown(
			file_P12_replaced_while_read_is_old_or_new, setup, teardown),
		cmocka_unit_test_setup_teardown(file_P10_path_exists_is_one_call, setup, teardown),
	};

	private_ns_enter();
	private_ns_need(mkdir(DIR_PATH, 0755) == 0, DIR_PATH);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

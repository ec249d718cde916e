/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of drills below /run/breakglass: which process only practises, in a namespace of the
   test's own. */
#include "unit.h"

#include "private_ns.h"
#include "state_fixture.h"
#include "state_stage.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>
#include <signal.h>
#include <sys/wait.h>

static struct bg_drill drill_of(const struct bg_process *process)
{
	struct bg_drill d = fixture_drill();

	fixture_text(d.boot_id, boot_id);
	d.process = *process;
	return d;
}

static struct bg_drill drill_of_self(void)
{
	struct bg_process self;

	assert_int_equal(bg_process_self(&self), BG_OK);
	return drill_of(&self);
}

static void path_of(const struct bg_process *process, char ret[static 128])
{
	(void)snprintf(ret, 128, BG_PATH_DRILLS "/%d.%llu", (int)process->pid,
		(unsigned long long)process->start_ticks);
}

static bool is_there(const struct bg_process *process)
{
	struct stat st;
	char path[128];

	path_of(process, path);
	return lstat(path, &st) == 0;
}

/* Writes a mark as it is, in the place of `process`. */
static void plant(const struct bg_process *process, const struct bg_drill *drill)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char path[128];

	path_of(process, path);
	assert_int_equal(bg_record_write_drill(crypto, drill, &w), BG_OK);
	assert_int_equal(bg_file_replace(path, 0, 0600, w.p, w.len, NULL), BG_OK);
}

/* A child that waits until it is killed. */
static struct bg_process child(void)
{
	struct bg_process ret = { 0 };
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		(void)pause();
	assert_int_equal(bg_process_get(pid, &ret), BG_OK);
	return ret;
}

static void end(const struct bg_process *process)
{
	assert_int_equal(kill(process->pid, SIGKILL), 0);
	assert_int_equal(waitpid(process->pid, NULL, 0), process->pid);
}

static void drills_mark_is_the_own_process_alone(void **state)
{
	struct bg_drill d = drill_of_self(), found;
	struct stat st;
	char path[128];
	int status = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_NOENT);
	assert_int_equal(bg_drills_begin(crypto, &d), BG_OK);
	path_of(&d.process, path);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(bg_drills_find(crypto, &found), BG_OK);
	assert_string_equal(found.account, d.account);
	assert_string_equal(found.service, d.service);
	assert_string_equal(found.id, d.id);
	pid = fork();
	if (pid == 0)
		_exit(bg_drills_find(crypto, &found) == BG_ERR_NOENT ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	bg_drills_end(&d.process);
	assert_false(is_there(&d.process));
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_NOENT);
	bg_drills_end(&d.process); /* twice is once */
}

/* From a mark that is there nothing makes an emergency: each of these is an error, not NOENT. */
static void drills_mark_that_is_not_right_is_no_emergency(void **state)
{
	struct bg_drill good = drill_of_self(), bad, found = { 0 };
	char path[128];

	(void)state;
	path_of(&good.process, path);
	bad = good;
	fixture_text(bad.boot_id, FIXTURE_BOOT);
	plant(&good.process, &bad);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_MISMATCH);
	bad = good;
	bad.process.start_ticks++;
	plant(&good.process, &bad);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_MISMATCH);
	bad = good;
	bad.process.pid++;
	plant(&good.process, &bad);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_MISMATCH);
	assert_int_equal(truncate(path, 40), 0);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_SYNTAX);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_SYNTAX);
	plant(&good.process, &good);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_UNSAFE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(bg_drills_find(crypto, &found), BG_ERR_UNSAFE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(found.account[0], '\0');
}

static void drills_one_at_a_time_for_an_account(void **state)
{
	struct bg_process first = child(), second = child();
	struct bg_drill d = drill_of(&first), e = drill_of(&second);

	(void)state;
	assert_int_equal(bg_drills_begin(crypto, &d), BG_OK);
	assert_int_equal(bg_drills_begin(crypto, &e), BG_ERR_BUSY);
	assert_false(is_there(&second));
	fixture_text(e.account, "other");
	assert_int_equal(bg_drills_begin(crypto, &e), BG_OK);
	bg_drills_end(&second);
	fixture_text(e.account, d.account);
	end(&first);
	assert_int_equal(bg_drills_begin(crypto, &e), BG_OK);
	assert_false(is_there(&first)); /* whose process is gone */
	end(&second);
	bg_drills_end(&second);
}

static void drills_begin_tidies_what_is_over(void **state)
{
	struct bg_drill d = drill_of_self(), old;
	struct bg_process again = d.process, boot = d.process, torn = d.process;
	char path[128];

	(void)state;
	again.start_ticks += 5; /* the number came again */
	old = drill_of(&again);
	plant(&again, &old);
	boot.start_ticks += 6; /* of another boot */
	old = d;
	fixture_text(old.boot_id, FIXTURE_BOOT);
	plant(&boot, &old);
	torn.start_ticks += 7;
	plant(&torn, &d);
	path_of(&torn, path);
	assert_int_equal(truncate(path, 30), 0);
	assert_int_equal(bg_drills_begin(crypto, &d), BG_OK);
	assert_false(is_there(&again));
	assert_false(is_there(&boot));
	assert_false(is_there(&torn));
	assert_true(is_there(&d.process));
	bg_drills_end(&d.process);
}

static void drills_id_is_a_plain_word(void **state)
{
	static const char *const good[] = { "a", "2026-Q4", "db_1.x", "_",
		"abcdefghijklmnopqrstuvwxyz012345" };
	static const char *const bad[] = { "", ".", "..", "-x", ".x", "a b", "a/b", "a\n",
		"\xc3\xa9", "a\"", "abcdefghijklmnopqrstuvwxyz0123456" };
	struct bg_drill d = drill_of_self();

	(void)state;
	for (size_t i = 0; i < LEN(good); i++)
		assert_true(bg_drill_is_id(good[i]));
	for (size_t i = 0; i < LEN(bad); i++)
		assert_false(bg_drill_is_id(bad[i]));
	fixture_text(d.id, "a b");
	assert_int_equal(bg_drills_begin(crypto, &d), BG_ERR_ARGUMENT);
	assert_false(is_there(&d.process));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			drills_mark_is_the_own_process_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			drills_mark_that_is_not_right_is_no_emergency, setup, teardown),
		cmocka_unit_test_setup_teardown(
			drills_one_at_a_time_for_an_account, setup, teardown),
		cmocka_unit_test_setup_teardown(drills_begin_tidies_what_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(drills_id_is_a_plain_word, setup, teardown),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/os_helper.h>

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

static char out[4096];
static struct bg_diag diag;
static int status;

static enum bg_err shell(const char *script, const char *input, unsigned int secs, size_t size)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	status = -1;
	memset(&diag, 0, sizeof(diag));
	return bg_program_run(argv, input, secs, out, size, &status, &diag);
}

static void program_gives_output_and_status(void **state)
{
	(void)state;
	assert_int_equal(shell("cat; echo err >&2; exit 3", "in ", 10, sizeof(out)), BG_OK);
	assert_int_equal(status, 3);
	assert_string_equal(out, "in err\n");
	assert_int_equal(shell("true", NULL, 10, sizeof(out)), BG_OK);
	assert_int_equal(status, 0);
	assert_string_equal(out, "");
}

static void program_output_is_cut_and_input_may_be_ignored(void **state)
{
	static char input[200000];

	(void)state;
	memset(input, 'x', sizeof(input) - 1);
	assert_int_equal(shell("exit 1", input, 10, sizeof(out)), BG_OK); /* and no SIGPIPE */
	assert_int_equal(status, 1);
	assert_int_equal(shell("cat", input, 10, 100), BG_OK);
	assert_int_equal(strlen(out), 99);
}

static void program_output_may_hold_anything(void **state)
{
	static const char *const argv[] = { "/bin/sh", "-c", "printf 'a\\0b\\0'", NULL };
	size_t len = 99;

	(void)state;
	assert_int_equal(
		bg_program_collect(argv, NULL, 10, out, sizeof(out), &len, &status, &diag), BG_OK);
	assert_int_equal(len, 4);
	assert_memory_equal(out, "a\0b\0", 5);
	assert_int_equal(
		bg_program_collect(argv, NULL, 10, out, 0, &len, &status, &diag), BG_ERR_ARGUMENT);
	assert_int_equal(len, 0);
}

static void program_that_hangs_is_killed(void **state)
{
	time_t start = time(NULL);

	(void)state;
	assert_int_equal(
		shell("trap '' TERM; echo before; sleep 60", NULL, 1, sizeof(out)), BG_ERR_TIMEOUT);
	assert_true(time(NULL) - start < 5);
	assert_string_equal(out, "before\n");
	assert_int_equal(status, -1);
}

static void program_with_a_daemon_ends_when_it_does(void **state)
{
	time_t start = time(NULL);

	(void)state;
	assert_int_equal(shell("sleep 5 & echo done", NULL, 10, sizeof(out)), BG_OK);
	assert_true(time(NULL) - start < 4);
	assert_string_equal(out, "done\n");
}

static void program_that_is_missing_or_dies_says_so(void **state)
{
	const char *const missing[] = { "/nonexistent/program", NULL };
	const char *const relative[] = { "sh", NULL };

	(void)state;
	assert_int_equal(
		bg_program_run(missing, NULL, 5, out, sizeof(out), &status, &diag), BG_ERR_NOENT);
	assert_int_equal(bg_program_run(relative, NULL, 5, out, sizeof(out), &status, &diag),
		BG_ERR_ARGUMENT);
	assert_int_equal(shell("kill -9 $$", NULL, 5, sizeof(out)), BG_ERR_IO);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* RULES P06 and P07: arguments are arguments, the environment is one fixed line. */
static void program_P07_nothing_is_interpreted(void **state)
{
	const char *const argv[] = { "/usr/bin/printf", "%s|", "$(id)", ";id", "a b", NULL };
	const char *const env[] = { "/usr/bin/env", NULL };

	(void)state;
	setenv("BG_TEST_LEAK", "1", 1);
	assert_int_equal(bg_program_run(argv, NULL, 5, out, sizeof(out), &status, &diag), BG_OK);
	assert_string_equal(out, "$(id)|;id|a b|");
	assert_int_equal(bg_program_run(env, NULL, 5, out, sizeof(out), &status, &diag), BG_OK);
	assert_string_equal(out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_gives_output_and_status),
		cmocka_unit_test(program_output_is_cut_and_input_may_be_ignored),
		cmocka_unit_test(program_output_may_hold_anything),
		cmocka_unit_test(program_that_hangs_is_killed),
		cmocka_unit_test(program_with_a_daemon_ends_when_it_does),
		cmocka_unit_test(program_that_is_missing_or_dies_says_so),
		cmocka_unit_test(program_P07_nothing_is_interpreted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bg_helper_run against helpers that misbehave. A helper is this program itself,
 * copied to a name that begins with "fake-", which says how it behaves.
 */
#include "unit.h"

#include <breakglass/os_helper.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char folder[] = "/tmp/bg-helper.XXXXXX";
static struct bg_fido2_request request;
static struct bg_fido2_reply reply;
static struct bg_diag diag;
static volatile sig_atomic_t children_heard_of;

/* --- the helpers --- */

static void send_reply(const struct bg_fido2_reply *r)
{
	static uint8_t bytes[4 + BG_FIDO2_MESSAGE_MAX_LEN];
	struct bg_writer w = { bytes + 4, BG_FIDO2_MESSAGE_MAX_LEN, 0, false };
	struct bg_writer head = { bytes, 4, 0, false };

	if (bg_fido2_reply_encode(r, &w))
		_exit(9);
	bg_put_u32(&head, (uint32_t)w.len);
	if (write(STDOUT_FILENO, bytes, 4 + w.len) < 0)
		_exit(9);
}

static void read_all(uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = read(STDIN_FILENO, p, len);

		if (n <= 0)
			_exit(9);
		p += n;
		len -= (size_t)n;
	}
}

/* All of it: who ends with the rest unread is a helper that failed, for who still sends. */
static void read_request(void)
{
	static uint8_t body[BG_FIDO2_MESSAGE_MAX_LEN];
	uint8_t bytes[4];
	struct bg_view head = { bytes, sizeof(bytes), false };
	uint32_t len;

	read_all(bytes, sizeof(bytes));
	len = bg_view_u32(&head);
	if (len > sizeof(body))
		_exit(9);
	read_all(body, len);
}

/* What a helper must find: "" or what is wrong. */
static const char *surroundings(int argc, char **argv)
{
	/* not those that a sanitizer takes */
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGCHLD,
		SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH };
	struct sigaction action;
	sigset_t mask;
	char cwd[8];

	if (argc != 1 || strcmp(argv[0], "fake-surroundings") != 0)
		return "arguments";
	if (environ && environ[0])
		return "environment";
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return "descriptor";
	if (!getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/") != 0)
		return "folder";
	if (sigprocmask(SIG_BLOCK, NULL, &mask) != 0)
		return "mask";
	for (size_t i = 0; i < LEN(signals); i++)
		if (sigismember(&mask, signals[i]) || sigaction(signals[i], NULL, &action) != 0 ||
			action.sa_handler != SIG_DFL)
			return "signal";
	return getpid() == getpgrp() ? "process group" : ""; /* the keeper leads it */
}

static void fake_garbage(void)
{
	uint8_t bytes[4096];

	memset(bytes, 0xff, sizeof(bytes));
	for (int i = 0; i < 64; i++)
		if (write(STDOUT_FILENO, bytes, sizeof(bytes)) < 0)
			_exit(1);
}

static int fake(const char *name, int argc, char **argv)
{
	struct bg_fido2_reply r = { .err = BG_OK };

	if (strcmp(name, "fake-silent") == 0)
		return 0;
	read_request();
	if (strcmp(name, "fake-crash") == 0)
		return raise(SIGKILL);
	if (strcmp(name, "fake-hang") == 0)
		for (;;)
			pause();
	if (strcmp(name, "fake-garbage") == 0)
		fake_garbage();
	if (strcmp(name, "fake-zeroes") == 0)
		return write(STDOUT_FILENO, "\0\0\0\4\0\0\0", 8) < 0;
	if (strcmp(name, "fake-short") == 0)
		return write(STDOUT_FILENO, "\0\0\1\0\1", 5) < 0;
	if (strcmp(name, "fake-position") == 0)
		r.credential = 1;
	if (strcmp(name, "fake-surroundings") == 0)
		(void)snprintf(r.detail, sizeof(r.detail), "%s", surroundings(argc, argv));
	if (strcmp(name, "fake-failed") == 0) {
		r.err = BG_ERR_PIN;
		(void)snprintf(r.detail, sizeof(r.detail), "said so");
	}
	send_reply(&r);
	return 0;
}

/* --- the tests --- */

static const char *path_of(const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *const names[] = { "fake-silent", "fake-crash", "fake-hang", "fake-garbage",
	"fake-zeroes", "fake-short", "fake-position", "fake-surroundings", "fake-failed",
	"fake-ok" };

static void copy_self(const char *path)
{
	static char buf[1 << 16];
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	(void)close(in);
	(void)close(out);
}

static void count_child(int number)
{
	(void)number;
	children_heard_of++;
}

static int group_setup(void **state)
{
	struct sigaction action = { .sa_handler = count_child };
	char first[64] = "";

	(void)state;
	if (!mkdtemp(folder) || sigaction(SIGCHLD, &action, NULL) != 0)
		return -1;
	for (size_t i = 0; i < LEN(names); i++) {
		if (i == 0) {
			copy_self(path_of(names[i]));
			(void)snprintf(first, sizeof(first), "%s", path_of(names[i]));
		} else if (link(first, path_of(names[i])) != 0) {
			return -1;
		}
	}
	return symlink("nowhere", path_of("dangling"));
}

static int group_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(names); i++)
		(void)unlink(path_of(names[i]));
	(void)unlink(path_of("dangling"));
	return rmdir(folder);
}

static int setup(void **state)
{
	(void)state;
	request = (struct bg_fido2_request){
		.op = BG_FIDO2_FIND, .rp_id = "breakglass:test", .credential_count = 1
	};
	request.credentials[0].len = 16;
	memset(&reply, 0x5a, sizeof(reply));
	memset(&diag, 0, sizeof(diag));
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* No child of any kind is left, and nobody was told that there was one. */
static void assert_nothing_left(void)
{
	assert_int_equal(children_heard_of, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

struct row {
	const char *name;
	enum bg_err err;
	const char *what; /* begins with */
};

static const struct row rows[] = {
	{ "missing", BG_ERR_HELPER, "missing or not executable" },
	{ "dangling", BG_ERR_HELPER, "missing or not executable" },
	{ "", BG_ERR_HELPER, "missing or not executable" },
	{ "fake-silent", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-crash", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-garbage", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-zeroes", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-short", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-position", BG_ERR_HELPER, "no well-formed answer" },
	{ "fake-ok", BG_OK, "" },
};

static void run_row(const struct row *row)
{
	static struct bg_fido2_reply before;

	setup(NULL);
	before = reply;
	if (bg_helper_run(path_of(row->name), &request, &reply, &diag) != row->err)
		fail_msg("%s: %s", row->name, diag.what);
	if (strncmp(diag.what, row->what, strlen(row->what)) != 0)
		fail_msg("%s: %s", row->name, diag.what);
	if (row->err)
		assert_memory_equal(&before, &reply, sizeof(reply));
}

static void helper_that_misbehaves_is_an_error_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		int64_t start = now_ms();

		run_row(&rows[i]);
		assert_true(now_ms() - start < 2000);
		assert_nothing_left();
	}
}

static void helper_that_hangs_is_killed_in_time(void **state)
{
	int64_t start = now_ms();

	(void)state;
	assert_int_equal(
		bg_helper_run(path_of("fake-hang"), &request, &reply, &diag), BG_ERR_TIMEOUT);
	assert_in_range(now_ms() - start, 9900, 13000);
	assert_nothing_left();
}

static void helper_says_what_went_wrong(void **state)
{
	(void)state;
	assert_int_equal(bg_helper_run(path_of("fake-failed"), &request, &reply, &diag), BG_OK);
	assert_int_equal(reply.err, BG_ERR_PIN);
	assert_string_equal(diag.what, "said so");
}

static void helper_P05_descriptors_before_are_those_after(void **state)
{
	unsigned int before = open_descriptors();

	(void)state;
	for (int i = 0; i < 1000; i++)
		run_row(&rows[i % (int)LEN(rows)]);
	assert_int_equal(open_descriptors(), before);
	assert_nothing_left();
}

/* RULES P05, P06, P07: no descriptor, nothing of the environment, fixed arguments, no shell. */
static void helper_P07_finds_nothing_of_its_host(void **state)
{
	int fd = open("/dev/null", O_RDONLY),
	    high = fcntl(fd, F_DUPFD, 700); /* not close-on-exec */
	sigset_t mask, before;

	(void)state;
	assert_true(fd >= 0 && high >= 700);
	setenv("FIDO_DEBUG", "1", 1);
	setenv("LD_PRELOAD", "", 1);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &before);
	signal(SIGHUP, SIG_IGN);
	memcpy(request.rp_id, "$(id);id", 9);
	assert_int_equal(
		bg_helper_run(path_of("fake-surroundings"), &request, &reply, &diag), BG_OK);
	assert_string_equal(reply.detail, "");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_true(sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGINT));
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	unsetenv("FIDO_DEBUG");
	unsetenv("LD_PRELOAD");
	close(fd);
	close(high);
	assert_nothing_left();
}

/* The same in a child of ours that has closed its standard descriptors or ignores SIGCHLD. */
static int odd_host(bool is_closed)
{
	if (is_closed)
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	else
		signal(SIGCHLD, SIG_IGN);
	if (bg_helper_run(path_of("fake-surroundings"), &request, &reply, NULL) || reply.detail[0])
		return 1;
	return is_closed && fcntl(0, F_GETFD) >= 0 ? 2 : 0;
}

static void helper_works_for_odd_hosts(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(odd_host(i));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	children_heard_of = 0; /* those two were ours */
}

/* The PIN of the test, written so that it stands nowhere until it is used. */
#define PIN_TEST_LEN 24
#ifdef __clang__
#define UNCHECKED __attribute__((no_sanitize("address", "memory")))
#else
#define UNCHECKED __attribute__((no_sanitize("address")))
#endif
static const char hidden[PIN_TEST_LEN + 1] = "!tqhpjdi-gyp-rdpbixz{s{u";

UNCHECKED static unsigned int count_pin(const volatile char *p, const volatile char *end)
{
	unsigned int n = 0;

	for (; p + PIN_TEST_LEN <= end; p++) {
		size_t i = 0;

		while (i < PIN_TEST_LEN && p[i] == (hidden[i] ^ 3))
			i++;
		n += i == PIN_TEST_LEN;
	}
	return n;
}

/* In all that this process could have written; a sanitizer's terabytes are no one's memory. */
UNCHECKED static unsigned int scan_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned int n = 0;
	char line[400];

	while (fgets(line, sizeof(line), maps)) {
		unsigned long from, to;
		char mode[5], *start;

		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 || mode[1] != 'w' ||
			mode[0] != 'r' || to - from > 64UL << 20)
			continue;
		start = (char *)from; /* NOLINT(performance-no-int-to-ptr) */
		n += count_pin(start, start + (to - from));
	}
	fclose(maps);
	return n;
}

static void helper_P08_leaves_no_pin_in_memory(void **state)
{
	(void)state;
	request.op = BG_FIDO2_ASSERT;
	request.timeout_secs = 1;
	for (int i = 0; i < PIN_TEST_LEN; i++)
		request.pin.text[i] = (char)(hidden[i] ^ 3);
	assert_int_equal(scan_memory(), 1); /* the scan finds what is there */
	assert_int_equal(bg_helper_run(path_of("fake-ok"), &request, &reply, &diag), BG_OK);
	assert_int_equal(
		bg_helper_run(path_of("fake-crash"), &request, &reply, &diag), BG_ERR_HELPER);
	bg_fido2_request_wipe(&request);
	assert_int_equal(scan_memory(), 0);
}

static void helper_refuses_what_it_cannot_ask(void **state)
{
	(void)state;
	request.timeout_secs = BG_FIDO2_TIMEOUT_MAX + 1;
	assert_int_equal(
		bg_helper_run(path_of("fake-ok"), &request, &reply, &diag), BG_ERR_ARGUMENT);
	request.timeout_secs = 0;
	request.credential_count = 0;
	assert_int_equal(
		bg_helper_run(path_of("fake-ok"), &request, &reply, &diag), BG_ERR_ARGUMENT);
	assert_nothing_left();
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(helper_that_misbehaves_is_an_error_at_once),
		TEST(helper_says_what_went_wrong),
		TEST(helper_P05_descriptors_before_are_those_after),
		TEST(helper_P07_finds_nothing_of_its_host),
		TEST(helper_P08_leaves_no_pin_in_memory),
		TEST(helper_works_for_odd_hosts),
		TEST(helper_refuses_what_it_cannot_ask),
		TEST(helper_that_hangs_is_killed_in_time),
	};
	char self[128];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *name;

	if (n <= 0)
		return 3;
	self[n] = '\0';
	name = strrchr(self, '/') + 1;
	if (strncmp(name, "fake-", 5) == 0)
		return fake(name, argc, argv);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* `drill`: practise the whole path, measure it, record it. The door's stack runs in drill_pam.c. */
#include "drill.h"
#include "install.h"
#include "load.h"

#include <breakglass/os_log.h>
#include <breakglass/os_random.h>
#include <breakglass/paths.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HUNG_MS	   (90 * 1000) /* outside of a question; a key's touch may take half a minute */
#define TURN_MS	   100
#define GRACE_MS   2000 /* between TERM and KILL */
#define RESULT_LEN 600

static volatile sig_atomic_t is_stopped;

/* What is drilled, loaded. */
struct subject {
	struct bg_crypto *crypto;
	struct bg_tree tree;
	struct bg_conf conf;
	struct bg_host host;
	struct bg_seal seal;
	char account[BG_PAM_NAME_LEN + 1];
	unsigned int count; /* of accounts here */
};

static void on_stop(int number)
{
	(void)number;
	is_stopped = 1;
}

static enum bg_err take_account(void *arg, const char *account)
{
	struct subject *subject = arg;

	subject->count++;
	(void)snprintf(subject->account, sizeof(subject->account), "%s", account);
	return BG_OK;
}

static int choose_account(struct subject *subject, const char *wanted)
{
	if (wanted) {
		if (!bg_is_account(wanted, BG_ACCOUNT_LEN))
			return bg_usage("--account: not an account's name");
		(void)snprintf(subject->account, sizeof(subject->account), "%s", wanted);
		return BG_EXIT_DONE;
	}
	if (bg_account_each(&subject->tree, take_account, subject) != BG_OK ||
		subject->count == 0) {
		bg_error("no emergency account is installed here");
		return BG_EXIT_MACHINE;
	}
	if (subject->count > 1)
		return bg_usage("which account? --account NAME");
	return BG_EXIT_DONE;
}

static int load(struct subject *subject, const struct bg_drill_options *options)
{
	static char text[BG_INI_FILE_LEN + 1];
	char path[BG_TREE_PATH_LEN], name[32];
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err;

	bg_conf_defaults(&subject->conf);
	if (bg_tree_read(&subject->tree, BG_PATH_CONF, text, sizeof(text), &len, NULL) == BG_OK)
		bg_conf_parse(text, len, BG_PATH_CONF, &subject->conf);
	if (!bg_conf_is_door(&subject->conf, options->door))
		return bg_usage(
			"--door %s: not one of the services in breakglass.conf", options->door);
	err = bg_account_host(&subject->tree, subject->account, &subject->host, &diag);
	if (err == BG_OK) {
		(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)subject->host.epoch);
		bg_account_path(subject->account, name, path);
		err = bg_tree_read(&subject->tree, path, text, sizeof(text), &len, &diag);
	}
	if (err == BG_OK)
		err = bg_seal_parse(subject->crypto, text, len, path, &subject->seal, &diag);
	if (err == BG_OK)
		err = bg_state_prepare(&diag);
	return err == BG_OK ? BG_EXIT_DONE
			    : bg_fail(err, &diag, "bg-unlock check says what is wrong");
}

/* Letters and digits that are hard to mistake when read aloud. */
static bool make_code(char ret[static BG_DRILL_CODE_LEN + 1])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t bytes[BG_DRILL_CODE_LEN];

	if (bg_os_random(NULL, bytes, sizeof(bytes)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		ret[i] = letters[bytes[i] % 32];
	ret[BG_DRILL_CODE_LEN] = '\0';
	return true;
}

static bool record(const struct subject *subject, const struct bg_drill_options *options,
	enum bg_event_id id, const char *reason, const char *result)
{
	char set[2 * BG_SET_ID_LEN + 1];
	struct bg_emitted emitted = { 0 };
	struct bg_event event = { .id = id,
		.host = subject->host.label,
		.account = subject->account,
		.reason = reason,
		.role = subject->host.role,
		.set = set,
		.epoch = subject->seal.epoch,
		.service = options->door,
		.result = result,
		.severity = subject->conf.severity };

	bg_hex_encode(subject->seal.set_id, BG_SET_ID_LEN, set);
	bg_log_event(subject->crypto, "bg-unlock", &event, false, &emitted);
	return bg_emitted_is_recorded(&emitted);
}

/* ---- waiting ---- */

static bool wait_for(pid_t child, int *status, int ms)
{
	uint64_t end = bg_clock_boot_ms() + (uint64_t)ms;

	for (;;) {
		pid_t got = waitpid(child, status, WNOHANG);

		if (got == child || (got < 0 && errno != EINTR))
			return true;
		if (bg_clock_boot_ms() >= end)
			return false;
		(void)poll(NULL, 0, TURN_MS);
	}
}

/* "" : it ended by itself. */
static const char *watch(pid_t child, const struct bg_drill_run *shared, uint64_t secs)
{
	const volatile struct bg_drill_run *run = shared;
	uint64_t start = bg_clock_boot_ms();
	const char *why = "";
	int status = 0;

	while (!wait_for(child, &status, TURN_MS)) {
		uint64_t now = bg_clock_boot_ms();

		if (is_stopped)
			why = "stopped by a signal";
		else if (!run->is_asking && now > run->turned_ms && now - run->turned_ms > HUNG_MS)
			why = "something in the door's stack does not answer";
		else if (now - start > secs * 1000)
			why = "the door's own time was over";
		if (why[0] == '\0')
			continue;
		(void)kill(child, SIGTERM);
		if (wait_for(child, &status, GRACE_MS))
			return why;
		(void)kill(child, SIGKILL);
		(void)waitpid(child, &status, 0);
		return why;
	}
	return WIFSIGNALED(status) ? "given up" : "";
}

static void run_child(const struct bg_drill_options *options, const struct subject *subject,
	struct bg_drill_run *run, pid_t parent)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)signal(numbers[i], SIG_DFL);
	if (getppid() == parent)
		bg_drill_go(subject->crypto, options, &subject->seal, run);
	exit(BG_EXIT_DONE);
}

static void catch_stop(void)
{
	struct sigaction action = { 0 };

	action.sa_handler = SIG_IGN; /* the child's: it ends at Ctrl-C, and we write that down */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGQUIT, &action, NULL);
	action.sa_handler = on_stop;
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

/* What it was about when it was ended from outside. */
static const char *next_of(const struct bg_drill_run *run)
{
	const char *last = run->step_count ? run->steps[run->step_count - 1].short_name : "";

	return last[0] == '\0'		      ? "key"
	       : strcmp(last, "key") == 0     ? "reason"
	       : strcmp(last, "grant") == 0   ? "account"
	       : strcmp(last, "account") == 0 ? "groups"
					      : "quorum";
}

/* Runs the child to its end. */
static void go(const struct bg_drill_options *options, const struct subject *subject,
	struct bg_drill_run *run)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	pid_t parent = getpid(), child;
	struct termios saved;
	bool has_saved = tty >= 0 && tcgetattr(tty, &saved) == 0;
	const char *why;

	catch_stop();
	(void)fflush(stdout);
	run->drill.started_ms = run->turned_ms = bg_clock_boot_ms();
	child = fork();
	if (child == 0)
		run_child(options, subject, run, parent);
	if (child < 0) {
		(void)snprintf(run->failed_at, sizeof(run->failed_at), "start");
		(void)snprintf(run->why, sizeof(run->why), "no process: %s", strerror(errno));
	} else {
		why = watch(child, run, strcmp(options->door, "breakglass-sshd") == 0 ? 900 : 600);
		if (why[0] != '\0' && !run->failed_at[0]) {
			run->is_good = false;
			(void)snprintf(run->failed_at, sizeof(run->failed_at), "%s", next_of(run));
			(void)snprintf(run->why, sizeof(run->why), "%s", why);
		}
	}
	if (run->is_marked) {
		bg_grants_drop(&run->drill.process);
		bg_drills_end(&run->drill.process);
	}
	if (has_saved)
		(void)tcsetattr(tty, TCSANOW, &saved);
	if (tty >= 0)
		(void)close(tty);
}

/* ---- the result ---- */

static uint64_t secs_of(uint64_t ms)
{
	return (ms + 500) / 1000;
}

static uint64_t total_ms(const struct bg_drill_run *run)
{
	return run->step_count ? run->steps[run->step_count - 1].at_ms - run->drill.started_ms : 0;
}

static const char *verdict(const struct bg_drill_run *run)
{
	if (!run->is_good)
		return "failed";
	return secs_of(total_ms(run)) > BG_DRILL_SECS ? "late" : "passed";
}

/* "id=2026-Q4 result=passed seconds=74 of=180 door=sshd offline=no steps=key:12,reason:9,...". The
   steps last: a record's result is cut at its end. */
static void put_result(const struct bg_drill_options *options, const struct bg_drill_run *run,
	char ret[static RESULT_LEN])
{
	uint64_t before = run->drill.started_ms;
	size_t used;

	(void)snprintf(ret, RESULT_LEN, "id=%s result=%s seconds=%llu of=%d door=%s offline=%s",
		options->id, verdict(run), (unsigned long long)secs_of(total_ms(run)),
		BG_DRILL_SECS, options->door, options->is_offline ? "yes" : "no");
	used = strlen(ret);
	if (!run->is_good)
		(void)snprintf(ret + used, RESULT_LEN - used, " failed at %s: %s;", run->failed_at,
			run->why);
	for (size_t i = 0; i < run->step_count; i++) {
		used = strlen(ret);
		(void)snprintf(ret + used, RESULT_LEN - used, "%s%s:%llu",
			i ? "," : " steps=", run->steps[i].short_name,
			(unsigned long long)secs_of(run->steps[i].at_ms - before));
		before = run->steps[i].at_ms;
	}
}

static void print_table(const struct subject *subject, const struct bg_drill_options *options,
	const struct bg_drill_run *run)
{
	uint64_t before = run->drill.started_ms;

	(void)printf("\nDRILL %s  %s@%s by the door %s%s\n", options->id, subject->account,
		subject->host.label, options->door, options->is_offline ? ", offline" : "");
	for (size_t i = 0; i < run->step_count; i++) {
		uint64_t ms = run->steps[i].at_ms - before;

		(void)printf("  %-28s %6llu.%llu s\n", run->steps[i].name,
			(unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
		before = run->steps[i].at_ms;
	}
	(void)printf("  %-28s %6llu s of %d\n", "in all",
		(unsigned long long)secs_of(total_ms(run)), BG_DRILL_SECS);
	if (!run->is_good)
		(void)printf("FAILED at %s: %s\n", run->failed_at, run->why);
	else
		(void)printf("%s; nothing was opened.\n",
			strcmp(verdict(run), "late") == 0 ? "LATE: the way works, but too slowly"
							  : "PASSED");
}

static void say_lock(struct bg_crypto *crypto, const char *account)
{
	struct bg_lock_state lock;

	bg_locks_look(crypto, account, &lock);
	if (lock.is_locked)
		(void)printf("%s is locked%s%s: a use's quorum lifts that, a drill's does not.\n\n",
			account, lock.lock.at[0] ? " since " : "", lock.lock.at);
}

static int drill(
	struct subject *subject, const struct bg_drill_options *options, struct bg_drill_run *run)
{
	char reason[BG_REASON_LEN + 1], result[RESULT_LEN], code[BG_DRILL_CODE_LEN + 1];

	if (!make_code(code))
		return bg_fail(BG_ERR_RANDOM, NULL, NULL);
	/* The reason stands in the part of an alert that each way carries whole. */
	(void)snprintf(reason, sizeof(reason), "confirm=%s of drill %s", code, options->id);
	(void)snprintf(result, sizeof(result), "id=%s door=%s offline=%s", options->id,
		options->door, options->is_offline ? "yes" : "no");
	if (!record(subject, options, BG_EV_DRILL_STARTED, reason, result)) {
		bg_error("the drill cannot be recorded, so it is none: the log takes nothing");
		bg_hint("bg-unlock check says why");
		return BG_EXIT_MACHINE;
	}
	(void)printf("DRILL %s: practice, nothing is opened. Its alert goes out now; who gets it\n"
		     "reads its code (confirm=) to you: bg-unlock drill --confirm CODE\n\n",
		options->id);
	say_lock(subject->crypto, subject->account);
	go(options, subject, run);
	put_result(options, run, result);
	print_table(subject, options, run);
	if (!record(subject, options, BG_EV_DRILL_ENDED, NULL, result)) {
		bg_error("the drill's end could not be recorded");
		return BG_EXIT_MACHINE;
	}
	return strcmp(verdict(run), "passed") == 0 ? BG_EXIT_DONE : BG_EXIT_NO;
}

/* In memory that the child writes and we read. */
static int drill_shared(struct subject *subject, const struct bg_drill_options *options)
{
	void *run = mmap(NULL, sizeof(struct bg_drill_run), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	if (run == MAP_FAILED)
		return bg_fail(BG_ERR_MEMORY, NULL, NULL);
	status = drill(subject, options, run);
	(void)munmap(run, sizeof(struct bg_drill_run));
	return status;
}

static int run_drill(struct bg_crypto *crypto, struct bg_drill_options *options)
{
	static struct subject subject;
	int status = bg_tree_open(&subject.tree, NULL, true), tty;

	subject.crypto = crypto;
	if (status == BG_EXIT_DONE)
		status = choose_account(&subject, options->account);
	if (status == BG_EXIT_DONE)
		status = load(&subject, options);
	if (status != BG_EXIT_DONE)
		return status;
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		bg_error("a drill is a person's: there is no terminal to ask at");
		return BG_EXIT_MACHINE;
	}
	(void)close(tty);
	options->account = subject.account;
	return drill_shared(&subject, options);
}

static int run_confirm(struct bg_crypto *crypto, const char *code)
{
	static struct bg_tree tree;
	int status = bg_tree_open(&tree, NULL, true);

	return status == BG_EXIT_DONE ? bg_drill_confirm(crypto, code) : status;
}

int bg_verb_drill(int argc, char **argv)
{
	static const struct option longs[] = { { "id", required_argument, NULL, 'i' },
		{ "account", required_argument, NULL, 'a' },
		{ "door", required_argument, NULL, 'd' }, { "offline", no_argument, NULL, 'o' },
		{ "confirm", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	struct bg_drill_options options = { .door = "sshd" };
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	const char *code = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'i')
			options.id = optarg;
		else if (c == 'a')
			options.account = optarg;
		else if (c == 'd')
			options.door = optarg;
		else if (c == 'o')
			options.is_offline = true;
		else if (c == 'c')
			code = optarg;
		else if (c == 'h')
			return bg_verb_help("drill");
		else
			return bg_usage("drill does not know that option");
	}
	if (optind != argc)
		return bg_usage("drill takes options only");
	if (!code == !options.id)
		return bg_usage("drill --id NAME, or drill --confirm CODE");
	if (options.id && !bg_drill_is_id(options.id))
		return bg_usage(
			"--id: at most %d letters, digits, '.', '_' and '-'", BG_DRILL_ID_LEN);
	crypto = bg_load_crypto();
	if (!crypto)
		return BG_EXIT_MACHINE;
	return code ? run_confirm(crypto, code) : run_drill(crypto, &options);
}

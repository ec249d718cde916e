/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host for the unchanged module: runs the phases of a PAM stack read from a folder
 * (pam_start_confdir) and lets a script on its standard input answer the conversation.
 *
 *   pam_login --confdir DIR --service NAME --user NAME [--tty T] [--rhost H] [--uid N]
 *             [--info TEXT] [--fork] [--rounds N] [--fault N] [--odd] [--wait] [PHASE...]
 *
 * Phases: auth account setcred open close, and pause, which waits for a line; by default the first
 * five. The first that fails ends the round. --fork: auth and account in a child, as sshd does.
 * --uid: real uid of the caller (su, sudo). --info: SSH_AUTH_INFO_0 in the PAM environment, as sshd
 * puts it there. It prints, a line each:
 *
 *   PROMPT hidden|shown JSON-STRING     and reads  = HEX (an answer), NULL, or FAIL
 *   INFO JSON-STRING  /  ERROR JSON-STRING
 *   RESULT PHASE NUMBER TEXT
 *   DATA systemd.runtime_max_sec VALUE   (from probe.c, where the stack has it)
 *   FDS BEFORE AFTER    and   HEAP BEFORE AFTER (bytes in use) at the end of each round
 *   STATE same, or STATE and what differs (snapshot.h)
 *   CALLS N FUNCTION    with --fault: the module's calls, and the one that failed (fault.h)
 *   WAIT                after `open`, until a line comes (a session that goes on)
 */
#include "fault.h"
#include "snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	const char *confdir, *service, *user, *tty, *rhost, *info;
	long uid;
	bool is_forked, is_waiting, is_faulty, is_odd;
	unsigned int rounds, fault;
	char **phases;
	int phase_count;
};

static void print_json(const char *word, const char *text)
{
	printf("%s \"", word);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	printf("\"\n");
	fflush(stdout);
}

/* The script's next line, at one place that is wiped: answers leave no copy in any buffer. */
static char line[3 << 20];

static bool read_line(void)
{
	size_t len = 0;

	while (len < sizeof(line) - 1) {
		ssize_t n = read(STDIN_FILENO, line + len, sizeof(line) - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		line[len] = '\0';
		if (line[len - 1] == '\n')
			return true;
	}
	return false;
}

/* "= 6869" to "hi"; NULL for anything that is no answer. */
static char *answer_decode(void)
{
	const char *hex = line + 1;
	char *answer;
	size_t len;

	if (line[0] != '=')
		return NULL;
	hex += *hex == ' ';
	len = strcspn(hex, "\n") / 2;
	answer = calloc(1, len + 1);
	for (size_t i = 0; answer != NULL && i < len; i++) {
		unsigned int byte = 0;

		sscanf((const char[3]){ hex[2 * i], hex[2 * i + 1] }, "%2x", &byte);
		answer[i] = (char)byte;
	}
	if (answer != NULL)
		fault_watch(answer, len);
	return answer;
}

static int ask(const struct pam_message *message, struct pam_response *response)
{
	int rc = PAM_SUCCESS;

	print_json(message->msg_style == PAM_PROMPT_ECHO_OFF ? "PROMPT hidden" : "PROMPT shown",
		message->msg);
	if (!read_line() || strncmp(line, "FAIL", 4) == 0)
		rc = PAM_CONV_ERR;
	else
		response->resp = answer_decode();
	explicit_bzero(line, strlen(line));
	return rc;
}

static int converse(
	int count, const struct pam_message **messages, struct pam_response **ret, void *arg)
{
	struct pam_response *responses = calloc((size_t)count, sizeof(*responses));
	int rc = PAM_SUCCESS;

	(void)arg;
	if (responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count && rc == PAM_SUCCESS; i++) {
		switch (messages[i]->msg_style) {
		case PAM_PROMPT_ECHO_OFF:
		case PAM_PROMPT_ECHO_ON:
			rc = ask(messages[i], &responses[i]);
			break;
		case PAM_TEXT_INFO:
			print_json("INFO", messages[i]->msg);
			break;
		default:
			print_json("ERROR", messages[i]->msg);
			break;
		}
	}
	if (rc != PAM_SUCCESS) {
		free(responses);
		return rc;
	}
	*ret = responses;
	return PAM_SUCCESS;
}

static void wait_line(void)
{
	printf("WAIT\n");
	fflush(stdout);
	if (!read_line())
		printf("ERROR \"no more input\"\n");
}

static int run_phase(pam_handle_t *pamh, const char *phase)
{
	int rc = PAM_ABORT;

	if (strcmp(phase, "pause") == 0) {
		wait_line();
		return PAM_SUCCESS;
	}
	if (strcmp(phase, "auth") == 0)
		rc = pam_authenticate(pamh, 0);
	else if (strcmp(phase, "account") == 0)
		rc = pam_acct_mgmt(pamh, 0);
	else if (strcmp(phase, "setcred") == 0)
		rc = pam_setcred(pamh, PAM_ESTABLISH_CRED);
	else if (strcmp(phase, "open") == 0)
		rc = pam_open_session(pamh, 0);
	else if (strcmp(phase, "close") == 0)
		rc = pam_close_session(pamh, 0);
	printf("RESULT %s %d %s\n", phase, rc, pam_strerror(pamh, rc));
	fflush(stdout);
	return rc;
}

static bool is_childs(const char *phase)
{
	return strcmp(phase, "auth") == 0 || strcmp(phase, "account") == 0;
}

/* auth and account in a child, the rest here: what sshd does with keyboard-interactive. */
static int run_forked(pam_handle_t *pamh, const struct options *options)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int rc = PAM_SUCCESS;

		for (int i = 0; i < options->phase_count && rc == PAM_SUCCESS; i++) {
			if (is_childs(options->phases[i]))
				rc = run_phase(pamh, options->phases[i]);
		}
		_exit(rc == PAM_SUCCESS ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return PAM_SYSTEM_ERR;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
}

static int run_round(const struct options *options)
{
	const struct pam_conv conv = { .conv = converse };
	pam_handle_t *pamh = NULL;
	int rc = pam_start_confdir(options->service, options->user, &conv, options->confdir, &pamh);

	if (rc != PAM_SUCCESS)
		return rc;
	if (options->tty != NULL)
		(void)pam_set_item(pamh, PAM_TTY, options->tty);
	if (options->rhost != NULL)
		(void)pam_set_item(pamh, PAM_RHOST, options->rhost);
	if (options->info != NULL) {
		char info[8192];

		(void)snprintf(info, sizeof(info), "SSH_AUTH_INFO_0=%s", options->info);
		(void)pam_putenv(pamh, info);
	}
	if (options->is_faulty) {
		if (fault_wrap("/pam_breakglass.so") == 0)
			return PAM_ABORT;
		fault_arm(options->fault);
	}
	if (options->is_forked)
		rc = run_forked(pamh, options);
	for (int i = 0; i < options->phase_count && rc == PAM_SUCCESS; i++) {
		if (options->is_forked && is_childs(options->phases[i]))
			continue;
		rc = run_phase(pamh, options->phases[i]);
		if (options->is_waiting && strcmp(options->phases[i], "open") == 0)
			wait_line();
	}
	if (options->is_faulty) {
		printf("CALLS %u %s\n", fault_calls(), fault_fired() != NULL ? fault_fired() : "-");
		if (fault_was_unwiped())
			printf("ERROR \"an answer was freed unwiped\"\n");
		fault_arm(0);
	}
	pam_end(pamh, rc);
	return rc;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* The first line that is not as it was, or "same". */
static void print_state(const char *before)
{
	static char after[SNAPSHOT_LEN];
	size_t i = 0, start = 0;

	snapshot_take(after);
	if (strcmp(before, after) == 0) {
		printf("STATE same\n");
		return;
	}
	for (; before[i] == after[i]; i++) {
		if (before[i] == '\n')
			start = i + 1;
	}
	printf("STATE %.*s\n", (int)strcspn(after + start, "\n"), after + start);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "confdir", required_argument, NULL, 'c' },
		{ "service", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ "tty", required_argument, NULL, 't' },
		{ "rhost", required_argument, NULL, 'h' },
		{ "uid", required_argument, NULL, 'i' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "fork", no_argument, NULL, 'f' },
		{ "wait", no_argument, NULL, 'w' },
		{ "fault", required_argument, NULL, 'x' },
		{ "odd", no_argument, NULL, 'o' },
		{ "info", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->confdir = optarg;
			break;
		case 's':
			options->service = optarg;
			break;
		case 'u':
			options->user = optarg;
			break;
		case 't':
			options->tty = optarg;
			break;
		case 'h':
			options->rhost = optarg;
			break;
		case 'i':
			options->uid = atol(optarg);
			break;
		case 'r':
			options->rounds = (unsigned int)atoi(optarg);
			break;
		case 'f':
			options->is_forked = true;
			break;
		case 'x':
			options->is_faulty = true;
			options->fault = (unsigned int)atoi(optarg);
			break;
		case 'e':
			options->info = optarg;
			break;
		case 'o':
			options->is_odd = true;
			break;
		case 'w':
			options->is_waiting = true;
			break;
		default:
			exit(2);
		}
	}
	if (optind < argc) {
		options->phases = argv + optind;
		options->phase_count = argc - optind;
	}
}

int main(int argc, char **argv)
{
	static char auth[] = "auth", account[] = "account", setcred[] = "setcred";
	static char open[] = "open", close[] = "close";
	static char *all[] = { auth, account, setcred, open, close };
	struct options options = { .confdir = "pam.d",
		.service = "login",
		.uid = -1,
		.rounds = 1,
		.phases = all,
		.phase_count = 5 };
	int rc = PAM_ABORT;

	parse(argc, argv, &options);
	if (options.uid >= 0 && setresuid((uid_t)options.uid, 0, 0) != 0) {
		perror("setresuid");
		return 2;
	}
	if (options.is_odd)
		snapshot_make_odd(!options.is_forked);
	for (unsigned int i = 0; i < options.rounds; i++) {
		static char before[SNAPSHOT_LEN];
		int fds = count_fds();
		size_t heap = mallinfo2().uordblks;

		snapshot_take(before);
		rc = run_round(&options);
		print_state(before);
		printf("FDS %d %d\nHEAP %zu %zu\n", fds, count_fds(), heap, mallinfo2().uordblks);
		fflush(stdout);
	}
	return rc == PAM_SUCCESS ? 0 : 1;
}

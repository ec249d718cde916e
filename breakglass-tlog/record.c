/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ends of a recorded shell. Signals say at the inner one's pipe: 'b' it begins, 'e' it
   ended by itself; tlog closes descriptors, so the pipes are opened by their path in /proc. */
#include "tlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TLOG	 "/usr/bin/tlog-rec"
#define SELF	 "/usr/libexec/breakglass/breakglass-tlog"
#define SHELL	 "/bin/bash"
#define START_MS 2000
#define LOOK_MS	 50 /* where the journal is waited for, or the kernel has no pidfd */
#define PATH_LEN 64

struct recording {
	struct tlog_sender sender;
	int data[2], marks[2], ended;
	pid_t pid;
	bool has_begun, has_ended, is_late;
	int64_t start_ms;
};

/* What a key or a hang-up of the terminal sends is for the shell. */
static void each_signal(void (*what)(int))
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], what);
}

static int64_t now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int tlog_shell(const char *path)
{
	int marks = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK), status = 0;
	pid_t pid;

	each_signal(SIG_IGN);
	if (marks < 0)
		return 1;
	if (write(marks, "b", 1) != 1) {
		(void)close(marks);
		return 1;
	}
	(void)fputs("What this terminal shows is recorded (what is typed is not).\r\n", stderr);
	pid = fork();
	if (pid == 0) {
		each_signal(SIG_DFL);
		(void)execl(SHELL, "-bash", (char *)NULL);
		_exit(127);
	}
	if (pid < 0) {
		(void)close(marks);
		return 1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* a shell that could not be started did not end by itself */
	if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
		(void)!write(marks, "e", 1);
	(void)close(marks);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* In the child. Only what the terminal shows is kept: what is typed may be a password. */
static void become_tlog(const struct recording *r)
{
	char data[PATH_LEN], marks[PATH_LEN], option[PATH_LEN + 16];

	(void)snprintf(data, sizeof(data), "/proc/%ld/fd/%d", (long)getppid(), r->data[1]);
	(void)snprintf(marks, sizeof(marks), "/proc/%ld/fd/%d", (long)getppid(), r->marks[1]);
	(void)snprintf(option, sizeof(option), "--file-path=%s", data);
	each_signal(SIG_DFL);
	(void)setenv("BREAKGLASS_TLOG", "1", 1); /* the shell inside records itself no more */
	(void)unsetenv("TLOG_REC_CONF_FILE");
	(void)unsetenv("TLOG_REC_CONF_TEXT");
	(void)execl(TLOG, TLOG, "--writer=file", option, "--latency=2", "--log-input=off",
		"--log-output=on", "--log-window=on", "--limit-rate=65536", "--limit-burst=1048576",
		"--limit-action=drop", SELF, "--shell", marks, (char *)NULL);
	_exit(127);
}

static bool start(struct recording *r)
{
	if (pipe2(r->data, O_CLOEXEC | O_NONBLOCK) != 0 ||
		pipe2(r->marks, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	r->start_ms = now_ms();
	r->pid = fork();
	if (r->pid == 0)
		become_tlog(r);
	if (r->pid > 0)
		r->ended = pidfd_open(r->pid, 0);
	return r->pid > 0;
}

static void take_data(struct recording *r)
{
	char bytes[8192];
	ssize_t n;

	while ((n = read(r->data[0], bytes, sizeof(bytes))) > 0)
		tlog_send(&r->sender, bytes, (size_t)n);
}

static void take_marks(struct recording *r)
{
	char mark;

	while (read(r->marks[0], &mark, 1) == 1) {
		r->has_begun |= mark == 'b';
		r->has_ended |= mark == 'e';
	}
}

/* Until tlog ended. */
static void attend(struct recording *r)
{
	struct pollfd polls[] = { { .fd = r->data[0], .events = POLLIN },
		{ .fd = r->marks[0], .events = POLLIN }, { .fd = r->ended, .events = POLLIN } };
	int status;

	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		int64_t left = r->start_ms + START_MS - now_ms();
		int wait = r->ended < 0 || !tlog_flush(&r->sender) ? LOOK_MS : -1;

		if (!r->has_begun && left <= 0 && !r->is_late) {
			r->is_late = true;
			(void)kill(r->pid, SIGKILL);
		} else if (!r->has_begun && !r->is_late && (wait < 0 || left < wait)) {
			wait = (int)left;
		}
		(void)poll(polls, 3, wait);
		take_data(r);
		take_marks(r);
	}
	take_data(r);
	take_marks(r);
	tlog_finish(&r->sender);
}

static const char *why(const struct recording *r)
{
	if (access(TLOG, X_OK) != 0)
		return "tlog is not installed";
	if (r->pid <= 0)
		return "no process or pipe is to be had";
	if (r->is_late)
		return "tlog did not start within two seconds";
	return r->has_begun ? "tlog ended before the shell did" : "tlog did not start";
}

bool tlog_record(void)
{
	static struct recording r = { .data = { -1, -1 }, .marks = { -1, -1 }, .ended = -1 };
	struct termios modes;
	bool has_modes = tcgetattr(STDIN_FILENO, &modes) == 0;

	tlog_sender_open(&r.sender);
	each_signal(SIG_IGN);
	if (access(TLOG, X_OK) == 0 && start(&r))
		attend(&r);
	if (has_modes)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	if (r.sender.lost)
		tlog_tell(&r.sender, 4, "%lu messages of the recording were not taken, %lu were",
			r.sender.lost, r.sender.sent);
	if (r.has_ended)
		return true;
	tlog_tell(&r.sender, 4, "this session goes on unrecorded by tlog: %s", why(&r));
	(void)fprintf(
		stderr, "\r\nNot recorded by tlog from here: %s. Go on as usual.\r\n", why(&r));
	return false;
}

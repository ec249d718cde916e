/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One a session, started by pam_breakglass when it opens one: warns, ends it at
 * its deadline or when it is revoked, with all that it started, and goes when
 * nobody of it is left. Keeps root, because it must end root's processes too;
 * takes no argument, opens no network, believes only the session's file.
 */
#include "watch.h"

#include <breakglass/conf.h>
#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/os_group.h>
#include <breakglass/paths.h>
#include <breakglass/secret.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ORDER_MS 5000

static bool read_order(struct bg_watch_order *ret)
{
	uint8_t message[BG_WATCH_ORDER_LEN];
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&p, 1, ORDER_MS) <= 0 ||
		read(STDIN_FILENO, message, sizeof(message)) != (ssize_t)sizeof(message))
		return false;
	bg_watch_order_read(message, ret);
	return ret->leader.pid > 0;
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

/* What the account can do without root must not stop us: no memory that it fills, no busy
   processor. Out of the session's own audit session, so that we are none of those we look for; out
   of its control group, because a getty's unit, restarted when its login ends, kills all that is
   left in it, and so would whatever unit started sshd. False: we must not freeze any group. */
static bool stand_apart(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE };

	(void)umask(077);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	put_text("/proc/self/oom_score_adj", "-1000");
	put_text("/proc/self/loginuid", "4294967295");
	(void)setpriority(PRIO_PROCESS, 0, -10);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return bg_group_stand_apart();
}

static int severity(void)
{
	static char text[BG_INI_FILE_LEN + 1];
	struct bg_diag diag = { 0 };
	struct bg_conf conf;
	size_t len = 0;

	bg_conf_defaults(&conf);
	if (bg_file_read(BG_PATH_CONF, 0, text, sizeof(text), &len, &diag) == BG_OK)
		bg_conf_parse(text, len, BG_PATH_CONF, &conf);
	return conf.severity;
}

/* The leader by a descriptor, if it is still the process that opened the session. */
static int open_leader(const struct bg_process *leader)
{
	int fd = (int)syscall(SYS_pidfd_open, leader->pid, 0);
	struct bg_process now;

	if (fd < 0)
		return -1;
	if (bg_process_get(leader->pid, &now) == BG_OK && now.start_ticks == leader->start_ticks)
		return fd;
	(void)close(fd);
	return -1;
}

static bool begin(struct watch *watch, const struct bg_watch_order *order)
{
	char boot_id[BG_BOOT_ID_LEN + 1];

	if (bg_sessions_get(watch->crypto, order->audit_session, &watch->session) != BG_OK ||
		watch->session.audit_session != order->audit_session ||
		watch->session.opened_ms != order->opened_ms ||
		bg_clock_boot_id(boot_id) != BG_OK || strcmp(boot_id, watch->session.boot_id) != 0)
		return false;
	watch->herd.audit_session = order->audit_session;
	watch->herd.uid = watch->session.uid;
	watch->herd.leader = order->leader;
	watch->deadline_ms = watch->session.deadline_ms;
	watch->leader_fd = open_leader(&order->leader);
	watch->severity = severity();
	if (watch->leader_fd < 0)
		return false;
	bg_group_enter(order->audit_session, watch->herd.uid, order->leader.pid);
	return true;
}

/* From here on nothing of the login's is held. */
static bool say_ready(void)
{
	const char ready = BG_WATCH_READY;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || write(STDOUT_FILENO, &ready, 1) != 1)
		return false;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
	return true;
}

int main(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct watch watch = { .leader_fd = -1 };
	struct bg_watch_order order = { 0 };

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "breakglass-watchdog: error: takes no argument; "
				      "pam_breakglass starts it\n");
		return 2;
	}
	watch.herd.may_freeze = stand_apart();
	crypto = bg_crypto_open();
	watch.crypto = crypto;
	if (crypto == NULL || !read_order(&order) || !begin(&watch, &order) || !say_ready())
		return 3;
	watch_beside_begin(&watch);
	watch_run(&watch);
	bg_group_remove(watch.herd.audit_session);
	return 0;
}

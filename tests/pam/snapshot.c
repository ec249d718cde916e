/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot.h"

#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void add(char *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(char *ret, const char *fmt, ...)
{
	size_t len = strlen(ret);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ret + len, SNAPSHOT_LEN - len, fmt, ap);
	va_end(ap);
}

static void add_ids(char *ret)
{
	uid_t r, e, s;
	gid_t groups[64];
	int n = getgroups(64, groups);

	if (getresuid(&r, &e, &s) == 0)
		add(ret, "uid %u %u %u\n", r, e, s);
	if (getresgid(&r, &e, &s) == 0)
		add(ret, "gid %u %u %u\n", r, e, s);
	for (int i = 0; i < n; i++)
		add(ret, "group %u\n", groups[i]);
	add(ret, "session %d %d\n", (int)getsid(0), (int)getpgrp());
}

static void add_signals(char *ret)
{
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction action = { 0 };

		if (sigaction(i, NULL, &action) == 0)
			add(ret, "signal %d %lx %x %d\n", i,
				(unsigned long)(uintptr_t)action.sa_handler,
				(unsigned int)action.sa_flags, sigismember(&mask, i));
	}
	add(ret, "alarm %u\n", alarm(0));
}

static void add_rest(char *ret)
{
	char cwd[4096] = "";
	mode_t mask = umask(0);
	struct rlimit limit;

	(void)umask(mask);
	add(ret, "umask %o\ncwd %s\n", mask, getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			add(ret, "limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
				(unsigned long long)limit.rlim_max);
	}
	add(ret, "locale %s\n", setlocale(LC_ALL, NULL));
	add(ret, "dumpable %d nonewprivs %d\n", prctl(PR_GET_DUMPABLE),
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	for (char **e = environ; e != NULL && *e != NULL; e++)
		add(ret, "env %s\n", *e);
}

void snapshot_take(char ret[static SNAPSHOT_LEN])
{
	ret[0] = '\0';
	add_ids(ret);
	add_signals(ret);
	add_rest(ret);
}

static void nothing(int number)
{
	(void)number;
}

void snapshot_make_odd(bool may_ignore_children)
{
	const gid_t groups[] = { 7, 8, 9 };
	const struct rlimit files = { 48, 48 };
	sigset_t mask;

	(void)umask(0777);
	if (may_ignore_children)
		(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGUSR2, nothing);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &mask, NULL);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (setgroups(3, groups) != 0 || chdir("/tmp") != 0)
		exit(2);
	(void)setlocale(LC_ALL, "C.UTF-8");
}

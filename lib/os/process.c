/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc says of a process and of its audit session. */
#include <breakglass/os_clock.h>

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNSET_SESSION 4294967295UL

/* The number at *p, which is moved behind it and the blank; digits only, no locale. */
static bool next_number(const char **p, uint64_t *ret)
{
	uint64_t v = 0;
	const char *s = *p;

	if (*s == '-')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(v, 10U, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	if (*s == ' ')
		s++;
	*p = s;
	*ret = v;
	return true;
}

enum bg_err bg_process_more(pid_t pid, struct bg_process_more *ret)
{
	char path[32], buf[1024];
	const char *p;
	uint64_t field = 0, parent = 0, tty = 0, threads = 0;
	char state;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || bg_io_read_small(path, true, buf, sizeof(buf)) <= 0)
		return BG_ERR_NOENT;
	/* The name in parentheses may hold anything; the last one ends it. */
	p = strrchr(buf, ')');
	if (p == NULL || strlen(p) < 4)
		return BG_ERR_SYNTAX;
	state = p[2];
	p += 4;				/* ") S " */
	for (int i = 4; i <= 22; i++) { /* proc(5): 4 is ppid, 22 starttime */
		if (!next_number(&p, &field))
			return BG_ERR_SYNTAX;
		if (i == 4)
			parent = field;
		if (i == 7)
			tty = field;
		if (i == 20)
			threads = field;
	}
	ret->process =
		(struct bg_process){ .pid = pid, .parent = (pid_t)parent, .start_ticks = field };
	/* The state is the first thread's, which may end before the others: those live. */
	ret->is_zombie = (state == 'Z' || state == 'X') && threads <= 1;
	ret->tty = (uint32_t)tty;
	return BG_OK;
}

enum bg_err bg_process_get(pid_t pid, struct bg_process *ret)
{
	struct bg_process_more more;
	enum bg_err err = bg_process_more(pid, &more);

	if (err == BG_OK)
		*ret = more.process;
	return err;
}

enum bg_err bg_process_self(struct bg_process *ret)
{
	return bg_process_get(getpid(), ret);
}

uint64_t bg_process_age_secs(const struct bg_process *process)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t started = hz > 0 ? process->start_ticks / (uint64_t)hz : 0;
	uint64_t now = bg_clock_boot_ms() / 1000;

	return now > started ? now - started : 0;
}

/* A file of /proc with one number that is not "unset". */
static enum bg_err audit_number(const char *path, uint32_t *ret)
{
	char buf[32];
	const char *p = buf;
	uint64_t v = 0;

	if (bg_io_read_small(path, true, buf, sizeof(buf)) <= 0 || !next_number(&p, &v) ||
		buf[0] == '-' || (*p != '\0' && *p != '\n') || v >= UNSET_SESSION)
		return BG_ERR_NOENT;
	*ret = (uint32_t)v;
	return BG_OK;
}

enum bg_err bg_audit_session(uint32_t *ret)
{
	return audit_number("/proc/self/sessionid", ret);
}

enum bg_err bg_audit_login(uint32_t *ret)
{
	return audit_number("/proc/self/loginuid", ret);
}

enum bg_err bg_audit_session_of(uint32_t uid, uint32_t *ret)
{
	uint32_t session = 0, login = 0;
	enum bg_err err = bg_audit_session(&session);

	if (err == BG_OK)
		err = audit_number("/proc/self/loginuid", &login);
	if (err != BG_OK)
		return err;
	if (login != uid)
		return BG_ERR_MISMATCH;
	*ret = session;
	return BG_OK;
}

enum bg_err bg_process_audit(pid_t pid, uint32_t *ret_session, uint32_t *ret_login)
{
	char path[48];
	uint32_t session = 0, login = 0;
	enum bg_err err;

	(void)snprintf(path, sizeof(path), "/proc/%d/sessionid", (int)pid);
	err = audit_number(path, &session);
	if (err != BG_OK)
		return err;
	(void)snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
	err = audit_number(path, &login);
	if (err != BG_OK)
		return err;
	*ret_session = session;
	*ret_login = login;
	return BG_OK;
}

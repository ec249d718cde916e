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

enum bg_err bg_process_get(pid_t pid, struct bg_process *ret)
{
	char path[32], buf[1024];
	const char *p;
	uint64_t field = 0, parent = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || bg_io_read_small(path, true, buf, sizeof(buf)) <= 0)
		return BG_ERR_NOENT;
	/* The name in parentheses may hold anything; the last one ends it. */
	p = strrchr(buf, ')');
	if (p == NULL || strlen(p) < 4)
		return BG_ERR_SYNTAX;
	p += 4;				/* ") S " */
	for (int i = 4; i <= 22; i++) { /* proc(5): 4 is ppid, 22 starttime */
		if (!next_number(&p, &field))
			return BG_ERR_SYNTAX;
		if (i == 4)
			parent = field;
	}
	ret->pid = pid;
	ret->parent = (pid_t)parent;
	ret->start_ticks = field;
	return BG_OK;
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

enum bg_err bg_audit_session(uint32_t *ret)
{
	char buf[32];
	const char *p = buf;
	uint64_t v = 0;

	if (bg_io_read_small("/proc/self/sessionid", true, buf, sizeof(buf)) <= 0 ||
		!next_number(&p, &v) || buf[0] == '-' || (*p != '\0' && *p != '\n') ||
		v >= UNSET_SESSION)
		return BG_ERR_NOENT;
	*ret = (uint32_t)v;
	return BG_OK;
}

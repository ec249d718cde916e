/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_ways.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmp.h>

#define RECORDS_MAX 8192
#define BLOCK	    64 /* records */

/* What may be shown, and may be an argument and a file's name. */
static bool is_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '-' || name[0] == '.')
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '/')
			return false;
	return true;
}

static bool is_emergency(const char *accounts, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", accounts, name);
	return access(path, F_OK) == 0;
}

static void take(
	const struct utmp *entry, const char *accounts, int64_t until, struct bg_ordinary *ret)
{
	struct bg_ordinary found = { .time = entry->ut_tv.tv_sec };

	_Static_assert(sizeof(entry->ut_user) == BG_LOGIN_NAME_LEN, "utmp(5)");
	memcpy(found.name, entry->ut_user, BG_LOGIN_NAME_LEN);
	if (entry->ut_type == USER_PROCESS && found.time > ret->time && found.time <= until &&
		is_name(found.name) && !is_emergency(accounts, found.name))
		*ret = found;
}

/* In no order: utmp's records are not in one, nor wtmp's where the clock was set. */
static void search(int fd, off_t size, const char *accounts, int64_t until, struct bg_ordinary *ret)
{
	const off_t len = sizeof(struct utmp);
	struct utmp block[BLOCK];
	off_t end = size / len;
	off_t at = end > RECORDS_MAX ? end - RECORDS_MAX : 0;

	while (at < end) {
		size_t count = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		ssize_t n = pread(fd, block, count * sizeof(block[0]), at * len);

		if (n != (ssize_t)(count * sizeof(block[0])))
			return; /* cut shorter meanwhile */
		for (size_t i = 0; i < count; i++)
			take(&block[i], accounts, until, ret);
		at += (off_t)count;
	}
}

void bg_ordinary_find(
	const char *path, const char *accounts, int64_t until, struct bg_ordinary *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		search(fd, st.st_size, accounts, until, ret);
	(void)close(fd);
}

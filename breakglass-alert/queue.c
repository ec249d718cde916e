/* SPDX-License-Identifier: BSD-2-Clause */
/* The spool's folders, as the unprivileged side sees them. */
#include "alert.h"

#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum bg_err open_folder(int spool, const char *name, int *ret, struct bg_diag *diag)
{
	*ret = openat(spool, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret >= 0)
		return BG_OK;
	if (diag)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, name, "a folder of the spool " BG_PATH_SPOOL);
}

enum bg_err bg_folders_open(struct bg_folders *ret, struct bg_diag *diag)
{
	int spool = open(BG_PATH_SPOOL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum bg_err err;

	if (spool < 0) {
		if (diag)
			diag->sys_errno = errno;
		return bg_diag_set(diag, BG_ERR_IO, BG_PATH_SPOOL, "cannot be opened");
	}
	err = open_folder(spool, "new", &ret->new, diag);
	if (err == BG_OK)
		err = open_folder(spool, "deferred", &ret->deferred, diag);
	if (err == BG_OK)
		err = open_folder(spool, "handlers", &ret->handlers, diag);
	if (err == BG_OK)
		err = open_folder(spool, "told", &ret->told, diag);
	(void)close(spool);
	return err;
}

/* Calls each for every alert in folder dir, in no order. */
static void each_alert(int dir, void (*each)(void *arg, const char *name, uint64_t id), void *arg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	uint64_t id;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while ((entry = readdir(d)) != NULL)
		if (bg_spool_id(entry->d_name, &id))
			each(arg, entry->d_name, id);
	(void)closedir(d);
}

struct move {
	const struct bg_folders *folders;
	bool has_failed;
};

static void move_one(void *arg, const char *name, uint64_t id)
{
	struct move *move = arg;

	(void)id;
	if (renameat(move->folders->new, name, move->folders->deferred, name) != 0)
		move->has_failed = true;
}

bool bg_queue_take_new(const struct bg_folders *folders)
{
	struct move move = { .folders = folders };

	each_alert(folders->new, move_one, &move);
	return !move.has_failed;
}

struct lowest {
	uint64_t above, id;
};

static void find_lowest(void *arg, const char *name, uint64_t id)
{
	struct lowest *lowest = arg;

	(void)name;
	if (id > lowest->above && (lowest->id == 0 || id < lowest->id))
		lowest->id = id;
}

uint64_t bg_queue_next(const struct bg_folders *folders, uint64_t done)
{
	struct lowest lowest = { .above = done };

	each_alert(folders->deferred, find_lowest, &lowest);
	return lowest.id;
}

struct drop {
	int dir;
	uint64_t done;
};

static void drop_one(void *arg, const char *name, uint64_t id)
{
	const struct drop *drop = arg;

	if (id <= drop->done)
		(void)unlinkat(drop->dir, name, 0);
}

void bg_queue_drop(const struct bg_folders *folders, uint64_t done)
{
	struct drop drop = { .dir = folders->deferred, .done = done };

	each_alert(folders->deferred, drop_one, &drop);
}

enum bg_err bg_queue_read(const struct bg_folders *folders, uint64_t id, char *ret, size_t *ret_len)
{
	char name[BG_SPOOL_NAME_LEN];
	struct stat st;
	ssize_t n;
	int fd;

	bg_spool_name(id, name);
	fd = openat(folders->deferred, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return BG_ERR_IO;
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, ret, BG_ALERT_MAX_LEN, 0) : -1;
	(void)close(fd);
	if (n <= 0)
		return BG_ERR_IO;
	*ret_len = (size_t)n;
	return BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".part"

static enum bg_err fail(struct bg_diag *diag, const char *path, const char *what)
{
	int saved = errno;

	if (diag)
		diag->sys_errno = saved == EEXIST ? 0 : saved;
	return bg_diag_set(diag, saved == EEXIST ? BG_ERR_DUPLICATE : BG_ERR_IO, path, "%s", what);
}

static void part_of(const struct bg_pending *pending, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s" PART, pending->path);
}

/* The folder that path is in. */
static void folder_of(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		(void)snprintf(ret, size, ".");
	else
		(void)snprintf(ret, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

enum bg_err bg_pending_open(struct bg_pending *ret, const char *path, struct bg_diag *diag)
{
	char other[BG_PENDING_PATH_LEN + sizeof(PART)];
	struct stat st;

	*ret = (struct bg_pending){ .fd = -1 };
	if (strlen(path) >= sizeof(ret->path))
		return bg_diag_set(diag, BG_ERR_TOO_BIG, path, "a path");
	(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
	if (lstat(path, &st) == 0) {
		errno = EEXIST;
		return fail(diag, path, "is there already, and is never overwritten");
	}
	folder_of(path, other, sizeof(other));
	ret->fd = open(other, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (ret->fd >= 0)
		return BG_OK;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return fail(diag, path, "cannot be made");
	part_of(ret, other, sizeof(other));
	ret->fd = open(other, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	ret->is_named = ret->fd >= 0;
	return ret->fd >= 0 ? BG_OK : fail(diag, other, "cannot be made");
}

enum bg_err bg_pending_keep(struct bg_pending *pending, struct bg_diag *diag)
{
	char from[BG_PENDING_PATH_LEN + sizeof(PART)];
	int status = fsync(pending->fd);
	enum bg_err err;

	if (pending->is_named)
		part_of(pending, from, sizeof(from));
	else
		(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", pending->fd);
	if (status == 0)
		status = linkat(AT_FDCWD, from, AT_FDCWD, pending->path,
			pending->is_named ? 0 : AT_SYMLINK_FOLLOW);
	err = status == 0 ? BG_OK : fail(diag, pending->path, "cannot be given its name");
	bg_pending_drop(pending);
	return err;
}

void bg_pending_drop(struct bg_pending *pending)
{
	char part[BG_PENDING_PATH_LEN + sizeof(PART)];

	if (pending->path[0] == '\0' || pending->fd < 0)
		return;
	part_of(pending, part, sizeof(part));
	if (pending->is_named)
		(void)unlink(part);
	(void)close(pending->fd);
	pending->fd = -1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_file.h>

#include "io.h"

#include <breakglass/os_random.h>
#include <breakglass/bytes.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum bg_err fail(struct bg_diag *diag, const char *path, enum bg_err err, const char *what)
{
	if (diag != NULL)
		diag->sys_errno = err == BG_ERR_IO ? errno : 0;
	return bg_diag_set(diag, err, path, "%s", what);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* A descriptor that is closed when it leaves scope. */
#define BG_FD __attribute__((cleanup(close_fd))) int

static bool is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static bool is_safe_folder(const struct stat *st)
{
	return is_ours(st->st_uid) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Opens the folder of path, each component without following a link; *name is what is left. */
static enum bg_err open_folder(
	const char *path, unsigned int flags, const char **name, int *ret, struct bg_diag *diag)
{
	const int how = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const char *p = path, *slash;
	int dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return fail(diag, path, BG_ERR_IO, "the folder cannot be opened");
	while (*p == '/')
		p++;
	for (; (slash = strchr(p, '/')) != NULL; p = slash) {
		char part[NAME_MAX + 1];
		size_t len = (size_t)(slash - p);
		int next;

		if (len > NAME_MAX) {
			(void)close(dir);
			return fail(diag, path, BG_ERR_UNSAFE, "a shorter name");
		}
		memcpy(part, p, len);
		part[len] = '\0';
		/* A command's own argument may pass through links; nothing of ours may. */
		next = openat(
			dir, part, (flags & BG_FILE_ANY_FOLDER) != 0 ? how & ~O_NOFOLLOW : how);
		(void)close(dir);
		if (next < 0)
			return errno == ENOENT ? fail(diag, path, BG_ERR_NOENT, "no such folder")
			       : errno == ENOTDIR || errno == ELOOP
				       ? fail(diag, path, BG_ERR_UNSAFE, "a folder that is no link")
				       : fail(diag, path, BG_ERR_IO, "the folder cannot be opened");
		dir = next;
		if ((flags & BG_FILE_ANY_FOLDER) == 0 &&
			(fstat(dir, &st) != 0 || !is_safe_folder(&st))) {
			(void)close(dir);
			return fail(diag, path, BG_ERR_UNSAFE,
				"each folder root's and not writable by others");
		}
		while (*slash == '/')
			slash++;
	}
	*name = p;
	*ret = dir;
	return BG_OK;
}

static enum bg_err judge_file(
	int fd, const char *path, unsigned int flags, size_t size, struct bg_diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(diag, path, BG_ERR_IO, "the file cannot be examined");
	if (!S_ISREG(st.st_mode))
		return fail(diag, path, BG_ERR_UNSAFE, "a regular file");
	if ((flags & BG_FILE_ANY_OWNER) == 0) {
		if (!is_ours(st.st_uid))
			return fail(diag, path, BG_ERR_UNSAFE, "a file of root's");
		/* None left is fine: it was replaced since it was opened, and is the old one. */
		if (st.st_nlink > 1)
			return fail(
				diag, path, BG_ERR_UNSAFE, "a file without a second (hard) link");
		if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
			return fail(diag, path, BG_ERR_UNSAFE, "a file that others cannot write");
	}
	if ((flags & BG_FILE_PRIVATE) != 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return fail(diag, path, BG_ERR_UNSAFE, "mode 0600");
	if (st.st_size < 0 || (size_t)st.st_size >= size)
		return fail(diag, path, BG_ERR_TOO_BIG, "a smaller file");
	return BG_OK;
}

static enum bg_err read_all(
	int fd, const char *path, char *buf, size_t size, size_t *ret_len, struct bg_diag *diag)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(diag, path, BG_ERR_IO, "the file cannot be read");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len == size) /* grew since it was examined */
		return fail(diag, path, BG_ERR_TOO_BIG, "a smaller file");
	buf[len] = '\0';
	*ret_len = len;
	return BG_OK;
}

enum bg_err bg_file_read(const char *path, unsigned int flags, char *buf, size_t size,
	size_t *ret_len, struct bg_diag *diag)
{
	BG_FD dir = -1;
	BG_FD fd = -1;
	const char *name = "";
	enum bg_err err = open_folder(path, flags, &name, &dir, diag);

	if (err != BG_OK)
		return err;
	fd = openat(dir, name,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
			((flags & BG_FILE_ANY_FOLDER) != 0 ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return errno == ENOENT ? fail(diag, path, BG_ERR_NOENT, "no such file")
		       : errno == ELOOP || errno == ENXIO
			       ? fail(diag, path, BG_ERR_UNSAFE, "a regular file, no link")
			       : fail(diag, path, BG_ERR_IO, "the file cannot be opened");
	err = judge_file(fd, path, flags, size, diag);
	if (err != BG_OK)
		return err;
	return read_all(fd, path, buf, size, ret_len, diag);
}

#define TEMP_LEN 32

/* A new file beside the one to be replaced, with a name that nobody can have taken. */
static enum bg_err make_temp(int dir, mode_t mode, char temp[static TEMP_LEN], int *ret)
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];
	int fd;

	if (bg_os_random(NULL, random, sizeof(random)) != 0)
		return BG_ERR_RANDOM;
	bg_hex_encode(random, sizeof(random), hex);
	(void)snprintf(temp, TEMP_LEN, ".new-%s", hex);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return BG_ERR_IO;
	/* The host's umask is not ours to change, so the mode is set. */
	if (mode != 0600 && fchmod(fd, mode) != 0) {
		(void)close(fd);
		(void)unlinkat(dir, temp, 0);
		return BG_ERR_IO;
	}
	*ret = fd;
	return BG_OK;
}

static enum bg_err place(int dir, const char *temp, const char *name, unsigned int flags)
{
	if ((flags & BG_FILE_EXCLUSIVE) == 0)
		return renameat(dir, temp, dir, name) == 0 ? BG_OK : BG_ERR_IO;
	/* Not link and unlink: killed in between, the file would keep two names, and a file with
	   two names is never read. */
	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) == 0)
		return BG_OK;
	if (errno != EINVAL && errno != ENOSYS)
		return errno == EEXIST ? BG_ERR_DUPLICATE : BG_ERR_IO;
	/* a file system that cannot do better */
	if (linkat(dir, temp, dir, name, 0) != 0)
		return errno == EEXIST ? BG_ERR_DUPLICATE : BG_ERR_IO;
	(void)unlinkat(dir, temp, 0);
	return BG_OK;
}

/* O_PATH descriptors cannot be synced. */
static void sync_folder(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

enum bg_err bg_file_replace(const char *path, unsigned int flags, mode_t mode, const void *data,
	size_t len, struct bg_diag *diag)
{
	BG_FD dir = -1;
	BG_FD fd = -1;
	const char *name = "";
	char temp[TEMP_LEN];
	enum bg_err err = open_folder(path, flags, &name, &dir, diag);

	if (err != BG_OK)
		return err;
	err = make_temp(dir, mode, temp, &fd);
	if (err != BG_OK)
		return fail(diag, path, err, "a folder that can be written");
	err = bg_io_write_all(fd, data, len);
	if (err == BG_OK && fsync(fd) != 0)
		err = BG_ERR_IO;
	if (err == BG_OK)
		err = place(dir, temp, name, flags);
	if (err != BG_OK) {
		int saved = errno;

		(void)unlinkat(dir, temp, 0);
		errno = saved;
		return fail(diag, path, err,
			err == BG_ERR_DUPLICATE ? "no such file yet; it is not overwritten"
						: "the file cannot be written");
	}
	sync_folder(dir);
	return BG_OK;
}

bool bg_path_exists(const char *path, int *ret_errno)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		*ret_errno = errno;
		return false;
	}
	*ret_errno = 0;
	return true;
}

enum bg_err bg_folder_check(const char *path, struct bg_diag *diag)
{
	BG_FD dir = -1;
	const char *name = "";
	struct stat st;
	enum bg_err err = open_folder(path, 0, &name, &dir, diag);

	if (err != BG_OK)
		return err;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? fail(diag, path, BG_ERR_NOENT, "no such folder")
				       : fail(diag, path, BG_ERR_IO, "it cannot be examined");
	if (!S_ISDIR(st.st_mode))
		return fail(diag, path, BG_ERR_UNSAFE, "a folder that is no link");
	if (!is_safe_folder(&st))
		return fail(diag, path, BG_ERR_UNSAFE, "root's and not writable by others");
	return BG_OK;
}

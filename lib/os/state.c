/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#include "lock.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_PATH     BG_PATH_RUN "/lock"
#define LOCK_WAIT_MS  1000
#define LOCK_PAUSE_MS 5

static enum bg_err make_folder(const char *path, struct bg_diag *diag)
{
	/* The caller's umask may have taken our own permission, which those that move the log to
	   the disk, without root's capabilities, need. */
	if (mkdir(path, 0700) == 0 ? chmod(path, 0700) != 0 : errno != EEXIST) {
		if (diag != NULL)
			diag->sys_errno = errno;
		return bg_diag_set(diag, BG_ERR_IO, path, "the folder cannot be made");
	}
	return bg_folder_check(path, diag);
}

enum bg_err bg_state_prepare(struct bg_diag *diag)
{
	static const char *const folders[] = { BG_PATH_RUN, BG_PATH_REQUESTS, BG_PATH_GRANTS,
		BG_PATH_SESSIONS, BG_PATH_DRILLS, BG_PATH_LOCKS, BG_PATH_DUE, BG_PATH_RUN_LOG };
	enum bg_err err = BG_OK;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && err == BG_OK; i++)
		err = make_folder(folders[i], diag);
	return err;
}

enum bg_err bg_state_lock(int *ret)
{
	uint64_t end = bg_clock_boot_ms() + LOCK_WAIT_MS;
	int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	enum bg_err err = fd < 0 ? BG_ERR_IO : bg_lock_take(fd, end, LOCK_PAUSE_MS);

	if (err != BG_OK) {
		bg_state_unlock(&fd);
		return err;
	}
	*ret = fd;
	return BG_OK;
}

void bg_state_unlock(int *lock)
{
	if (*lock >= 0)
		(void)close(*lock);
	*lock = -1;
}

static void path_of(char *ret, size_t size, const char *folder, const char *name)
{
	(void)snprintf(ret, size, "%s/%s", folder, name);
}

enum bg_err bg_state_read(const char *folder, const char *name,
	uint8_t buf[static BG_RECORD_MAX_LEN], size_t *ret_len)
{
	char path[128];

	path_of(path, sizeof(path), folder, name);
	return bg_file_read(path, BG_FILE_PRIVATE, (char *)buf, BG_RECORD_MAX_LEN, ret_len, NULL);
}

enum bg_err bg_state_write(const char *folder, const char *name, const struct bg_writer *w)
{
	char path[128];

	path_of(path, sizeof(path), folder, name);
	return bg_file_replace(path, 0, 0600, w->p, w->len, NULL);
}

void bg_state_process_name(const struct bg_process *process, char ret[static BG_STATE_NAME_LEN])
{
	(void)snprintf(ret, BG_STATE_NAME_LEN, "%d.%llu", (int)process->pid,
		(unsigned long long)process->start_ticks);
}

void bg_state_remove(const char *folder, const char *name)
{
	char path[128];

	path_of(path, sizeof(path), folder, name);
	(void)unlink(path);
}

static bool is_record_name(const char *name)
{
	return name[0] != '.' && strlen(name) < BG_STATE_NAME_LEN &&
	       strspn(name, "0123456789abcdef.-") == strlen(name);
}

static DIR *open_list(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		(void)close(fd);
	return dir;
}

void bg_state_tidy(const char *folder)
{
	DIR *dir = open_list(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, ".new-", 5) == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
}

void bg_state_list(
	const char *folder, size_t max, void (*each)(void *arg, const char *name), void *arg)
{
	DIR *dir = open_list(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while (max > 0 && (entry = readdir(dir)) != NULL) {
		if (!is_record_name(entry->d_name))
			continue;
		each(arg, entry->d_name);
		max--;
	}
	(void)closedir(dir);
}

bool bg_state_is_there(const char *folder, const char *name)
{
	struct stat st;
	char path[128];

	path_of(path, sizeof(path), folder, name);
	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool bg_state_is_this_boot(const char *boot_id)
{
	char now[BG_BOOT_ID_LEN + 1];

	return bg_clock_boot_id(now) == BG_OK && strcmp(now, boot_id) == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two places make one answer: the lock's file in /etc, which a reboot does not
 * take, and the mark below /run that it was lifted, which stays when the file
 * is gone. The file is read first: it goes only when the mark is there.
 */
#include "state.h"

#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/os_random.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 128

static void path_of(const char *account, char ret[static PATH_LEN])
{
	(void)snprintf(ret, PATH_LEN, BG_PATH_ACCOUNTS "/%s/locked", account);
}

/* What cannot be read still is one thing and not another: the same answer as long as nobody
   touches it, so that who came after it is let in. */
static void id_of_damaged(const char *path, uint8_t ret[static BG_LOCK_ID_LEN])
{
	struct bg_writer w = { .p = ret, .cap = BG_LOCK_ID_LEN };
	struct stat st;

	memset(ret, 0xff, BG_LOCK_ID_LEN);
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	bg_put_u64(&w, (uint64_t)st.st_ino);
	bg_put_u64(&w, (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec);
}

/* BG_ERR_NOENT: surely none. */
static enum bg_err read_lock(const char *account, struct bg_account_lock *ret)
{
	char path[PATH_LEN], text[BG_LOCK_FILE_LEN + 1];
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err;
	int error = 0;

	path_of(account, path);
	if (!bg_path_exists(path, &error) && (error == ENOENT || error == ENOTDIR))
		return BG_ERR_NOENT;
	err = bg_file_read(path, BG_FILE_PRIVATE, text, sizeof(text), &len, &diag);
	if (err == BG_OK)
		err = bg_account_lock_parse(text, len, "locked", ret, &diag);
	if (err == BG_OK)
		return BG_OK;
	/* Gone in between: it was lifted, and the mark says so. */
	if (err == BG_ERR_NOENT)
		return err;
	memset(ret, 0, sizeof(*ret));
	id_of_damaged(path, ret->id);
	return BG_ERR_SYNTAX;
}

static enum bg_err read_lift(
	struct bg_crypto *crypto, const char *account, uint8_t ret[static BG_LOCK_ID_LEN])
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_lift lift;
	size_t len = 0;
	enum bg_err err;

	if (!bg_state_is_there(BG_PATH_LOCKS, account))
		return BG_ERR_NOENT;
	err = bg_state_read(BG_PATH_LOCKS, account, buf, &len);
	if (err == BG_OK)
		err = bg_record_read_lift(crypto, buf, len, &lift);
	if (err == BG_OK && strcmp(lift.account, account) != 0)
		err = BG_ERR_MISMATCH;
	if (err == BG_OK) {
		memcpy(ret, lift.id, BG_LOCK_ID_LEN);
	} else {
		char path[PATH_LEN];

		/* Not as if nothing had ever been locked: that would let in what was before. */
		(void)snprintf(path, sizeof(path), BG_PATH_LOCKS "/%s", account);
		id_of_damaged(path, ret);
	}
	return BG_OK;
}

void bg_locks_look(struct bg_crypto *crypto, const char *account, struct bg_lock_state *ret)
{
	uint8_t lifted[BG_LOCK_ID_LEN] = { 0 };
	enum bg_err err;

	memset(ret, 0, sizeof(*ret));
	err = read_lock(account, &ret->lock);
	ret->is_there = err != BG_ERR_NOENT;
	ret->is_damaged = ret->is_there && err != BG_OK;
	if (read_lift(crypto, account, lifted) != BG_OK) {
		ret->is_locked = ret->is_there;
		return;
	}
	if (ret->is_there)
		ret->is_locked = !bg_equal(ret->lock.id, lifted, sizeof(lifted));
	else
		memcpy(ret->lock.id, lifted, sizeof(lifted));
}

bool bg_locks_is_after(
	struct bg_crypto *crypto, const char *account, const uint8_t seen[static BG_LOCK_ID_LEN])
{
	struct bg_lock_state state;

	bg_locks_look(crypto, account, &state);
	return !bg_equal(state.lock.id, seen, BG_LOCK_ID_LEN);
}

enum bg_err bg_locks_put(const char *account, const char *by, struct bg_diag *diag)
{
	BG_WIPE(bg_state_unlock) int held = -1;
	char path[PATH_LEN], text[BG_LOCK_FILE_LEN], now[BG_TIME_TEXT_LEN];
	struct bg_account_lock lock = { 0 };
	size_t len = 0;
	enum bg_err err = BG_OK;

	if (bg_os_random(NULL, lock.id, sizeof(lock.id)) != 0)
		return bg_diag_set(diag, BG_ERR_RANDOM, NULL, NULL);
	bg_clock_wall_text(now);
	(void)snprintf(lock.at, sizeof(lock.at), "%.19sZ", now);
	(void)snprintf(lock.by, sizeof(lock.by), "%s", by);
	path_of(account, path);
	err = bg_account_lock_write(&lock, text, sizeof(text), &len);
	if (err != BG_OK)
		return bg_diag_set(diag, err, path, NULL);
	/* Only against whoever removes a lifted one at this moment: not to be had is no reason not
	   to lock. */
	if (bg_state_prepare(NULL) != BG_OK || bg_state_lock(&held) != BG_OK)
		held = -1;
	return bg_file_replace(path, 0, 0600, text, len, diag);
}

enum bg_err bg_locks_lift(
	struct bg_crypto *crypto, const char *account, const uint8_t id[static BG_LOCK_ID_LEN])
{
	BG_WIPE(bg_state_unlock) int held = -1;
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	struct bg_lock_state state;
	struct bg_lift lift = { 0 };
	enum bg_err err;

	(void)snprintf(lift.account, sizeof(lift.account), "%s", account);
	memcpy(lift.id, id, sizeof(lift.id));
	err = bg_record_write_lift(crypto, &lift, &w);
	if (err == BG_OK)
		err = bg_state_lock(&held);
	if (err != BG_OK)
		return err;
	/* A newer lock is not this quorum's to lift. */
	bg_locks_look(crypto, account, &state);
	if (!bg_equal(state.lock.id, id, BG_LOCK_ID_LEN))
		return BG_ERR_LOCKED;
	return bg_state_write(BG_PATH_LOCKS, account, &w);
}

enum bg_err bg_locks_settle(struct bg_crypto *crypto, const char *account, struct bg_diag *diag)
{
	BG_WIPE(bg_state_unlock) int held = -1;
	struct bg_lock_state state;
	char path[PATH_LEN];
	/* Held against bg_locks_put: a lock that comes now is not the one that was lifted. */
	enum bg_err err = bg_state_lock(&held);

	if (err != BG_OK)
		return err;
	bg_locks_look(crypto, account, &state);
	if (!state.is_there || state.is_locked)
		return BG_ERR_NOENT;
	path_of(account, path);
	if (unlink(path) == 0)
		return BG_OK;
	if (diag != NULL)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, path, "cannot be removed");
}

void bg_locks_each_lifted(void (*each)(void *arg, const char *account), void *arg)
{
	DIR *dir = opendir(BG_PATH_LOCKS);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while ((entry = readdir(dir)) != NULL) {
		if (bg_is_account(entry->d_name, BG_ACCOUNT_LEN))
			each(arg, entry->d_name);
	}
	(void)closedir(dir);
}

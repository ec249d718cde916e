/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"
#include "chain.h"
#include "limits.h"
#include "lock.h"

#include <breakglass/os_clock.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_NEW      "head.new"
#define TAIL_LEN      (2 * BG_EVENT_MAX_LEN)
#define LOCK_PAUSE_MS 2

void bg_fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static enum bg_err fail(struct bg_diag *diag, enum bg_err err, const char *where, const char *what)
{
	if (diag)
		diag->sys_errno = err == BG_ERR_IO ? errno : 0;
	return bg_diag_set(diag, err, where, "%s", what);
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Opens one component below *dir and puts it in its place. */
static enum bg_err step_down(int *dir, const char *name, bool may_create, struct bg_diag *diag)
{
	struct stat st;
	int next;

	/* chmod: the caller's umask may have taken our own permission */
	if (may_create && (mkdirat(*dir, name, 0700) == 0 ? fchmodat(*dir, name, 0700, 0) != 0
							  : errno != EEXIST))
		return fail(diag, BG_ERR_IO, name, "the folder cannot be made");
	next = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return errno == ENOENT ? fail(diag, BG_ERR_NOENT, name, "no such folder")
		       : errno == ENOTDIR || errno == ELOOP
			       ? fail(diag, BG_ERR_UNSAFE, name, "a folder that is no link")
			       : fail(diag, BG_ERR_IO, name, "the folder cannot be opened");
	bg_fd_close(dir);
	*dir = next;
	if (fstat(next, &st) != 0 || !is_ours(&st) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return fail(diag, BG_ERR_UNSAFE, name, "a folder of root's");
	return BG_OK;
}

enum bg_err bg_chain_folder(const char *path, bool may_create, int *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum bg_err err = BG_OK;
	char part[64];

	if (dir < 0)
		return fail(diag, BG_ERR_IO, "/", "the folder cannot be opened");
	while (err == BG_OK && *path) {
		size_t len = strcspn(++path, "/");
		const char *rest = path + len;
		bool is_ours_to_make = may_create && (!*rest || !strchr(rest + 1, '/'));

		if (len == 0 || len >= sizeof(part))
			return BG_ERR_ARGUMENT;
		memcpy(part, path, len);
		part[len] = '\0';
		err = step_down(&dir, part, is_ours_to_make, diag);
		path = rest;
	}
	if (err != BG_OK)
		return err;
	*ret = dir;
	dir = -1;
	return BG_OK;
}

/* Regular, root's, one link, nobody else's to read or write? */
static bool is_safe_file(int fd, struct stat *ret)
{
	return fstat(fd, ret) == 0 && S_ISREG(ret->st_mode) && is_ours(ret) && ret->st_nlink == 1 &&
	       !(ret->st_mode & (S_IRWXG | S_IRWXO));
}

enum bg_err bg_chain_file(int dir, const char *name, int flags, int *ret, struct bg_diag *diag)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? fail(diag, BG_ERR_NOENT, name, "no such file")
		       : errno == ELOOP || errno == ENXIO || errno == EISDIR
			       ? fail(diag, BG_ERR_UNSAFE, name, "a regular file, no link")
			       : fail(diag, BG_ERR_IO, name, "the file cannot be opened");
	if (!is_safe_file(fd, &st)) {
		(void)close(fd);
		return fail(diag, BG_ERR_UNSAFE, name, "a regular file of root's, mode 0600");
	}
	/* the host's umask may have taken our own permission */
	if ((flags & O_CREAT) && (st.st_mode & 0600) != 0600)
		(void)fchmod(fd, 0600);
	*ret = fd;
	return BG_OK;
}

enum bg_err bg_chain_lock(
	int dir, const char *name, uint64_t deadline_ms, int *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	enum bg_err err = bg_chain_file(dir, name, O_RDWR | O_CREAT, &fd, diag);

	if (err != BG_OK)
		return err;
	err = bg_lock_take(fd, deadline_ms, LOCK_PAUSE_MS);
	if (err != BG_OK)
		return fail(diag, err, name,
			err == BG_ERR_BUSY ? "another process holds it"
					   : "the lock cannot be taken");
	*ret = fd;
	fd = -1;
	return BG_OK;
}

static bool read_exactly(int fd, void *buf, size_t len, off_t at)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

enum bg_err bg_chain_read_head(int dir, struct bg_chain_head *ret)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	struct bg_chain_head head = { .is_known = true };
	char text[BG_CHAIN_TEXT_LEN + 2] = "", *end;
	enum bg_err err = bg_chain_file(dir, BG_CHAIN_HEAD, O_RDONLY, &fd, NULL);
	ssize_t n;

	if (err != BG_OK)
		return err;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return BG_ERR_SYNTAX;
	errno = 0;
	head.seq = strtoull(text, &end, 10);
	if (errno || end == text || text[0] < '0' || text[0] > '9' ||
		strlen(end) != 2 + 2 * BG_SHA256_LEN || *end != ' ' ||
		end[1 + 2 * BG_SHA256_LEN] != '\n' ||
		!bg_hex_decode(end + 1, 2 * BG_SHA256_LEN, head.hash, sizeof(head.hash)))
		return BG_ERR_SYNTAX;
	*ret = head;
	return BG_OK;
}

static enum bg_err replace_head(int dir, const char *text, size_t len)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	enum bg_err err;

	(void)unlinkat(dir, HEAD_NEW, 0);
	err = bg_chain_file(dir, HEAD_NEW, O_WRONLY | O_CREAT | O_EXCL, &fd, NULL);
	if (err == BG_OK)
		err = bg_io_write_all(fd, text, len);
	if (err == BG_OK && renameat(dir, HEAD_NEW, dir, BG_CHAIN_HEAD) != 0)
		err = BG_ERR_IO;
	if (err != BG_OK)
		(void)unlinkat(dir, HEAD_NEW, 0);
	return err;
}

/* Where a file more has no room (tmpfs without blocks or inodes): so few bytes of one page are
   written whole or not at all. A head that stays behind lets numbers be given twice. */
static enum bg_err overwrite_head(int dir, const char *text, size_t len)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	enum bg_err err = bg_chain_file(dir, BG_CHAIN_HEAD, O_WRONLY, &fd, NULL);

	if (err != BG_OK)
		return err;
	return pwrite(fd, text, len, 0) == (ssize_t)len && ftruncate(fd, (off_t)len) == 0
		       ? BG_OK
		       : BG_ERR_IO;
}

enum bg_err bg_chain_write_head(int dir, const struct bg_chain_head *head)
{
	char hash[2 * BG_SHA256_LEN + 1], text[BG_CHAIN_TEXT_LEN + 2];
	int len;

	bg_hex_encode(head->hash, sizeof(head->hash), hash);
	len = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", head->seq, hash);
	if (replace_head(dir, text, (size_t)len) == BG_OK)
		return BG_OK;
	return overwrite_head(dir, text, (size_t)len);
}

/* The last whole line in the len bytes of a file's tail; NULL: none, or its start lies before. */
static const char *last_line(
	const char *tail, size_t len, bool is_whole_file, size_t *ret_len, size_t *ret_end)
{
	const char *lf = memrchr(tail, '\n', len), *before;

	*ret_end = lf ? (size_t)(lf - tail) + 1 : 0;
	if (!lf)
		return NULL;
	before = memrchr(tail, '\n', (size_t)(lf - tail));
	if (!before && !is_whole_file)
		return NULL;
	before = before ? before + 1 : tail;
	*ret_len = (size_t)(lf - before);
	return before;
}

enum bg_err bg_chain_last_line(
	struct bg_crypto *crypto, int fd, struct bg_chain_head *ret, uint64_t *ret_end)
{
	struct bg_chain_head head = { 0 };
	struct bg_chain_pos pos;
	char tail[TAIL_LEN];
	const char *line;
	struct stat st;
	size_t len, line_len = 0, end;
	enum bg_err err;

	if (fstat(fd, &st) != 0)
		return BG_ERR_IO;
	len = st.st_size < TAIL_LEN ? (size_t)st.st_size : TAIL_LEN;
	if (!read_exactly(fd, tail, len, st.st_size - (off_t)len))
		return BG_ERR_IO;
	line = last_line(tail, len, (off_t)len == st.st_size, &line_len, &end);
	if (line) {
		err = bg_sha256(crypto, line, line_len, head.hash);
		if (err != BG_OK)
			return err;
		head.is_known = bg_event_line_pos(line, line_len, &pos);
		head.seq = head.is_known ? pos.seq : 0;
	}
	*ret_end = end == 0 && (off_t)len < st.st_size ? (uint64_t)st.st_size
						       : (uint64_t)st.st_size - len + end;
	*ret = head;
	return BG_OK;
}

enum bg_err bg_chain_find_head(
	struct bg_crypto *crypto, int dir, struct bg_chain_head *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	struct bg_chain_head head = { 0 }, last = { 0 };
	enum bg_err err = bg_chain_read_head(dir, &head);
	struct stat st;
	uint64_t end;

	if (err != BG_OK && err != BG_ERR_NOENT && err != BG_ERR_SYNTAX)
		return bg_diag_set(diag, err, BG_CHAIN_HEAD, NULL);
	err = bg_chain_file(dir, BG_CHAIN_PENDING, O_RDWR, &fd, diag);
	if (err == BG_OK) {
		err = bg_chain_last_line(crypto, fd, &last, &end);
		/* half a line of a writer that was killed: no record, nobody was told of it */
		if (err == BG_OK && fstat(fd, &st) == 0 && (uint64_t)st.st_size != end &&
			ftruncate(fd, (off_t)end) != 0)
			err = fail(diag, BG_ERR_IO, BG_CHAIN_PENDING, "half a line stays");
	}
	if (err != BG_OK && err != BG_ERR_NOENT)
		return err;
	/* A line that does not follow the head was put there by somebody else, and must show. */
	if (last.is_known && (!head.is_known || last.seq == head.seq + 1))
		head = last;
	*ret = head;
	return BG_OK;
}

enum bg_err bg_chain_append(
	struct bg_crypto *crypto, int dir, const char *line, size_t len, struct bg_chain_head *head)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	struct bg_chain_head next = { .is_known = true, .seq = head->seq + 1 };
	char buf[BG_EVENT_MAX_LEN + 1];
	struct stat st;
	enum bg_err err;

	if (len >= sizeof(buf))
		return BG_ERR_TOO_BIG;
	memcpy(buf, line, len);
	buf[len] = '\n';
	err = bg_sha256(crypto, line, len, next.hash);
	if (err == BG_OK)
		err = bg_chain_file(
			dir, BG_CHAIN_PENDING, O_WRONLY | O_APPEND | O_CREAT, &fd, NULL);
	if (err != BG_OK)
		return err;
	if (fstat(fd, &st) != 0)
		return BG_ERR_IO;
	if (!bg_limits_allow(st.st_size + (off_t)len + 1))
		return BG_ERR_TOO_BIG;
	err = bg_io_write_all(fd, buf, len + 1);
	if (err != BG_OK) {
		/* what cannot be taken back now, the next writer takes back */
		if (ftruncate(fd, st.st_size) != 0)
			return BG_ERR_IO;
		return err;
	}
	*head = next;
	/* The record stands; should this fail, the next writer finds the head in pending. */
	err = bg_chain_write_head(dir, head);
	(void)err;
	return BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From /run to /var, so that a process killed at any step loses and doubles
 * nothing: pending is renamed to carrying under the writers' lock, appended to
 * the newest segment, synced, alerts are spooled, and only then it is removed.
 * What a killed run left half appended is found by comparing, and completed.
 */
#include "io.h"
#include "chain.h"
#include "segments.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_log.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARRY_WAIT_MS  2000
#define WRITER_WAIT_MS 1000

struct carry {
	struct bg_crypto *crypto;
	int run, var;
	size_t count; /* records carried */
	struct bg_diag *diag;
};

static enum bg_err io_error(struct carry *carry, const char *where, const char *what)
{
	if (carry->diag)
		carry->diag->sys_errno = errno;
	return bg_diag_set(carry->diag, BG_ERR_IO, where, "%s", what);
}

static size_t line_count(const struct bg_bytes *bytes)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes->len; i++)
		n += bytes->p[i] == '\n';
	return n;
}

/* Appends what of `lines` the segment lacks: all but the first `done` bytes. */
static enum bg_err append_segment(
	struct carry *carry, uint32_t number, const struct bg_bytes *lines, size_t done)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	char name[BG_SEGMENT_NAME_LEN];
	enum bg_err err;

	bg_segment_name(number, name);
	err = bg_chain_file(carry->var, name, O_WRONLY | O_APPEND | O_CREAT, &fd, carry->diag);
	if (err != BG_OK)
		return err;
	if (bg_io_write_all(fd, lines->p + done, lines->len - done) != BG_OK || fsync(fd) != 0)
		return io_error(carry, name, "the segment cannot be written");
	return BG_OK;
}

static enum bg_err sync_folder(struct carry *carry)
{
	int fd = openat(carry->var, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd) != 0;

	if (fd >= 0)
		(void)close(fd);
	return failed ? io_error(carry, BG_PATH_VAR_LOG, "the folder cannot be synced") : BG_OK;
}

/* Brings the file `carrying`, if there is one, to /var and removes it. */
static enum bg_err finish_carrying(struct carry *carry)
{
	BG_WIPE(bg_bytes_free) struct bg_bytes lines = { 0 }, segment = { 0 };
	struct bg_segments segments = { 0 };
	size_t done = 0;
	enum bg_err err = bg_bytes_read(carry->run, BG_CHAIN_CARRYING, &lines, carry->diag);

	if (err == BG_ERR_NOENT)
		return BG_OK;
	if (err == BG_OK)
		err = bg_segments_list(carry->var, &segments, carry->diag);
	if (err == BG_OK && segments.last) {
		char name[BG_SEGMENT_NAME_LEN];

		bg_segment_name(segments.last, name);
		err = bg_bytes_read(carry->var, name, &segment, carry->diag);
		done = err == BG_OK ? bg_bytes_overlap(&segment, &lines) : 0;
	}
	if (err != BG_OK)
		return err;
	if (segments.last == 0 || (done == 0 && segment.len >= BG_SEGMENT_LEN))
		segments.last++;
	err = append_segment(carry, segments.last, &lines, done);
	if (err == BG_OK)
		err = sync_folder(carry);
	if (err == BG_OK)
		err = bg_spool_write(carry->crypto, lines.p, lines.len, carry->diag);
	if (err == BG_OK && unlinkat(carry->run, BG_CHAIN_CARRYING, 0) != 0)
		err = io_error(carry, BG_CHAIN_CARRYING, "the carried file cannot be removed");
	if (err == BG_OK)
		carry->count += line_count(&lines);
	return err;
}

/* The head that the last line of a file in dir stands for; is_known false: no file, no line. */
static enum bg_err head_of(
	struct carry *carry, int dir, const char *name, struct bg_chain_head *ret)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	enum bg_err err = bg_chain_file(dir, name, O_RDONLY, &fd, carry->diag);
	uint64_t end = 0;

	if (err == BG_ERR_NOENT) {
		*ret = (struct bg_chain_head){ 0 };
		return BG_OK;
	}
	if (err == BG_OK)
		err = bg_chain_last_line(carry->crypto, fd, ret, &end);
	if (err == BG_OK && !ret->is_known && end > 0)
		return bg_diag_set(carry->diag, BG_ERR_SYNTAX, name, "a record as last line");
	return err;
}

/* The end of what /var has; of an empty log: known, number 0. */
static enum bg_err head_of_var(struct carry *carry, struct bg_chain_head *ret)
{
	struct bg_segments segments = { 0 };
	char name[BG_SEGMENT_NAME_LEN];
	enum bg_err err = bg_segments_list(carry->var, &segments, carry->diag);

	if (err != BG_OK)
		return err;
	*ret = (struct bg_chain_head){ 0 };
	if (segments.last) {
		bg_segment_name(segments.last, name);
		err = head_of(carry, carry->var, name, ret);
	}
	ret->is_known = true;
	return err;
}

/* Behind what could not be carried yet: pending must be gone after each run, or whoever watches it
   would start the next one at once, and again. */
static enum bg_err append_pending(struct carry *carry)
{
	BG_WIPE(bg_bytes_free) struct bg_bytes before = { 0 }, lines = { 0 };
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	size_t done;
	enum bg_err err = bg_bytes_read(carry->run, BG_CHAIN_PENDING, &lines, carry->diag);

	if (err == BG_ERR_NOENT)
		return BG_OK;
	if (err == BG_OK)
		err = bg_bytes_read(carry->run, BG_CHAIN_CARRYING, &before, carry->diag);
	if (err == BG_OK)
		err = bg_chain_file(
			carry->run, BG_CHAIN_CARRYING, O_WRONLY | O_APPEND, &fd, carry->diag);
	if (err != BG_OK)
		return err;
	done = bg_bytes_overlap(&before, &lines); /* of a run that was killed here */
	if (bg_io_write_all(fd, lines.p + done, lines.len - done) != BG_OK) {
		err = io_error(carry, BG_CHAIN_CARRYING, "the file cannot be written");
		(void)!ftruncate(fd, (off_t)before.len);
		return err;
	}
	if (unlinkat(carry->run, BG_CHAIN_PENDING, 0) != 0)
		return io_error(carry, BG_CHAIN_PENDING, "the file cannot be removed");
	return BG_OK;
}

static bool is_there(const struct carry *carry, const char *name)
{
	return faccessat(carry->run, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Under the writers' lock: gives /run its head if it has none, and takes pending away. */
static enum bg_err take_pending(struct carry *carry)
{
	__attribute__((cleanup(bg_fd_close))) int lock = -1;
	struct bg_chain_head head = { 0 };
	enum bg_err err = bg_chain_lock(
		carry->run, BG_CHAIN_LOCK, bg_clock_boot_ms() + WRITER_WAIT_MS, &lock, carry->diag);

	if (err == BG_OK)
		err = bg_chain_find_head(carry->crypto, carry->run, &head, carry->diag);
	if (err == BG_OK && !head.is_known)
		err = head_of_var(carry, &head);
	if (err == BG_OK)
		err = bg_chain_write_head(carry->run, &head);
	if (err == BG_OK && is_there(carry, BG_CHAIN_CARRYING))
		return append_pending(carry);
	if (err == BG_OK &&
		renameat(carry->run, BG_CHAIN_PENDING, carry->run, BG_CHAIN_CARRYING) != 0 &&
		errno != ENOENT)
		err = io_error(carry, BG_CHAIN_PENDING, "the file cannot be renamed");
	return err;
}

static enum bg_err carry_all(struct carry *carry)
{
	enum bg_err err = finish_carrying(carry);
	enum bg_err taken = take_pending(carry);

	if (err == BG_OK)
		err = taken;
	return err == BG_OK ? finish_carrying(carry) : err;
}

enum bg_err bg_log_carry(size_t *ret_count, struct bg_diag *diag)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	__attribute__((cleanup(bg_fd_close))) int run = -1, var = -1, lock = -1;
	struct carry carry = { .crypto = crypto, .diag = diag };
	enum bg_err err;

	if (!crypto)
		return BG_ERR_CRYPTO;
	err = bg_chain_folder(BG_PATH_RUN_LOG, true, &run, diag);
	if (err == BG_OK)
		err = bg_chain_folder(BG_PATH_VAR_LOG, true, &var, diag);
	if (err == BG_OK)
		err = bg_chain_lock(
			run, BG_CHAIN_CARRY, bg_clock_boot_ms() + CARRY_WAIT_MS, &lock, diag);
	carry.run = run;
	carry.var = var;
	/* first what a killed run left, so that /var's last line is the newest before the head */
	if (err == BG_OK)
		err = carry_all(&carry);
	if (err == BG_OK)
		*ret_count = carry.count;
	return err;
}

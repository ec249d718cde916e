/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"
#include "chain.h"
#include "spool.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_file.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAST	  BG_PATH_SPOOL "/last"
#define NEW	  BG_PATH_SPOOL "/new"
#define TOLD	  BG_PATH_SPOOL "/told"
#define TOLD_LEN  128
#define TOLD_MAX  512	 /* results taken in one run */
#define TOLD_LIST 4096	 /* and put in order for it */
#define TOLD_LOOK 100000 /* names looked at for that */

void bg_spool_name(uint64_t id, char ret[static BG_SPOOL_NAME_LEN])
{
	(void)snprintf(ret, BG_SPOOL_NAME_LEN, "%020" PRIu64 ".json", id);
}

bool bg_spool_id(const char *name, uint64_t *ret)
{
	char *end;

	if (strlen(name) != 25 || strspn(name, "0123456789") != 20 ||
		strcmp(name + 20, ".json") != 0)
		return false;
	errno = 0;
	*ret = strtoull(name, &end, 10);
	return errno == 0;
}

struct last {
	uint64_t next_id;
	bool is_known;
	uint8_t hash[BG_SHA256_LEN];
};

/* No file: nothing was ever spooled. */
static enum bg_err last_read(struct last *ret, struct bg_diag *diag)
{
	char text[128], *end;
	size_t len = 0;
	enum bg_err err = bg_file_read(LAST, BG_FILE_PRIVATE, text, sizeof(text), &len, diag);

	*ret = (struct last){ .next_id = 1 };
	if (err == BG_ERR_NOENT)
		return BG_OK;
	if (err != BG_OK)
		return err;
	errno = 0;
	ret->next_id = strtoull(text, &end, 10);
	if (errno != 0 || ret->next_id == 0 || strlen(end) != 2 + 2 * BG_SHA256_LEN || *end != ' ')
		return bg_diag_set(diag, BG_ERR_SYNTAX, LAST, "a number and a hash");
	ret->is_known = bg_hex_decode(end + 1, 2 * BG_SHA256_LEN, ret->hash, sizeof(ret->hash));
	return BG_OK;
}

static enum bg_err last_write(const struct last *last, struct bg_diag *diag)
{
	char text[128], hash[2 * BG_SHA256_LEN + 1];
	int len;

	bg_hex_encode(last->hash, sizeof(last->hash), hash);
	len = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", last->next_id, hash);
	return bg_file_replace(LAST, 0, 0600, text, (size_t)len, diag);
}

/* In one rename: breakglass-alert looks into this folder at any time. Readable by its group. */
static enum bg_err write_alert(uint64_t id, const char *json, size_t len, struct bg_diag *diag)
{
	char path[sizeof(NEW) + 1 + BG_SPOOL_NAME_LEN], hidden[sizeof(path) + 8],
		name[BG_SPOOL_NAME_LEN];
	int fd;
	bool is_written;

	bg_spool_name(id, name);
	(void)snprintf(path, sizeof(path), "%s/%s", NEW, name);
	(void)snprintf(hidden, sizeof(hidden), "%s/../%s.part", NEW, name);
	(void)unlink(hidden);
	fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0) {
		if (diag)
			diag->sys_errno = errno;
		return bg_diag_set(diag, BG_ERR_IO, path, "cannot be written");
	}
	is_written =
		fchmod(fd, 0640) == 0 && bg_io_write_all(fd, json, len) == BG_OK && fsync(fd) == 0;
	(void)close(fd);
	if (is_written && rename(hidden, path) == 0)
		return BG_OK;
	if (diag)
		diag->sys_errno = errno;
	(void)unlink(hidden);
	return bg_diag_set(diag, BG_ERR_IO, path, "cannot be written");
}

/* The line of lines that last names: where to go on. Unknown, or carried before: the beginning. */
static enum bg_err start_of(struct bg_crypto *crypto, const char *lines, size_t len,
	const struct last *last, size_t *ret)
{
	uint8_t hash[BG_SHA256_LEN];

	*ret = 0;
	for (size_t at = 0; last->is_known && at < len;) {
		const char *lf = memchr(lines + at, '\n', len - at);
		size_t n = lf ? (size_t)(lf - lines) - at : len - at;
		enum bg_err err = bg_sha256(crypto, lines + at, n, hash);

		if (err != BG_OK)
			return err;
		at += n + 1;
		if (bg_equal(hash, last->hash, sizeof(hash)))
			*ret = at < len ? at : len;
	}
	return BG_OK;
}

static enum bg_err write_line(struct bg_crypto *crypto, const char *line, size_t len,
	struct last *last, struct bg_diag *diag)
{
	char json[BG_ALERT_MAX_LEN];
	size_t json_len = 0;
	enum bg_err err = bg_sha256(crypto, line, len, last->hash);

	last->is_known = true;
	if (err != BG_OK || !bg_alert_is_due(line, len))
		return err;
	err = bg_alert_json(crypto, last->next_id, line, len, json, sizeof(json), &json_len);
	/* a line that is too long stops neither its own alert nor all that come after it */
	if (err == BG_ERR_TOO_BIG || err == BG_ERR_SYNTAX)
		err = bg_alert_lost_json(last->next_id, json, sizeof(json), &json_len);
	if (err != BG_OK)
		return err;
	bg_alerted_note(last->next_id, line, len);
	err = write_alert(last->next_id, json, json_len, diag);
	if (err == BG_OK)
		last->next_id++;
	return err;
}

enum bg_err bg_spool_write(
	struct bg_crypto *crypto, const char *lines, size_t len, struct bg_diag *diag)
{
	struct last last;
	size_t at = 0;
	enum bg_err err;
	int why = 0;

	if (!bg_path_exists(NEW, &why))
		return BG_OK;
	err = bg_folder_check(BG_PATH_VAR, diag);
	if (err == BG_OK)
		err = last_read(&last, diag);
	if (err == BG_OK)
		err = start_of(crypto, lines, len, &last, &at);
	if (err != BG_OK || at >= len)
		return err;
	while (err == BG_OK && at < len) {
		const char *lf = memchr(lines + at, '\n', len - at);
		size_t n = lf ? (size_t)(lf - lines) - at : len - at;

		err = write_line(crypto, lines + at, n, &last, diag);
		at += n + 1;
	}
	return err == BG_OK ? last_write(&last, diag) : err;
}

enum bg_err bg_spool_write_test(const char *host, uint64_t *ret_id, struct bg_diag *diag)
{
	char json[BG_ALERT_MAX_LEN];
	struct last last;
	size_t len = 0;
	enum bg_err err;
	int why = 0;

	if (!bg_path_exists(NEW, &why))
		return bg_diag_set(diag, BG_ERR_NOENT, NEW, NULL);
	err = last_read(&last, diag);
	if (err == BG_OK)
		err = bg_alert_test_json(last.next_id, host, json, sizeof(json), &len);
	if (err != BG_OK)
		return err;
	*ret_id = last.next_id++;
	/* counted first: an id that was given away is not given to a record as well */
	err = last_write(&last, diag);
	bg_alerted_note(*ret_id, "", 0);
	return err == BG_OK ? write_alert(*ret_id, json, len, diag) : err;
}

/* Written by an unprivileged program: regular, small, and nothing else is believed. */
static bool read_told(int dir, const char *name, struct bg_alert_told *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[TOLD_LEN];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return false;
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, text, sizeof(text), 0) : -1;
	(void)close(fd);
	return n > 0 && bg_alert_told_read(text, (size_t)n, ret) == BG_OK;
}

/* Out of the way, whatever somebody without privileges made there: a folder of his that is not
   empty gets a name that nobody looks at. Or it would start its reader again and again. */
static void put_aside(int dir, const char *name)
{
	static unsigned int number;
	char aside[48];

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return;
	(void)snprintf(aside, sizeof(aside), ".left-%" PRIu64 "-%u", bg_clock_boot_ms(), number++);
	(void)renameat(dir, name, dir, aside);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of results, in order: of however many there are so many as memory and time allow. */
static size_t list_told(DIR *dir, char **ret)
{
	const struct dirent *entry;
	size_t count = 0;

	/* cppcheck-suppress readdirCalled ; the stream is its caller's own */
	for (size_t i = 0; i < TOLD_LOOK && count < TOLD_LIST && (entry = readdir(dir)); i++) {
		char *name = entry->d_name[0] == '.' ? NULL : strdup(entry->d_name);

		if (name)
			ret[count++] = name;
	}
	qsort(ret, count, sizeof(*ret), by_name);
	return count;
}

void bg_spool_told(void (*each)(void *arg, const struct bg_alert_told *told), void *arg)
{
	int fd = open(TOLD, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char *names[TOLD_LIST];
	struct bg_alert_told told;
	size_t count;

	if (!dir) {
		bg_fd_close(&fd);
		return;
	}
	count = list_told(dir, names);
	for (size_t i = 0; i < count; i++) {
		if (i < TOLD_MAX && read_told(dirfd(dir), names[i], &told))
			each(arg, &told);
		if (i < TOLD_MAX)
			put_aside(dirfd(dir), names[i]);
		free(names[i]);
	}
	(void)closedir(dir);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "segments.h"

#include "chain.h"

#include <breakglass/bytes.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void bg_segment_name(uint32_t number, char ret[static BG_SEGMENT_NAME_LEN])
{
	(void)snprintf(ret, BG_SEGMENT_NAME_LEN, "segment-%06u.jsonl", number);
}

/* The number of a name that bg_segment_name gives; 0: another name. */
static uint32_t number_of(const char *name)
{
	char same[BG_SEGMENT_NAME_LEN];
	const char *p = name;
	uint64_t number = 0;

	if (strncmp(name, "segment-", 8) != 0)
		return 0;
	p += 8;
	if (!bg_decimal_take(&p, p + strlen(p), &number) || number > BG_SEGMENT_MAX)
		return 0;
	bg_segment_name((uint32_t)number, same);
	return strcmp(name, same) == 0 ? (uint32_t)number : 0;
}

static enum bg_err io_error(struct bg_diag *diag, const char *where, const char *what)
{
	if (diag)
		diag->sys_errno = errno;
	return bg_diag_set(diag, BG_ERR_IO, where, "%s", what);
}

enum bg_err bg_segments_list(int dir, struct bg_segments *ret, struct bg_diag *diag)
{
	struct bg_segments segments = { 0 };
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!list) {
		bg_fd_close(&fd);
		return io_error(diag, "log", "the folder cannot be listed");
	}
	errno = 0;
	/* cppcheck-suppress readdirCalled ; the stream is this function's own */
	while ((entry = readdir(list)) != NULL) {
		uint32_t number = number_of(entry->d_name);

		if (number && (!segments.first || number < segments.first))
			segments.first = number;
		if (number > segments.last)
			segments.last = number;
	}
	if (errno) {
		(void)closedir(list);
		return io_error(diag, "log", "the folder cannot be listed");
	}
	(void)closedir(list);
	*ret = segments;
	return BG_OK;
}

/* Reads up to size bytes; less where the file ends before. */
static bool read_some(int fd, struct bg_bytes *bytes, size_t size)
{
	while (bytes->len < size) {
		ssize_t n = read(fd, bytes->p + bytes->len, size - bytes->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		bytes->len += (size_t)n;
	}
	return true;
}

enum bg_err bg_bytes_read(int dir, const char *name, struct bg_bytes *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	BG_WIPE(bg_bytes_free) struct bg_bytes bytes = { 0 };
	enum bg_err err = bg_chain_file(dir, name, O_RDONLY, &fd, diag);
	struct stat st;

	if (err != BG_OK)
		return err;
	if (fstat(fd, &st) != 0)
		return io_error(diag, name, "the file cannot be examined");
	if ((uint64_t)st.st_size > BG_BYTES_MAX_LEN)
		return bg_diag_set(diag, BG_ERR_TOO_BIG, name, "at most 256 MiB");
	bytes.p = malloc((size_t)st.st_size + 1);
	if (!bytes.p)
		return BG_ERR_MEMORY;
	if (!read_some(fd, &bytes, (size_t)st.st_size))
		return io_error(diag, name, "the file cannot be read");
	bytes.p[bytes.len] = '\0';
	*ret = bytes;
	bytes.p = NULL;
	return BG_OK;
}

void bg_bytes_free(struct bg_bytes *bytes)
{
	free(bytes->p);
	bytes->p = NULL;
}

size_t bg_bytes_overlap(const struct bg_bytes *before, const struct bg_bytes *next)
{
	size_t most = before->len < next->len ? before->len : next->len;

	for (size_t n = most; n > 0; n--)
		if (memcmp(before->p + before->len - n, next->p, n) == 0)
			return n;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which alert was about which request: a ring of lines of one length, an
 * alert's at the place that its id gives. Below /run, for no request outlives a
 * boot.
 */
#include "io.h"
#include "chain.h"
#include "spool.h"

#include <breakglass/event.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES	1024
#define ID_LEN	20
#define HEX_LEN ((size_t)2 * BG_SHA256_LEN)
#define ROW_LEN (ID_LEN + 1 + HEX_LEN + 1)

static bool is_request(const char *text)
{
	size_t len = strlen(text);

	return (len == HEX_LEN || len == (size_t)2 * BG_NONCE_LEN) &&
	       strspn(text, "0123456789abcdef") == len;
}

static off_t place_of(uint64_t id)
{
	return (off_t)(id % PLACES * ROW_LEN);
}

static int open_it(int how)
{
	return open(BG_PATH_ALERTED, how | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
}

/* A row that is missing makes its alert's answer a word without effect, which is recorded. */
void bg_alerted_note(uint64_t id, const char *line, size_t len)
{
	char request[HEX_LEN + 2], row[ROW_LEN + 1];
	int fd;

	if (!bg_event_line_field(line, len, "request", request, sizeof(request)) ||
		!is_request(request))
		request[0] = '\0';
	(void)snprintf(row, sizeof(row), "%020" PRIu64 " %-*.*s\n", id, (int)HEX_LEN, (int)HEX_LEN,
		request);
	fd = open_it(O_WRONLY | O_CREAT);
	if (fd < 0)
		return;
	(void)!pwrite(fd, row, ROW_LEN, place_of(id));
	(void)close(fd);
}

enum bg_err bg_spool_request(uint64_t id, char ret[static 2 * BG_SHA256_LEN + 1])
{
	__attribute__((cleanup(bg_fd_close))) int fd = -1;
	char row[ROW_LEN + 1] = "", head[ID_LEN + 2];
	struct stat st;

	fd = open_it(O_RDONLY);
	if (fd < 0)
		return BG_ERR_NOENT;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		(st.st_mode & 077) != 0)
		return BG_ERR_UNSAFE;
	(void)snprintf(head, sizeof(head), "%020" PRIu64 " ", id);
	if (pread(fd, row, ROW_LEN, place_of(id)) != (ssize_t)ROW_LEN ||
		strncmp(row, head, ID_LEN + 1) != 0)
		return BG_ERR_NOENT;
	row[ID_LEN + 1 + strcspn(row + ID_LEN + 1, " \n")] = '\0';
	if (!is_request(row + ID_LEN + 1))
		return BG_ERR_NOENT;
	(void)snprintf(ret, HEX_LEN + 1, "%s", row + ID_LEN + 1);
	return BG_OK;
}

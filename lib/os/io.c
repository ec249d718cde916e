/* SPDX-License-Identifier: BSD-2-Clause */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum bg_err bg_io_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return BG_ERR_IO;
		p += n;
		len -= (size_t)n;
	}
	return BG_OK;
}

ssize_t bg_io_read_small(const char *path, bool is_nofollow, char *buf, size_t size)
{
	int fd = open(path,
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (is_nofollow ? O_NOFOLLOW : 0));
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	(void)close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* How many descriptors are open (RULES P05), and whether any would be seen by a child. */
#ifndef BG_TESTS_FDS_H
#define BG_TESTS_FDS_H

#include <fcntl.h>

#define FDS_LOOKED_AT 256

static inline unsigned int fds_open(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif

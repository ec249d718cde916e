/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes that files of lib/os share. */
#ifndef BREAKGLASS_LIB_IO_H
#define BREAKGLASS_LIB_IO_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <sys/types.h>

/* All of len bytes, over interruptions and short writes. BG_ERR_IO with errno set. */
BG_CHECKED enum bg_err bg_io_write_all(int fd, const void *data, size_t len);
/* At most size - 1 bytes of a small file of /proc or /etc in one read, terminated; follows no link
   if is_nofollow. Their number, or -1. */
ssize_t bg_io_read_small(const char *path, bool is_nofollow, char *buf, size_t size);

#endif

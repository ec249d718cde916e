/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that has no name until it is whole, then the one that nothing had before. */
#ifndef BG_UNLOCK_PENDING_H
#define BG_UNLOCK_PENDING_H

#include <breakglass/err.h>

#include <stdbool.h>

#define BG_PENDING_PATH_LEN 4096

struct bg_pending {
	int fd;	       /* to write to; mode 0600 */
	bool is_named; /* the file system has no nameless files: it is path with ".part" */
	char path[BG_PENDING_PATH_LEN];
};

/* Makes it, to become path. BG_ERR_IO, BG_ERR_TOO_BIG; BG_ERR_DUPLICATE: path, or its ".part", is
   there. */
BG_CHECKED enum bg_err bg_pending_open(
	struct bg_pending *ret, const char *path, struct bg_diag *diag);
/* Gives it its name, on the disk. BG_ERR_DUPLICATE (RULES S17), BG_ERR_IO; it is closed. */
BG_CHECKED enum bg_err bg_pending_keep(struct bg_pending *pending, struct bg_diag *diag);
/* Closed and gone; one that was kept or never opened (zeroed) is fine. */
void bg_pending_drop(struct bg_pending *pending);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one opener of files (RULES P04, P10, P12). No link is followed in the
 * last component, no FIFO blocks, nothing but a regular file of the right owner
 * and mode is read, and each has a size cap. Each folder above is opened
 * component by component and must be root's (or the caller's euid) and not
 * writable by others (a sticky folder such as /tmp is accepted for commands'
 * own files only where BG_FILE_ANY_FOLDER is given).
 */
#ifndef BREAKGLASS_OS_FILE_H
#define BREAKGLASS_OS_FILE_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <sys/types.h>

enum bg_file_flags {
	BG_FILE_PRIVATE = 1,	/* no permission for group and others */
	BG_FILE_ANY_FOLDER = 2, /* do not judge the folders above (a command's own argument) */
	BG_FILE_ANY_OWNER = 4,	/* a command's own argument */
	BG_FILE_EXCLUSIVE = 8	/* replace: never overwrite (RULES S17) */
};

/* Reads a whole file of at most size - 1 bytes into buf, terminated. Owner must be root or the
   euid, not writable by group or others, one link. BG_ERR_NOENT, _UNSAFE, _TOO_BIG, _IO. */
BG_CHECKED enum bg_err bg_file_read(const char *path, unsigned int flags, char *buf, size_t size,
	size_t *ret_len, struct bg_diag *diag);

/* Replaces path atomically: temporary file beside it (mode given, owner the euid), write, fsync,
   rename (or link for BG_FILE_EXCLUSIVE: BG_ERR_DUPLICATE if it is there), fsync of the folder.
   A process killed at any point leaves the old or the new. */
BG_CHECKED enum bg_err bg_file_replace(const char *path, unsigned int flags, mode_t mode,
	const void *data, size_t len, struct bg_diag *diag);

/* True if anything is at path, whatever it is: one call of the stat(2) family, nothing opened, no
   link followed. Else false and *ret_errno. */
bool bg_path_exists(const char *path, int *ret_errno);

/* Is path a safe folder (root's or the euid's, not writable by others, no link on the way)? */
BG_CHECKED enum bg_err bg_folder_check(const char *path, struct bg_diag *diag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What log.c, carry.c and log_read.c share: the folder of the chain in /run, its
 * locks, its head. Names within the folder:
 *   lock      writers, held for one record
 *   carry     breakglass-carry and readers of the whole chain
 *   head      "SEQ HASH\n" of the newest record
 *   pending   lines not yet carried
 *   carrying  pending, renamed away while it is being carried
 */
#ifndef BREAKGLASS_LIB_CHAIN_H
#define BREAKGLASS_LIB_CHAIN_H

#include <breakglass/event.h>

#define BG_CHAIN_LOCK	  "lock"
#define BG_CHAIN_CARRY	  "carry"
#define BG_CHAIN_HEAD	  "head"
#define BG_CHAIN_PENDING  "pending"
#define BG_CHAIN_CARRYING "carrying"
#define BG_CHAIN_WAIT_MS  600

/* The chain's end, as its writers know it. */
struct bg_chain_head {
	bool is_known;
	uint64_t seq;
	uint8_t hash[BG_SHA256_LEN];
};

void bg_fd_close(int *fd); /* also as cleanup; -1 is fine */

/* Opens a folder component by component, no link followed; each must be root's (or the euid's) and
   not writable by others. The last two components are made (0700) when may_create. */
BG_CHECKED enum bg_err bg_chain_folder(
	const char *path, bool may_create, int *ret, struct bg_diag *diag);
/* Opens a regular file in dir that is root's (or the euid's), of one link and mode 0600. */
BG_CHECKED enum bg_err bg_chain_file(
	int dir, const char *name, int flags, int *ret, struct bg_diag *diag);
/* Takes the lock file `name` by flock(2), waiting until deadline_ms (CLOCK_BOOTTIME) at the most:
   BG_ERR_BUSY. Closing *ret gives it back. */
BG_CHECKED enum bg_err bg_chain_lock(
	int dir, const char *name, uint64_t deadline_ms, int *ret, struct bg_diag *diag);

/* Under the lock: where the chain ends. Follows pending where a writer died before it could
   replace the head, and takes back half a line that it left. */
BG_CHECKED enum bg_err bg_chain_find_head(
	struct bg_crypto *crypto, int dir, struct bg_chain_head *ret, struct bg_diag *diag);
/* The head file alone. BG_ERR_NOENT, BG_ERR_SYNTAX. */
BG_CHECKED enum bg_err bg_chain_read_head(int dir, struct bg_chain_head *ret);
BG_CHECKED enum bg_err bg_chain_write_head(int dir, const struct bg_chain_head *head);
/* The head that the last whole line of a file of the chain stands for; is_known false: it has no
   line, or one that cannot be read. *ret_end: bytes up to and with the last LF. */
BG_CHECKED enum bg_err bg_chain_last_line(
	struct bg_crypto *crypto, int fd, struct bg_chain_head *ret, uint64_t *ret_end);
/* Under the lock: appends line (len bytes, terminated by LF here) to pending, whole or not at all,
   then moves *head on. */
BG_CHECKED enum bg_err bg_chain_append(struct bg_crypto *crypto, int dir, const char *line,
	size_t len, struct bg_chain_head *head);

#endif

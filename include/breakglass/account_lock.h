/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock of `revoke --lock`: accounts/NAME/locked, root's, written by rename.
 * It shuts nothing for good. What began before it goes on nowhere; a request
 * that is opened after it and gets its own key and quorum opens, and lifts it.
 * Before and after are told by the lock's random id alone: a request remembers
 * the id that was in force when it was opened. No clock is asked.
 */
#ifndef BREAKGLASS_ACCOUNT_LOCK_H
#define BREAKGLASS_ACCOUNT_LOCK_H

#include <breakglass/err.h>
#include <stddef.h>
#include <stdint.h>

#define BG_LOCK_ID_LEN	 16
#define BG_LOCK_TIME_LEN 20
#define BG_LOCK_BY_LEN	 64
#define BG_LOCK_FILE_LEN 512 /* bytes; a longer file is damaged */

struct bg_account_lock {
	uint8_t id[BG_LOCK_ID_LEN];    /* random; zeros stand for "never locked" */
	char at[BG_LOCK_TIME_LEN + 1]; /* RFC 3339, UTC: for people, never compared */
	char by[BG_LOCK_BY_LEN + 1];   /* "root (ops)" */
};

/* `[lock]` id, at, by: all required; an id of zeros is BG_ERR_RANGE. Errors as bg_ini_parse. */
BG_CHECKED enum bg_err bg_account_lock_parse(const char *text, size_t len, const char *where,
	struct bg_account_lock *ret, struct bg_diag *diag);
/* BG_ERR_TOO_BIG. Terminated. */
BG_CHECKED enum bg_err bg_account_lock_write(
	const struct bg_account_lock *lock, char *ret, size_t ret_size, size_t *ret_len);

#endif

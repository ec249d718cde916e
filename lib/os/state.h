/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of lib/os/state_*.c share: the lock, and records in folders. */
#ifndef BREAKGLASS_LIB_STATE_H
#define BREAKGLASS_LIB_STATE_H

#include <breakglass/record.h>
#include <stdbool.h>

#define BG_STATE_NAME_LEN 48 /* of a record's file, with NUL */

/* Takes the one lock below /run/breakglass; waits a second at the most. BG_ERR_BUSY, _IO.
   Ownership of *ret: the caller's, until bg_state_unlock (also as cleanup). */
BG_CHECKED enum bg_err bg_state_lock(int *ret);
void bg_state_unlock(int *lock);

/* One record's bytes, FOLDER/NAME. */
BG_CHECKED enum bg_err bg_state_read(const char *folder, const char *name,
	uint8_t buf[static BG_RECORD_MAX_LEN], size_t *ret_len);
BG_CHECKED enum bg_err bg_state_write(
	const char *folder, const char *name, const struct bg_writer *w);
/* The name of what belongs to a process: pids come again, with another start. */
void bg_state_process_name(const struct bg_process *process, char ret[static BG_STATE_NAME_LEN]);
void bg_state_remove(const char *folder, const char *name);
/* Calls each for at most max names of a folder that consist of [0-9a-f.-]. */
void bg_state_list(
	const char *folder, size_t max, void (*each)(void *arg, const char *name), void *arg);
/* Is there a record? One stat, nothing is opened. */
bool bg_state_is_there(const char *folder, const char *name);
/* Removes what killed writers left half-written in a folder that is only written under the lock,
   which the caller holds. */
void bg_state_tidy(const char *folder);
/* Is boot_id the id of this boot? */
bool bg_state_is_this_boot(const char *boot_id);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs bg-fido2 from inside somebody else's process: cloned without an exit
 * signal, so that the host's SIGCHLD never learns of it and its wait() never
 * reaps it; fixed argv, empty environment, default signals, only descriptors
 * 0 to 2; killed when it outlives its time. Descriptors before = after.
 */
#ifndef BREAKGLASS_OS_HELPER_H
#define BREAKGLASS_OS_HELPER_H

#include <breakglass/fido2.h>

/* Sends a message of len bytes to a fresh helper at path and waits for its reply of at most size
   bytes, at most timeout_secs. ret may be request's own bytes. BG_ERR_HELPER, BG_ERR_TIMEOUT or
   BG_ERR_IO. */
BG_CHECKED enum bg_err bg_helper_exchange(const char *path, unsigned int timeout_secs,
	const uint8_t *request, size_t len, uint8_t *ret, size_t size, size_t *ret_len,
	struct bg_diag *diag);

/* Sends request to a fresh helper and waits for its reply, at most timeout_secs + 10 seconds.
   Returns BG_OK when a well-formed reply came (its own err is inside), else BG_ERR_HELPER,
   BG_ERR_TIMEOUT or BG_ERR_IO. path: BG_PATH_FIDO2 (tests of the command may name another). */
BG_CHECKED enum bg_err bg_helper_run(const char *path, const struct bg_fido2_request *request,
	struct bg_fido2_reply *ret, struct bg_diag *diag);

/* As bg_program_run, for output that may hold NUL: *ret_len bytes of it (also on an error: what was
   said until then; BG_ERR_ARGUMENT: 0), and a NUL behind them. */
BG_CHECKED enum bg_err bg_program_collect(const char *const argv[], const char *input,
	unsigned int timeout_secs, char *out, size_t out_size, size_t *ret_len, int *ret_status,
	struct bg_diag *diag);
/* Runs argv (absolute path, NULL-terminated, empty environment but
   PATH=/usr/sbin:/usr/bin:/sbin:/bin) with stdin from input, collecting at most out_size - 1 bytes
   of stdout+stderr; for the command (visudo, sshd -t, ...), never used by the module. *ret_status:
   the exit status. BG_ERR_TIMEOUT after timeout_secs. */
BG_CHECKED enum bg_err bg_program_run(const char *const argv[], const char *input,
	unsigned int timeout_secs, char *out, size_t out_size, int *ret_status,
	struct bg_diag *diag);

#endif

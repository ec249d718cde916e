/* SPDX-License-Identifier: BSD-2-Clause */
/* Envelopes: age files sealed to a set's recipient. What `combine --open` and `reseal` share. */
#ifndef BG_UNLOCK_ENVELOPE_H
#define BG_UNLOCK_ENVELOPE_H

#include <breakglass/os_age.h>
#include <breakglass/seal.h>

#define BG_ENVELOPE_SECS 600 /* for one, however big */
/* An identity as age reads it: a line. */
#define BG_ENVELOPE_IDENTITY_SIZE (BG_AGE_IDENTITY_LEN + 2)

/* Opens the file at path for reading if it can be an envelope, and age is there to open it. The
   exit status, the reason printed; recipient: of the seal, for the hint. */
BG_CHECKED int bg_envelope_take(const char *path, const char *recipient, int *ret_fd);
/* The identity's line. ret: BG_ENVELOPE_IDENTITY_SIZE bytes, as secret as the scalar. */
BG_CHECKED enum bg_err bg_envelope_identity(const struct bg_secret *envelope, char *ret);
/* Prints why path could not be opened, or not sealed anew; the exit status. */
BG_CHECKED int bg_envelope_fail(const char *path, enum bg_err err, const struct bg_diag *diag);
/* Records on a protected host, as root, that an envelope of seal's set was opened by shares of
   these custodians. False: it is no such host, nothing was recorded. */
BG_CHECKED bool bg_envelope_record(struct bg_crypto *crypto, const struct bg_seal *seal,
	const char *custodians, const char *result);

#endif

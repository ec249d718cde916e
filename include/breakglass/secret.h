/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets have short lives: fixed-size structs, passed by pointer, wiped by a
 * cleanup attribute on every path. Nothing here can print one.
 */
#ifndef BREAKGLASS_SECRET_H
#define BREAKGLASS_SECRET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BG_SECRET_MAX_LEN 32 /* bytes of a share's value or of the quorum secret */

/* A share's value, the quorum secret or a key's seed: 16 or 32 bytes. len 0: empty. */
struct bg_secret {
	uint8_t bytes[BG_SECRET_MAX_LEN];
	size_t len;
};

static inline void bg_secret_wipe(struct bg_secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

/* `BG_WIPE(bg_secret_wipe) struct bg_secret s = { 0 };` wipes s when it leaves scope. */
#define BG_WIPE(fn) __attribute__((cleanup(fn)))

/* For fixed byte arrays: `uint8_t b[32]; ... bg_wipe(b, sizeof(b));` */
static inline void bg_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's randomness, and nothing else: a failure aborts what needed it,
 * there is no fallback (RULES S05).
 */
#ifndef BREAKGLASS_OS_RANDOM_H
#define BREAKGLASS_OS_RANDOM_H

#include <breakglass/crypto.h>

/* Fills ret with len bytes of getrandom(2), which waits until the kernel's pool is seeded; an
   interruption is retried. 0; anything else: failed or short, ret is wiped. arg is ignored. */
bg_random_fn bg_os_random;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BREAKGLASS_OS_RANDOM_H
#define BREAKGLASS_OS_RANDOM_H

#include <stddef.h>

/* A bg_random_fn: len bytes of getrandom(2), no fallback. 0 on success, -1 otherwise. arg unused. */
int bg_os_random(void *arg, void *ret, size_t len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the Nth of the calls fail that a loaded object makes to libc, libpam
 * and libcrypto: its relocations are turned to wrappers that count. Nothing
 * else in the process is touched.
 */
#ifndef BG_TESTS_FAULT_H
#define BG_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Wraps the calls of the loaded object whose path ends so; how many functions were found. */
int fault_wrap(const char *object);
/* The nth call from now on fails; 0: none does. */
void fault_arm(unsigned int nth);
/* Calls counted since then, and the function that failed, or NULL. */
unsigned int fault_calls(void);
const char *fault_fired(void);
/* The object will be asked to free p; was anything so watched freed with other bytes than zeros? */
void fault_watch(const char *p, size_t len);
bool fault_was_unwiped(void);

#endif

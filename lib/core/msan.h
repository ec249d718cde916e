/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MemorySanitizer sees no writes of libraries that were built without it
 * (libcrypto, libyubikey): their outputs are declared initialised here. Empty in
 * every other build.
 */
#ifndef BG_LIB_MSAN_H
#define BG_LIB_MSAN_H

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define bg_foreign_output(p, len) __msan_unpoison(p, len)
#endif
#endif
#ifndef bg_foreign_output
#define bg_foreign_output(p, len) ((void)(p), (void)(len))
#endif

#endif

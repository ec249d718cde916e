/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits that whoever calls su(1) sets for our code as well: with a file size
 * of nought SIGXFSZ would end it before an attempt is counted, or a record
 * would be left out of the chain. Root may pass them, so it does, for the time
 * of the write; the host gets them back as they were (RULES P16).
 */
#ifndef BREAKGLASS_LIB_LIMITS_H
#define BREAKGLASS_LIB_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct bg_limits {
	struct rlimit file_size, files;
	bool has_file_size, has_files; /* changed, to be put back */
};

/* Lifts what stands in the way of small files; without the privilege it leaves them. */
void bg_limits_lift(struct bg_limits *ret);
void bg_limits_restore(struct bg_limits *limits); /* also as cleanup */

/* May a file grow to size bytes, or would that draw SIGXFSZ? */
bool bg_limits_allow(off_t size);

#endif

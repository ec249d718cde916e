/* SPDX-License-Identifier: BSD-2-Clause */
/* What spool.c needs of alerted.c. */
#ifndef BREAKGLASS_LIB_SPOOL_H
#define BREAKGLASS_LIB_SPOOL_H

#include <stddef.h>
#include <stdint.h>

/* Notes what the record of an alert was about, before anybody can answer to it. */
void bg_alerted_note(uint64_t id, const char *line, size_t len);

#endif

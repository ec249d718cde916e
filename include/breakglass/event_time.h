/* SPDX-License-Identifier: BSD-2-Clause */
/* The time in a record, read back. */
#ifndef BREAKGLASS_EVENT_TIME_H
#define BREAKGLASS_EVENT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970 of a time as bg_clock_wall_text writes it, and nothing else:
   "2026-11-21T08:55:51.123Z", a day of the calendar from 1970 to 9999 (RFC 3339, UTC; no leap
   seconds, of which the clock knows none). Reads no TZ, as libc's timegm(3) does. False: it is none
   and nothing is written. */
bool bg_event_time_read(const char *text, int64_t *ret_ms);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the process a module must leave as it was (RULES P16). */
#ifndef BG_TESTS_SNAPSHOT_H
#define BG_TESTS_SNAPSHOT_H

#include <stdbool.h>

#define SNAPSHOT_LEN 65536

/* One "name value" line for each: ids, groups, umask, folder, signals, limits, locale, environment.
 */
void snapshot_take(char ret[static SNAPSHOT_LEN]);
/* Unusual ones of each, as a host might have them; SIGCHLD ignored if it may be. */
void snapshot_make_odd(bool may_ignore_children);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where names come from: the lines of nsswitch.conf(5). */
#ifndef BREAKGLASS_SOURCES_H
#define BREAKGLASS_SOURCES_H

#include <stdbool.h>

#define BG_PATH_NSSWITCH "/etc/nsswitch.conf"
#define BG_SOURCES_LEN	 256
#define BG_SOURCE_LEN	 64

/* The sources of a database in that file's text, without the comment; "": it has no such line. */
void bg_sources_find(const char *text, const char *database, char ret[static BG_SOURCES_LEN]);
/* Needs it nothing but this host's files? */
bool bg_source_is_local(const char *source);
/* Is there a source that is not local (before_local: before any that is)? ret: the first. */
bool bg_sources_first(const char *sources, bool before_local, char ret[static BG_SOURCE_LEN]);

#endif

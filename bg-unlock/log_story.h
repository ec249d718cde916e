/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as a story: records are gathered by their request, then told in plain sentences. */
#ifndef BG_UNLOCK_LOG_STORY_H
#define BG_UNLOCK_LOG_STORY_H

#include <breakglass/os_log_read.h>

struct bg_story;

struct bg_story *bg_story_new(void); /* NULL: out of memory */
void bg_story_free(struct bg_story **story);
/* As bg_log_visitor.on_line; arg: the story. The line is copied. */
void bg_story_add(void *arg, const struct bg_log_line *line);
/* False: memory ran out while it was gathered. */
bool bg_story_is_whole(const struct bg_story *story);
void bg_story_print(const struct bg_story *story); /* to stdout */

#endif

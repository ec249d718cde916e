/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ceremony is to do: from a file, from options, or asked for. Options and
 * answers are put together as a plan's text and go through the same reader, so
 * that there is one place that says what is allowed.
 */
#ifndef BG_UNLOCK_PLAN_H
#define BG_UNLOCK_PLAN_H

#include "tty.h"

#include <breakglass/conf.h>

struct bg_plan_options {
	const char *account, *file;
	const char *zone, *threshold, *strength;
	const char *custodians[BG_CUSTODIANS_MAX]; /* NAME[=PHONE] */
	const char *keys[BG_KEYS_MAX];		   /* NAME=HOLDER[@DEVICE] */
	const char *ssh_keys[BG_KEYS_MAX];	   /* NAME=FILE.pub; not part of the plan's text */
	size_t custodian_count, key_count, ssh_key_count;
};

/* The plan; asks at tty (NULL: nobody to ask) for what is missing. The exit status. */
BG_CHECKED int bg_plan_make(
	const struct bg_plan_options *options, struct bg_tty *tty, struct bg_plan *ret);
/* Is anything missing that bg_plan_make would ask for? */
bool bg_plan_is_complete(const struct bg_plan_options *options);
/* Warnings: a holder who is a custodian, one key only. */
void bg_plan_warn(const struct bg_plan *plan);

#endif

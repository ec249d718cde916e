/* SPDX-License-Identifier: BSD-2-Clause */
/* Who stays, leaves and comes at a reseal: the options made into the new seal's people and keys. */
#ifndef BG_UNLOCK_CHANGE_H
#define BG_UNLOCK_CHANGE_H

#include "tty.h"

#include <breakglass/conf.h>

struct bg_change_options {
	const char *threshold;
	const char *replace[BG_CUSTODIANS_MAX]; /* OLD=NEW[=PHONE] */
	const char *add[BG_CUSTODIANS_MAX];	/* NAME[=PHONE] */
	const char *remove[BG_CUSTODIANS_MAX];
	const char *add_key[BG_KEYS_MAX]; /* NAME=HOLDER[@DEVICE] */
	const char *remove_key[BG_KEYS_MAX];
	size_t replace_count, add_count, remove_count, add_key_count, remove_key_count;
};

/* One option of the command line: "--WHAT value", letter as in the verb's table of options
   (R replace, A add, D remove, K add-key, L remove-key, T threshold). The exit status. */
BG_CHECKED int bg_change_option(struct bg_change_options *options, int letter, const char *value);
bool bg_change_is_any(const struct bg_change_options *options);

/* Changes custodians, keys and threshold of seal, which holds the old ones, and the telephone
   numbers. Leaving first, then replacing, then coming. New keys have a name and a holder only:
   they are seal->keys from *ret_kept_keys on. *ret_plan: all of it as a ceremony's plan would say
   it. The exit status, the reason printed. */
BG_CHECKED int bg_change_apply(const struct bg_change_options *options, struct bg_seal *seal,
	struct bg_contacts *contacts, struct bg_plan *ret_plan, size_t *ret_kept_keys);

/* Says what next changes of prev, a few lines of at most 79 columns: to tty, or without one as
   notes. */
void bg_change_show(struct bg_tty *tty, const struct bg_seal *prev, const struct bg_seal *next);

#endif

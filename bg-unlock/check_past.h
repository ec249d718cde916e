/* SPDX-License-Identifier: BSD-2-Clause */
/* What `check` needs of the whole chain: read and hashed once a run, for all rows and accounts. */
#ifndef BG_UNLOCK_CHECK_PAST_H
#define BG_UNLOCK_CHECK_PAST_H

#include "check.h"
#include "drill.h"
#include "usage.h"

struct bg_check_past {
	enum bg_err err; /* it could not be read; no log at all is none */
	struct bg_log_totals totals;
	struct bg_usage *usage; /* NULL unless err is BG_OK */
	struct bg_drill_pasts drills;
};

/* Reads it at the first call. Good until bg_check_past_end. */
const struct bg_check_past *bg_check_past(const struct bg_check *check);
void bg_check_past_end(void);

#endif

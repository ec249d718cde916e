/* SPDX-License-Identifier: BSD-2-Clause */
/* The printed pages: plain text, 80 columns, to stdout. */
#ifndef BG_UNLOCK_SHEET_H
#define BG_UNLOCK_SHEET_H

#include <breakglass/conf.h>
#include <breakglass/slip39.h>

/* The custodian's page, with numbered blanks, or filled in from share. The exit status. */
BG_CHECKED int bg_sheet_custodian(const struct bg_seal *seal, size_t custodian,
	const struct bg_contacts *contacts, const struct bg_slip39_share *share);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* /etc/passwd read as a file, never through NSS (DESIGN section 5, RULES P13, P14). */
#ifndef BREAKGLASS_OS_PASSWD_H
#define BREAKGLASS_OS_PASSWD_H

#include <breakglass/err.h>
#include <stdint.h>

struct bg_passwd {
	uint32_t uid, gid;
	char home[256];
	char shell[256];
};

/* The entry whose name is byte for byte name. BG_ERR_NOENT; BG_ERR_DUPLICATE: the name or its uid
   stands twice; BG_ERR_SYNTAX: a broken line of that name. */
BG_CHECKED enum bg_err bg_passwd_find(
	const char *name, struct bg_passwd *ret, struct bg_diag *diag);
/* The same, of another file (for --root). */
BG_CHECKED enum bg_err bg_passwd_find_in(
	const char *path, const char *name, struct bg_passwd *ret, struct bg_diag *diag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of /etc/pam.d as lists of lines. */
#ifndef BG_UNLOCK_PAM_STACK_H
#define BG_UNLOCK_PAM_STACK_H

#include "install.h"

#define BG_PAM_OURS	 "pam_breakglass.so"
#define BG_PAM_LINES_MAX 64

struct bg_pam_line {
	/* type "@": an include, module the file; module without its folder; rest: the options */
	char type[16], control[160], module[96], rest[256];
};

struct bg_pam_stack {
	char name[64];
	size_t count;
	struct bg_pam_line lines[BG_PAM_LINES_MAX];
};

/* /etc/pam.d/NAME of the tree, as bg_file_read. */
BG_CHECKED enum bg_err bg_pam_stack_read(const struct bg_tree *tree, const char *name,
	struct bg_pam_stack *ret, struct bg_diag *diag);

/* Does the line include another file's lines of this type? By @include, include or substack. */
bool bg_pam_is_include(const struct bg_pam_line *line, const char *type);

/* Calls each for every line of this type (auth, account) that an emergency account meets in a
   service, included files too: not those that a success of ours passes over, nor our own. file:
   where the line stands. Files that cannot be read have no lines. */
typedef void bg_pam_meet_fn(void *arg, const char *file, const struct bg_pam_line *line);
void bg_pam_meet(const struct bg_tree *tree, const char *service, const char *type,
	bg_pam_meet_fn *each, void *arg);

#endif

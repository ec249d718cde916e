/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `drill`: the whole path of a door gone once, for practice. The door's PAM stack
 * runs in a child of ours, so that what hangs in it hangs nothing else, and so that
 * --offline shuts nobody else's network; what it has come to stands in memory that
 * both see.
 */
#ifndef BG_UNLOCK_DRILL_H
#define BG_UNLOCK_DRILL_H

#include "bg-unlock.h"

#include <breakglass/conf.h>
#include <breakglass/os_state.h>

#define BG_DRILL_SECS	   180 /* what the whole way may take */
#define BG_DRILL_CODE_LEN  6
#define BG_DRILL_STEPS_MAX (BG_CUSTODIANS_MAX + 8)

struct bg_drill_step {
	char name[BG_NAME_LEN + 16];	  /* "ops counted" */
	char short_name[BG_NAME_LEN + 1]; /* "ops", for the record */
	uint64_t at_ms;			  /* CLOCK_BOOTTIME */
};

/* Shared by parent and child; written by the child only. */
struct bg_drill_run {
	struct bg_drill drill;
	bool is_marked;
	bool is_asking;	    /* a person's time, not the host's */
	uint64_t turned_ms; /* when that last changed */
	size_t step_count;
	struct bg_drill_step steps[BG_DRILL_STEPS_MAX];
	bool is_good;
	char failed_at[64], why[256]; /* unless it is good */
};

struct bg_drill_options {
	const char *account;
	const char *id;
	const char *door;
	bool is_offline;
};

/* The child's part: marks itself, goes through the stack at the terminal, notes its steps. The seal
   names the custodians. (drill_pam.c) */
void bg_drill_go(struct bg_crypto *crypto, const struct bg_drill_options *options,
	const struct bg_seal *seal, struct bg_drill_run *run);
/* A network of our own without any, and nothing where sources of names are asked. (drill_offline.c)
 */
BG_CHECKED enum bg_err bg_drill_go_offline(struct bg_diag *diag);

/* What the chain says of an account's drills. (drill_log.c) */
struct bg_drill_past {
	char account[BG_ACCOUNT_LEN + 1];
	bool has_any, has_passed;
	uint32_t passed_secs; /* what the last passed one took */
	int64_t passed_time;  /* seconds since 1970 */
	char passed_id[BG_DRILL_ID_LEN + 1];
	bool is_confirmed;    /* an alert of that one arrived, says a person */
	char last_result[16]; /* of the last one: passed, late, failed */
	char last_id[BG_DRILL_ID_LEN + 1];
	char started_id[BG_DRILL_ID_LEN + 1]; /* of the last one that began */
	bool is_start_confirmed;	      /* its alert, perhaps before it ended */
};
#define BG_DRILL_PASTS_MAX 64
struct bg_drill_pasts {
	size_t count;
	bool is_short; /* more accounts than that */
	struct bg_drill_past of[BG_DRILL_PASTS_MAX];
};
struct bg_log_line;
/* As bg_log_visitor.on_line; arg: struct bg_drill_pasts, nought at first. */
void bg_drill_pasts_add(void *arg, const struct bg_log_line *line);
/* `drill --confirm CODE`. */
int bg_drill_confirm(struct bg_crypto *crypto, const char *code);

#endif

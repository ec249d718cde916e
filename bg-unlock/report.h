/* SPDX-License-Identifier: BSD-2-Clause */
/* `log report`: what an auditor gets of one use. */
#ifndef BG_UNLOCK_REPORT_H
#define BG_UNLOCK_REPORT_H

#include "log.h"

#define BG_REPORT_PARTS_MAX 16
#define BG_REPORT_PART_LEN  (64UL << 20)

struct bg_report {
	struct bg_crypto *crypto;
	const struct bg_chapter *chapter;
	const char *id; /* hex: the digest, before it is fixed the nonce */
	char account[BG_VALUE_LEN];
	uint32_t uid, epoch; /* 0: not known */
	int64_t from_ms, to_ms;
	char *text; /* of the part being made: BG_REPORT_PART_LEN bytes */
	size_t len;
	bool is_cut;
};

/* Adds to the part's text; what does not fit sets is_cut. */
void bg_report_add(struct bg_report *report, const char *text, size_t len);

void bg_report_say(struct bg_report *r, const char *fmt, ...) BG_PRINTF(2, 3);
void bg_report_line(struct bg_report *r, const char *line);
/* What a program says is the part; its end if it failed. */
void bg_report_run(struct bg_report *r, const char *const argv[]);
/* Calls each with every line of a file, without its end; false: there is no such
   regular file. */
bool bg_report_each_line(const char *path, struct bg_report *r,
	void (*each)(struct bg_report *r, void *arg, const char *line), void *arg);

/* What auditd and sudo know (report_audit.c, report_sudo.c). */
void bg_report_commands(struct bg_report *r);
void bg_report_files(struct bg_report *r);
void bg_report_audit(struct bg_report *r);
void bg_report_sudo_io(struct bg_report *r);
void bg_report_recording(struct bg_report *r);

struct bg_report_part {
	const char *name; /* the file's */
	const char *what; /* it is: for the list in the report */
	void (*make)(struct bg_report *report);
};
/* Ends with a name of NULL. Parts that the host cannot give say so in their file. */
extern const struct bg_report_part bg_report_parts[];

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heads that others know, against the chain as it is read: each must be in
 * it with its hash. They are gathered before the chain is read, since a record
 * is in the chain before anybody else hears of it. For the command only: this
 * uses the heap.
 */
#ifndef BREAKGLASS_OS_HEADS_H
#define BREAKGLASS_OS_HEADS_H

#include <breakglass/head.h>
#include <breakglass/os_log_read.h>

#define BG_HEADS_SOURCES_MAX 32
#define BG_HEADS_SOURCE_LEN  64
#define BG_HEADS_MAX	     (1UL << 22)

struct bg_heads; /* opaque */

struct bg_heads *bg_heads_new(void); /* NULL: out of memory */
void bg_heads_free(struct bg_heads **heads);

/* What root's processes sent to the journal: asks journalctl, at most a minute. *ret_count (of each
   function): heads found. BG_ERR_NOENT: no journalctl, or no journal. BG_ERR_TOO_BIG: more than
   are taken. */
BG_CHECKED enum bg_err bg_heads_add_journal(
	struct bg_heads *heads, size_t *ret_count, struct bg_diag *diag);
/* A file: a syslog, a list of SEQ:HASH, or a copy of the chain's own lines; lines that hold no
   head are passed over, and so are those of more than 16 KiB. is_syslog: anybody may have written
   its lines, so what it knows alone is a doubt and no proof. crypto NULL: a syslog that nobody
   asked for, so the chain's own lines are not looked for, and what is no regular file is not
   there. BG_ERR_NOENT, _IO, _TOO_BIG. */
BG_CHECKED enum bg_err bg_heads_add_file(struct bg_crypto *crypto, struct bg_heads *heads,
	const char *path, bool is_syslog, size_t *ret_count, struct bg_diag *diag);

/* Before the chain is read, and once only after the last was added. */
void bg_heads_sort(struct bg_heads *heads);
/* As bg_log_visitor.on_line: marks what the record shows to be there. */
void bg_heads_meet(struct bg_heads *heads, const struct bg_log_line *line);

struct bg_heads_finding {
	bool is_other;	    /* the number is there, with another hash */
	bool is_doubt;	    /* only a syslog knows it */
	const char *source; /* who knows it: "the journal" or a file */
	uint64_t seq, last_seq;
};
struct bg_heads_totals {
	size_t count;	/* heads, each once */
	size_t damages; /* findings that are proofs */
	size_t doubts;	/* the others */
	size_t before;	/* heads of records before the first that is here */
};
/* After the chain was read: what of the heads is not in it, those in a row together. first: the
   number of the chain's first record, when it does not begin with 1, else 0 or 1. each may be
   NULL. */
void bg_heads_judge(const struct bg_heads *heads, uint64_t first,
	void (*each)(void *arg, const struct bg_heads_finding *finding), void *arg,
	struct bg_heads_totals *ret);
/* One sentence. Terminated. */
void bg_heads_finding_text(const struct bg_heads_finding *finding, char *ret, size_t ret_size);

#endif

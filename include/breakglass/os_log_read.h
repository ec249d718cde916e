/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole chain read back: the segments in /var/lib/breakglass/log, then what
 * breakglass-carry has not yet taken from /run. Each record names the hash of
 * the one before, so what was changed, removed or moved shows; what was cut off
 * at the end shows against the head in /run (of this boot) and against the
 * numbers and hashes that journal and syslog carry (os_heads.h). The oldest
 * segments may be moved elsewhere whole, never the newest.
 */
#ifndef BREAKGLASS_OS_LOG_READ_H
#define BREAKGLASS_OS_LOG_READ_H

#include <breakglass/event.h>

enum bg_finding_kind {
	BG_FINDING_CHANGED,   /* the record does not have the hash that its successor names */
	BG_FINDING_MALFORMED, /* the line is no record */
	BG_FINDING_REMOVED,   /* records are missing before this line */
	BG_FINDING_MOVED,     /* the record stands out of order, or twice */
	BG_FINDING_CUT,	      /* the end is missing: half a line, or records up to the head */
	BG_FINDING_BEGINS, /* no damage: the oldest segments are not here, the chain begins later */
	BG_FINDING_RESTART, /* no damage: a new segment after the head was lost, said in DEGRADED */
	BG_FINDING_LOST /* a doubt: the same within one boot, or the head is missing now: somebody
			   removed it on a running host, and what was not carried yet */
};

#define BG_LOG_PATH_LEN 64

struct bg_finding {
	enum bg_finding_kind kind;
	char file[BG_LOG_PATH_LEN]; /* whole path */
	uint32_t line;		    /* from 1; 0: behind the last one */
	uint64_t seq, last_seq;	    /* the record, or the first and last that are missing */
};

struct bg_log_line {
	const char *file;
	uint32_t line;
	uint64_t seq;	  /* 0: the line is no record */
	const char *text; /* len bytes, not terminated: bg_event_line_field reads it */
	size_t len;
	const uint8_t *hash; /* BG_SHA256_LEN bytes; NULL: it is no link of the chain */
};

/* Either may be NULL. In the order of the files. */
struct bg_log_visitor {
	void *arg;
	void (*on_line)(void *arg, const struct bg_log_line *line);
	void (*on_finding)(void *arg, const struct bg_finding *finding);
};

struct bg_log_totals {
	uint64_t records, damages, doubts, restarts; /* restarts: LOST ones too */
	uint64_t first;				     /* number of the first record; 0: none */
	uint64_t seq;				     /* of the last record */
	uint8_t hash[BG_SHA256_LEN];
};

/* Reads and judges everything. BG_OK also when damage was found (totals->damages): errors are this
   machine's: BG_ERR_NOENT (there is no log at all), _BUSY, _IO, _UNSAFE, _MEMORY. Holds off
   breakglass-carry meanwhile, never a writer. */
BG_CHECKED enum bg_err bg_log_read(struct bg_crypto *crypto, const struct bg_log_visitor *visitor,
	struct bg_log_totals *ret, struct bg_diag *diag);

/* One sentence on a finding, with file and line. Terminated. */
void bg_finding_text(const struct bg_finding *finding, char *ret, size_t ret_size);

#endif

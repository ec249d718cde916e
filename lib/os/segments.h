/* SPDX-License-Identifier: BSD-2-Clause */
/* The segments of the chain in /var/lib/breakglass/log: numbered files, the last one appended to
   until it has BG_SEGMENT_LEN bytes. Not for the module: this uses the heap. */
#ifndef BREAKGLASS_LIB_SEGMENTS_H
#define BREAKGLASS_LIB_SEGMENTS_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BG_SEGMENT_LEN	    (4UL << 20)
#define BG_SEGMENT_NAME_LEN 24
#define BG_SEGMENT_MAX	    999999
#define BG_BYTES_MAX_LEN    (256UL << 20)

/* "segment-000001.jsonl"; number at most BG_SEGMENT_MAX. */
void bg_segment_name(uint32_t number, char ret[static BG_SEGMENT_NAME_LEN]);

struct bg_segments {
	uint32_t first, last; /* 0: there is none */
};
/* The lowest and the highest number in dir; other names are not looked at. */
BG_CHECKED enum bg_err bg_segments_list(int dir, struct bg_segments *ret, struct bg_diag *diag);

/* A file of the chain, whole. */
struct bg_bytes {
	char *p;
	size_t len;
};
BG_CHECKED enum bg_err bg_bytes_read(
	int dir, const char *name, struct bg_bytes *ret, struct bg_diag *diag);
void bg_bytes_free(struct bg_bytes *bytes); /* also as cleanup */
/* How many bytes at the start of `next` stand already at the end of `before`. */
size_t bg_bytes_overlap(const struct bg_bytes *before, const struct bg_bytes *next);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A head of the chain: a record's number and hash, as journal and syslog carry
 * it beside each record ("SEQ:HASH"). What is known elsewhere must be in the
 * chain, so a tail that was cut off here shows.
 */
#ifndef BREAKGLASS_HEAD_H
#define BREAKGLASS_HEAD_H

#include <breakglass/crypto.h>

struct bg_head {
	uint64_t seq; /* from 1 */
	uint8_t hash[BG_SHA256_LEN];
};

/* Exactly "SEQ:HASH", len bytes: a number without leading zero, 64 lower-case hex digits. */
bool bg_head_read(const char *text, size_t len, struct bg_head *ret);
/* The head in a line of a copy (len bytes, no LF): the line is SEQ:HASH and nothing else, or ends
   with " chain=SEQ:HASH" as the syslog text does. In front of it stands foreign text, which ends no
   line: it is quoted there. */
bool bg_head_find(const char *line, size_t len, struct bg_head *ret);

#endif

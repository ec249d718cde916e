/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Never silent (DESIGN section 6): each event goes exactly once to the chain in
 * /run/breakglass/log, to the journal (which passes it to syslog) or, if its
 * socket does not take it, to /dev/log. breakglass-carry takes the chain on to
 * /var/lib/breakglass/log. Needs no libsystemd, leaves no descriptor open,
 * never blocks for longer than a second, asks no environment.
 *
 * Files: log/pending (lines not yet carried), log/head ("SEQ HASH\n", replaced under the lock),
 * log/lock. Where no head is found a segment starts with the boot id and DEGRADED.
 */
#ifndef BREAKGLASS_OS_LOG_H
#define BREAKGLASS_OS_LOG_H

#include <breakglass/event.h>

struct bg_emitted {
	bool in_chain, in_journal, in_syslog, in_kmsg;
	char chain[BG_CHAIN_TEXT_LEN]; /* "SEQ:HASH" of this record */
};

/* Sends event everywhere. Never fails the caller; what took it is in ret (may be NULL).
   With must_record (GRANTED) and no chain, /dev/kmsg is tried as the last resort. */
void bg_log_event(struct bg_crypto *crypto, const char *identifier, const struct bg_event *event,
	bool must_record, struct bg_emitted *ret);
/* Is this event a record that a grant may rest on (chain or kmsg)? */
bool bg_emitted_is_recorded(const struct bg_emitted *emitted);

/* The head of the chain as far as this host's /run knows. BG_ERR_NOENT. */
BG_CHECKED enum bg_err bg_log_head(uint64_t *ret_seq, uint8_t ret_hash[static BG_SHA256_LEN]);

/* Carries log/pending to BG_PATH_VAR_LOG once (breakglass-carry's work): under the lock renames it
   away, appends it to the segment, fsync, then removes it. At boot (no head in /run) first writes
   the head from the last line in /var. *ret_count: records carried. */
BG_CHECKED enum bg_err bg_log_carry(size_t *ret_count, struct bg_diag *diag);

#endif

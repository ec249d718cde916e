/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a record goes beside the chain. None blocks beyond deadline_ms (CLOCK_BOOTTIME), raises a
   signal, or leaves a descriptor; each says whether it was taken. */
#ifndef BREAKGLASS_LIB_SINKS_H
#define BREAKGLASS_LIB_SINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* One datagram to the socket at path, with the effective ids as credentials (SCM_CREDENTIALS,
   unix(7)) and, if passed >= 0, that descriptor. errno tells why not. */
bool bg_datagram_send(
	const char *path, const void *p, size_t len, int passed, uint64_t deadline_ms);

/* The journal's native protocol: the datagram itself or, if it is too big for one, in a sealed
   memfd. */
bool bg_journal_send(const void *p, size_t len, uint64_t deadline_ms);
/* /dev/log in the classic form, facility authpriv. */
bool bg_syslog_send(int severity, const char *identifier, const char *text, uint64_t deadline_ms);
/* The kernel's ring, the last resort. */
bool bg_kmsg_send(int severity, const char *identifier, const char *text);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An event with what most events tell: neither a count nor what SESSION_CONTEXT alone has. */
#ifndef BG_TESTS_EVENT_FIXTURE_H
#define BG_TESTS_EVENT_FIXTURE_H

#include <breakglass/event.h>

static inline struct bg_event fixture_event(enum bg_event_id id)
{
	return (struct bg_event){ .id = id,
		.host = "db1",
		.account = "breakglass",
		.request = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.set = "00112233445566778899aabbccddeeff",
		.epoch = 3,
		.key = "blue",
		.holder = "Example Holder",
		.custodians = "audit, dba",
		.reason = "LDAP is down",
		.role = "identity",
		.service = "sshd",
		.origin = "192.0.2.1",
		.result = "two of three",
		.severity = -1 };
}

#endif

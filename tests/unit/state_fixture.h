/* SPDX-License-Identifier: BSD-2-Clause */
/* Records with every field set, for the tests of their bytes and of their folders. */
#ifndef BG_TESTS_STATE_FIXTURE_H
#define BG_TESTS_STATE_FIXTURE_H

#include <breakglass/record.h>
#include <stdio.h>
#include <string.h>

#define FIXTURE_BOOT "01234567-89ab-cdef-0123-456789abcdef"

static inline void fixture_text(char *p, const char *text)
{
	memcpy(p, text, strlen(text) + 1);
}

static inline struct bg_request_record fixture_request(uint8_t tag)
{
	struct bg_request_record r;

	memset(&r, 0, sizeof(r));
	r.request.purpose = BG_PURPOSE_EMERGENCY;
	memset(r.request.seal_digest, 0xa1, sizeof(r.request.seal_digest));
	fixture_text(r.request.host_label, "db1");
	fixture_text(r.request.account, "breakglass");
	r.request.uid = 990;
	fixture_text(r.request.key, "a");
	fixture_text(r.request.holder, "Kim Example");
	fixture_text(r.request.reason, "the identity provider is down");
	r.request.session_secs = 14400;
	memset(r.request.nonce, tag, sizeof(r.request.nonce));
	fixture_text(r.request.service, "sshd");
	fixture_text(r.request.origin, "2001:db8::1");
	r.phase = BG_PHASE_FIXED;
	memset(r.digest, 0xd1, sizeof(r.digest));
	fixture_text(r.boot_id, FIXTURE_BOOT);
	r.opened_ms = 1000;
	r.expires_ms = 1801000;
	r.deadline_ms = 99;
	r.owner = 0x1122334455667788;
	r.epoch = 3;
	r.reason_refusals = 1;
	r.tally.approvals[1].how = BG_HOW_TYPED_HERE;
	memset(r.tally.approvals[1].sig, 0x51, BG_ED25519_SIG_LEN);
	r.tally.approvals[15].how = BG_HOW_REMOTE;
	memset(r.tally.approvals[15].sig, 0x52, BG_ED25519_SIG_LEN);
	r.tally.has_response = true;
	r.tally.exposed = 0x5a;
	memset(r.tally.response, 0x53, BG_ED25519_SIG_LEN);
	return r;
}

static inline struct bg_grant fixture_grant(void)
{
	struct bg_grant g;

	memset(&g, 0, sizeof(g));
	fixture_text(g.boot_id, FIXTURE_BOOT);
	g.process = (struct bg_process){ .pid = 4711, .parent = 4710, .start_ticks = 123456789 };
	g.is_admitted = true;
	g.purpose = BG_PURPOSE_EMERGENCY;
	g.issued_ms = 5;
	g.expires_ms = 60005;
	fixture_text(g.account, "breakglass");
	g.uid = 990;
	fixture_text(g.service, "sshd");
	memset(g.nonce, 0x77, sizeof(g.nonce));
	return g;
}

static inline struct bg_session fixture_session(void)
{
	struct bg_session s;

	memset(&s, 0, sizeof(s));
	s.audit_session = 12;
	fixture_text(s.boot_id, FIXTURE_BOOT);
	fixture_text(s.account, "breakglass");
	s.uid = 990;
	s.opened_ms = 1;
	s.deadline_ms = UINT64_MAX;
	s.is_closed = true;
	memset(s.nonce, 0x01, sizeof(s.nonce));
	memset(s.digest, 0x02, sizeof(s.digest));
	s.epoch = 3;
	fixture_text(s.host_label, "db1");
	fixture_text(s.key, "a");
	fixture_text(s.holder, "Kim Example");
	fixture_text(s.reason, "the identity provider is down");
	fixture_text(s.custodians, "audit, dba");
	fixture_text(s.service, "sshd");
	fixture_text(s.origin, "2001:db8::1");
	fixture_text(s.role, "full");
	memset(s.set_id, 0x03, sizeof(s.set_id));
	return s;
}

static inline struct bg_drill fixture_drill(void)
{
	struct bg_drill d;

	memset(&d, 0, sizeof(d));
	fixture_text(d.boot_id, FIXTURE_BOOT);
	d.process = (struct bg_process){ .pid = 4711, .parent = 4710, .start_ticks = 123456789 };
	d.started_ms = 5;
	fixture_text(d.account, "breakglass");
	fixture_text(d.service, "sshd");
	fixture_text(d.id, "2026-Q4.db_1");
	return d;
}

#endif

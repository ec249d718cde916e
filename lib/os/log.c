/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"
#include "limits.h"
#include "sinks.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_log.h>
#include <breakglass/paths.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* For a sink that does not read, each: with the lock's wait below a second, and a use that makes
   many records is not slowed down by much. */
#define SINK_WAIT_MS 150

/* What all records of one call share. */
struct run {
	struct bg_crypto *crypto;
	const char *identifier;
	uint64_t start_ms;
	char boot_id[BG_BOOT_ID_LEN + 1];
};

/* Under the lock: makes event's line, appends it, and says where it stands. */
static enum bg_err append(const struct run *run, int dir, const struct bg_event *event,
	struct bg_chain_head *head, char ret_chain[static BG_CHAIN_TEXT_LEN])
{
	struct bg_chain_pos pos = { .seq = head->seq + 1 };
	char line[BG_EVENT_MAX_LEN], time[BG_TIME_TEXT_LEN], hash[2 * BG_SHA256_LEN + 1];
	size_t len = 0;
	enum bg_err err;

	memcpy(pos.prev, head->hash, sizeof(pos.prev));
	bg_clock_wall_text(time);
	err = bg_event_json(
		event, &pos, time, run->boot_id, run->start_ms, line, sizeof(line), &len);
	if (err == BG_OK)
		err = bg_chain_append(run->crypto, dir, line, len, head);
	if (err != BG_OK)
		return err;
	bg_hex_encode(head->hash, sizeof(head->hash), hash);
	(void)snprintf(ret_chain, BG_CHAIN_TEXT_LEN, "%" PRIu64 ":%s", head->seq, hash);
	return BG_OK;
}

/* The chain takes event; before it, where no head is found, `lost` as the first record of a new
   segment. Empty chain texts: it did not. */
static void append_all(const struct run *run, const struct bg_event *lost,
	const struct bg_event *event, char ret_lost[static BG_CHAIN_TEXT_LEN],
	char ret_event[static BG_CHAIN_TEXT_LEN])
{
	__attribute__((cleanup(bg_fd_close))) int dir = -1, lock = -1;
	struct bg_chain_head head = { 0 };
	enum bg_err err;

	if (!run->crypto)
		return;
	err = bg_chain_folder(BG_PATH_RUN_LOG, true, &dir, NULL);
	if (err == BG_OK)
		err = bg_chain_lock(
			dir, BG_CHAIN_LOCK, run->start_ms + BG_CHAIN_WAIT_MS, &lock, NULL);
	if (err == BG_OK)
		err = bg_chain_find_head(run->crypto, dir, &head, NULL);
	if (err == BG_OK && !head.is_known)
		err = append(run, dir, lost, &head, ret_lost);
	if (err == BG_OK)
		err = append(run, dir, event, &head, ret_event);
	(void)err;
}

/* Exactly once: journald passes on to syslog what it takes. */
static void deliver(const struct run *run, const struct bg_event *event, struct bg_emitted *ret)
{
	uint8_t buf[BG_EVENT_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char text[BG_EVENT_TEXT_LEN + 1];

	if (bg_event_journal(event, run->identifier, ret->chain, &w) == BG_OK)
		ret->in_journal = bg_journal_send(w.p, w.len, bg_clock_boot_ms() + SINK_WAIT_MS);
	if (ret->in_journal)
		return;
	if (bg_event_text(event, ret->chain, text, sizeof(text)) == BG_OK)
		ret->in_syslog = bg_syslog_send(bg_event_severity(event), run->identifier, text,
			bg_clock_boot_ms() + SINK_WAIT_MS);
}

static void send_kmsg(const struct run *run, const struct bg_event *event, struct bg_emitted *ret)
{
	char text[BG_EVENT_TEXT_LEN + 1];

	if (bg_event_text(event, ret->chain, text, sizeof(text)) == BG_OK)
		ret->in_kmsg = bg_kmsg_send(bg_event_severity(event), run->identifier, text);
}

void bg_log_event(struct bg_crypto *crypto, const char *identifier, const struct bg_event *event,
	bool must_record, struct bg_emitted *ret)
{
	__attribute__((cleanup(bg_limits_restore))) struct bg_limits limits = { 0 };
	struct run run = { crypto, identifier, bg_clock_boot_ms(), "unknown" };
	struct bg_emitted emitted = { 0 }, lost_emitted = { 0 };
	char result[128];
	struct bg_event lost = { .id = BG_EV_DEGRADED,
		.host = event->host,
		.result = result,
		.severity = event->severity };

	if (bg_event_type(event->id)) {
		bg_limits_lift(&limits);
		if (bg_clock_boot_id(run.boot_id) != BG_OK)
			run.boot_id[0] = '\0';
		(void)snprintf(result, sizeof(result),
			"the log's head is missing, a new segment starts in boot %s", run.boot_id);
		append_all(&run, &lost, event, lost_emitted.chain, emitted.chain);
		emitted.in_chain = emitted.chain[0] != '\0';
		if (lost_emitted.chain[0])
			deliver(&run, &lost, &lost_emitted);
		deliver(&run, event, &emitted);
		if (must_record && !emitted.in_chain)
			send_kmsg(&run, event, &emitted);
	}
	if (ret)
		*ret = emitted;
}

bool bg_emitted_is_recorded(const struct bg_emitted *emitted)
{
	return emitted->in_chain || emitted->in_kmsg;
}

enum bg_err bg_log_head(uint64_t *ret_seq, uint8_t ret_hash[static BG_SHA256_LEN])
{
	__attribute__((cleanup(bg_fd_close))) int dir = -1;
	struct bg_chain_head head = { 0 };
	enum bg_err err = bg_chain_folder(BG_PATH_RUN_LOG, false, &dir, NULL);

	if (err == BG_OK)
		err = bg_chain_read_head(dir, &head);
	if (err != BG_OK)
		return err;
	*ret_seq = head.seq;
	memcpy(ret_hash, head.hash, sizeof(head.hash));
	return BG_OK;
}

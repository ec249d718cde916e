/* SPDX-License-Identifier: BSD-2-Clause */
/* CTAPHID, CTAP 2.1 §11.2: packets to messages and back. */
#include <string.h>

#include "softkey.h"

enum {
	CMD_PING = 0x01,
	CMD_INIT = 0x06,
	CMD_CBOR = 0x10,
	CMD_CANCEL = 0x11,
	CMD_KEEPALIVE = 0x3b,
	CMD_ERROR = 0x3f,
	CMD_BIT = 0x80,
	ERR_INVALID_CMD = 0x01,
	ERR_INVALID_LEN = 0x03,
	ERR_INVALID_SEQ = 0x04,
	ERR_MSG_TIMEOUT = 0x05,
	ERR_CHANNEL_BUSY = 0x06,
	ERR_INVALID_CHANNEL = 0x0b,
	FIRST_LEN = SK_REPORT_LEN - 7,
	MORE_LEN = SK_REPORT_LEN - 5,
	INIT_LEN = 8,
	CAP_CBOR = 0x04,
	CAP_NMSG = 0x08,
};

#define CID_BROADCAST UINT32_C(0xffffffff)

static void sk_put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t sk_get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void sk_hid_send(
	struct sk_key *k, uint32_t cid, uint8_t cmd, const uint8_t *data, size_t len)
{
	uint8_t report[SK_REPORT_LEN] = { 0 };
	size_t part = len < FIRST_LEN ? len : FIRST_LEN;

	sk_put32(report, cid);
	report[4] = (uint8_t)(CMD_BIT | cmd);
	report[5] = (uint8_t)(len >> 8);
	report[6] = (uint8_t)(len & 0xff);
	if (part > 0)
		memcpy(report + 7, data, part);
	sk_port_send(k, report);
	for (uint8_t seq = 0; part < len; seq++) {
		size_t more = len - part < MORE_LEN ? len - part : MORE_LEN;

		memset(report + 4, 0, sizeof(report) - 4);
		report[4] = seq;
		memcpy(report + 5, data + part, more);
		sk_port_send(k, report);
		part += more;
	}
}

static void sk_hid_error(struct sk_key *k, uint32_t cid, uint8_t code)
{
	sk_hid_send(k, cid, CMD_ERROR, &code, 1);
}

void sk_hid_keepalive(struct sk_key *k, uint8_t status)
{
	sk_hid_send(k, k->busy_cid, CMD_KEEPALIVE, &status, 1);
}

void sk_hid_reset(struct sk_key *k)
{
	memset(k->channels, 0, sizeof(k->channels));
	k->in.want = 0;
}

static bool sk_hid_knows(const struct sk_key *k, uint32_t cid)
{
	for (size_t i = 0; i < SK_CHANNELS; i++) {
		if (cid != 0 && k->channels[i] == cid)
			return true;
	}
	return false;
}

static uint32_t sk_hid_allocate(struct sk_key *k)
{
	k->channel_last = k->channel_last == CID_BROADCAST - 1 ? 1 : k->channel_last + 1;
	k->channels[k->channel_at] = k->channel_last;
	k->channel_at = (k->channel_at + 1) % SK_CHANNELS;
	return k->channel_last;
}

/*
 * On the broadcast channel: a new channel, whatever else is under way. What lies
 * unread in the terminal is then some earlier client's; a real key's node gives
 * each opener a queue of its own. On an open channel: its transaction ends.
 */
static void sk_hid_init(struct sk_key *k, uint32_t cid, const uint8_t nonce[static INIT_LEN])
{
	uint8_t answer[17];

	k->count.inits++;
	if (cid == CID_BROADCAST) {
		sk_port_flush(k);
	} else {
		if (k->in.cid == cid)
			k->in.want = 0;
		if (k->is_busy && k->busy_cid == cid)
			sk_touch_end(k, TOUCH_GONE);
	}
	memcpy(answer, nonce, INIT_LEN);
	sk_put32(answer + 8, cid == CID_BROADCAST ? sk_hid_allocate(k) : cid);
	answer[12] = 2; /* protocol */
	answer[13] = 1; /* version: major, minor, build */
	answer[14] = 0;
	answer[15] = 0;
	answer[16] = CAP_CBOR | CAP_NMSG;
	sk_hid_send(k, cid, CMD_INIT, answer, sizeof(answer));
}

static void sk_hid_run(struct sk_key *k)
{
	static uint8_t answer[SK_MSG_MAX];
	struct sk_message *in = &k->in;
	size_t len;

	in->want = 0;
	switch (in->cmd) {
	case CMD_PING:
		sk_hid_send(k, in->cid, CMD_PING, in->data, in->have);
		break;
	case CMD_CBOR:
		if (in->have == 0) {
			sk_hid_error(k, in->cid, ERR_INVALID_LEN);
			break;
		}
		k->is_busy = true;
		k->is_aborted = false;
		k->busy_cid = in->cid;
		len = sk_ctap(k, in->cid, in->data, in->have, answer, sizeof(answer));
		k->is_busy = false;
		if (!k->is_aborted)
			sk_hid_send(k, k->busy_cid, CMD_CBOR, answer, len);
		break;
	default:
		sk_hid_error(k, in->cid, ERR_INVALID_CMD);
	}
}

static void sk_hid_cancel(struct sk_key *k, uint32_t cid)
{
	if (!k->is_busy || k->busy_cid != cid)
		return;
	k->count.cancels++;
	sk_touch_end(k, TOUCH_CANCELLED);
}

static void sk_hid_first(struct sk_key *k, uint32_t cid, const uint8_t packet[static SK_REPORT_LEN])
{
	uint8_t cmd = packet[4] & 0x7f;
	size_t len = (size_t)packet[5] << 8 | packet[6];

	if (cmd == CMD_INIT) {
		if (len != INIT_LEN)
			sk_hid_error(k, cid, ERR_INVALID_LEN);
		else if (cid != CID_BROADCAST && !sk_hid_knows(k, cid))
			sk_hid_error(k, cid, ERR_INVALID_CHANNEL);
		else
			sk_hid_init(k, cid, packet + 7);
	} else if (!sk_hid_knows(k, cid)) {
		sk_hid_error(k, cid, ERR_INVALID_CHANNEL);
	} else if (cmd == CMD_CANCEL) {
		sk_hid_cancel(k, cid);
	} else if (k->is_busy || (k->in.want > 0 && k->in.cid != cid)) {
		sk_hid_error(k, cid, ERR_CHANNEL_BUSY);
	} else if (k->in.want > 0) {
		k->in.want = 0;
		sk_hid_error(k, cid, ERR_INVALID_SEQ);
	} else if (len > SK_MSG_MAX) {
		sk_hid_error(k, cid, ERR_INVALID_LEN);
	} else {
		k->in.cid = cid;
		k->in.cmd = cmd;
		k->in.seq = 0;
		k->in.have = len < FIRST_LEN ? len : FIRST_LEN;
		k->in.want = len;
		k->in.until = sk_now() + SK_FRAME_MS;
		memcpy(k->in.data, packet + 7, k->in.have);
		if (k->in.have == len)
			sk_hid_run(k);
	}
}

static void sk_hid_more(struct sk_key *k, uint32_t cid, const uint8_t packet[static SK_REPORT_LEN])
{
	struct sk_message *in = &k->in;
	size_t part = in->want - in->have;

	/* a continuation that nobody waits for is ignored (§11.2.5.4) */
	if (in->want == 0 || in->cid != cid)
		return;
	if (packet[4] != in->seq) {
		in->want = 0;
		sk_hid_error(k, cid, ERR_INVALID_SEQ);
		return;
	}
	part = part < MORE_LEN ? part : MORE_LEN;
	memcpy(in->data + in->have, packet + 5, part);
	in->have += part;
	in->seq++;
	in->until = sk_now() + SK_FRAME_MS;
	if (in->have == in->want)
		sk_hid_run(k);
}

void sk_hid_packet(struct sk_key *k, const uint8_t packet[static SK_REPORT_LEN])
{
	uint32_t cid = sk_get32(packet);

	if (packet[4] & CMD_BIT)
		sk_hid_first(k, cid, packet);
	else
		sk_hid_more(k, cid, packet);
}

void sk_hid_tick(struct sk_key *k)
{
	if (k->in.want == 0 || sk_now() < k->in.until)
		return;
	k->in.want = 0;
	sk_hid_error(k, k->in.cid, ERR_MSG_TIMEOUT);
}

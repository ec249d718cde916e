/* SPDX-License-Identifier: BSD-2-Clause */
/* User presence: asked for on the wire, given through the control socket. */
#include "softkey.h"

enum { STATUS_UPNEEDED = 2 };

/* A request ends once: what comes second finds nothing awaited. */
void sk_touch_end(struct sk_key *k, enum sk_touch how)
{
	if (k->touch == TOUCH_AWAITED)
		k->touch = how;
}

void sk_touch_give(struct sk_key *k)
{
	if (k->touch == TOUCH_AWAITED)
		k->touch = TOUCH_GIVEN;
	else
		k->credit_touch++;
}

void sk_touch_deny(struct sk_key *k)
{
	if (k->touch == TOUCH_AWAITED)
		k->touch = TOUCH_DENIED;
	else
		k->credit_deny++;
}

/* Given or refused beforehand, with `touch` or `deny` while nothing was awaited. */
static void sk_touch_spend(struct sk_key *k)
{
	if (k->credit_deny > 0) {
		k->credit_deny--;
		k->touch = TOUCH_DENIED;
	} else if (k->credit_touch > 0) {
		k->credit_touch--;
		k->touch = TOUCH_GIVEN;
	}
}

static void sk_touch_wait(struct sk_key *k)
{
	int64_t start = sk_now(), alive = start;

	while (k->touch == TOUCH_AWAITED && sk_now() - start < k->opt.touch_ms) {
		if (k->has_quit || !k->is_plugged) {
			k->touch = TOUCH_GONE;
			break;
		}
		if (sk_now() >= alive) {
			sk_hid_keepalive(k, STATUS_UPNEEDED);
			alive += SK_KEEPALIVE_MS;
		}
		if (k->is_auto && sk_now() - start >= k->auto_delay_ms)
			k->touch = TOUCH_GIVEN;
		else
			sk_pump(k, k->is_auto && k->auto_delay_ms < SK_KEEPALIVE_MS ? 5 : 20);
	}
}

uint8_t sk_touch_await(struct sk_key *k)
{
	enum sk_touch how;

	k->touch = TOUCH_AWAITED;
	sk_touch_spend(k);
	sk_touch_wait(k);
	how = k->touch;
	k->touch = TOUCH_IDLE;
	switch (how) {
	case TOUCH_GIVEN:
		k->count.touches++;
		return CTAP_OK;
	case TOUCH_DENIED:
		k->count.denials++;
		return CTAP_OPERATION_DENIED;
	case TOUCH_IDLE:
	case TOUCH_AWAITED:
		return CTAP_USER_ACTION_TIMEOUT;
	case TOUCH_GONE:
		k->is_aborted = true;
		break;
	case TOUCH_CANCELLED:
		break;
	}
	return CTAP_KEEPALIVE_CANCEL;
}

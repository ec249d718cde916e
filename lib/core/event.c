/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/conf.h>
#include <breakglass/escape.h>
#include <breakglass/event.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTICE		 5
#define FACILITY_TEXT	 "10" /* authpriv (RFC 5424 table 1) */
#define ALERT_HEAD_CHARS 140
#define RESULT_LEN	 360
#define NORMAL_LEN	 160
#define CUSTODIANS_LEN	 (BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2))

static const struct bg_event_type types[BG_EV_COUNT] = {
	[BG_EV_ATTEMPT] = { "ATTEMPT", "5c19aef2f1b041118c0272ac27a4ea06", 1, true,
		"Somebody tried to log in to an emergency account." },
	[BG_EV_REQUEST_OPENED] = { "REQUEST_OPENED", "06679c68139341399a67ccfa0249bdc3", 1, true,
		"An enrolled security key was proved and a request was opened." },
	[BG_EV_KEY_REFUSED] = { "KEY_REFUSED", "a827a7c7cb914d8e9174f7e641f693fd", 5, false,
		"A security key, its PIN or its answer was refused." },
	[BG_EV_SHARE_ACCEPTED] = { "SHARE_ACCEPTED", "62b88afedaa1498bb4c28250c9f1383c", 1, true,
		"A custodian's share was typed here, was right and was counted." },
	[BG_EV_SHARE_REFUSED] = { "SHARE_REFUSED", "a65abaf0eab44bb499be545de3ffbb00", 1, true,
		"A share was typed here and was not right." },
	[BG_EV_APPROVAL_ACCEPTED] = { "APPROVAL_ACCEPTED", "0bf0ff5186354516aee4c0ed29141763", 1,
		true,
		"A custodian's approval or the quorum's response was right and was counted." },
	[BG_EV_APPROVAL_REFUSED] = { "APPROVAL_REFUSED", "3ae30551470f478cbc857fae8604e99d", 1,
		true, "An approval, a response or a refusal was given and was not right." },
	[BG_EV_GRANTED] = { "GRANTED", "06862bd5492f48e3bc5f8e5804da0d48", 0, true,
		"Key and quorum stand: the emergency account was opened." },
	[BG_EV_DENIED] = { "DENIED", "3ca016bbcf024a3cbeaa810e1e77425d", 5, false,
		"A login to an emergency account was denied." },
	[BG_EV_ABANDONED] = { "ABANDONED", "0118ea2b1a5b4d1192b40d31f108216a", 1, true,
		"A request was dropped before its quorum stood." },
	[BG_EV_BYPASS_BLOCKED] = { "BYPASS_BLOCKED", "ed83c9020d354a09b571f85d32bc48e4", 0, true,
		"Somebody tried to use an emergency account without key and quorum; it was "
		"refused." },
	[BG_EV_SESSION_OPENED] = { "SESSION_OPENED", "aec23a77bfa44295b35db920b57a0413", 0, true,
		"A session of an emergency account began." },
	[BG_EV_SESSION_CONTEXT] = { "SESSION_CONTEXT", "16ed560e527342f3a0912584c7c7cb55", 1, true,
		"What a session began beside: the last ordinary login, and whether the normal ways "
		"looked healthy." },
	[BG_EV_SESSION_ESCALATED] = { "SESSION_ESCALATED", "20d5ed16b9d7405dad3639dbea983b5f", 1,
		true, "A session of an emergency account became root by sudo or su." },
	[BG_EV_SESSION_EXPIRED] = { "SESSION_EXPIRED", "712a25223f894813ad10192c743b0309", 1, true,
		"The time of a session of an emergency account is over." },
	[BG_EV_SESSION_CLOSED] = { "SESSION_CLOSED", "b244f7a5efb64898a39e939a371aef33", 1, true,
		"A session of an emergency account ended; its review is owed." },
	[BG_EV_REVOKED] = { "REVOKED", "5e800ac352de4e02a4dc57f7f357a224", 1, true,
		"A request or a session of an emergency account was ended, by root or on a "
		"custodian's word." },
	[BG_EV_LOCKED] = { "LOCKED", "681fe1e6c1464ba6999142b0320a1139", 1, true,
		"Root locked an emergency account until a key and a new quorum lift that." },
	[BG_EV_UNLOCKED] = { "UNLOCKED", "2ddf59b601f641fbbaceeefba27120a9", 1, true,
		"A key and a new quorum lifted the lock of an emergency account." },
	[BG_EV_DRILL_STARTED] = { "DRILL_STARTED", "06cfd8746ebb43b4a08c4884e652ade1", 1, true,
		"A drill of an emergency account began." },
	[BG_EV_DRILL_ENDED] = { "DRILL_ENDED", "b518404b1a0940608da68624cb72f1e3", 1, true,
		"A drill of an emergency account ended." },
	[BG_EV_SEAL_INSTALLED] = { "SEAL_INSTALLED", "7505919d793a4dbcbf41b01ea1a845de", 1, true,
		"Another seal now says who and what opens the emergency account." },
	[BG_EV_SEAL_REFUSED] = { "SEAL_REFUSED", "8147e5cb324c4a20898203e5ebcbfb8e", 1, true,
		"A seal was to be installed or used, and was refused." },
	[BG_EV_RESEALED] = { "RESEALED", "60a1cb039d46434dba48787365b13764", 1, true,
		"A new set of shares was dealt for an emergency account." },
	[BG_EV_REVIEWED] = { "REVIEWED", "b4f3c433f6474714b79f2414ee590ccf", 5, false,
		"The use of an emergency account was reviewed." },
	[BG_EV_ENVELOPE_OPENED] = { "ENVELOPE_OPENED", "2c346e64acde41e6b082d3dfe8b297f9", 1, true,
		"A quorum opened an envelope." },
	[BG_EV_CHECK_FAILED] = { "CHECK_FAILED", "f759d040cc9144699f2982bfdddefa16", 1, true,
		"The check of this host's emergency access found something out of order." },
	[BG_EV_DEGRADED] = { "DEGRADED", "954692e8686f467e8697837ebf7da278", 1, true,
		"Emergency access works, but something that it relies on does not." },
	[BG_EV_ALERT_DELIVERED] = { "ALERT_DELIVERED", "78df41d811eb463c916de55af1fed834", 5, false,
		"An alert was handed over." },
	[BG_EV_ALERT_FAILED] = { "ALERT_FAILED", "1042b71e54ca4e169e60234ceb59c806", 5, false,
		"An alert could not be handed over; it is tried again." },
};

const struct bg_event_type *bg_event_type(enum bg_event_id id)
{
	return (unsigned int)id < BG_EV_COUNT ? &types[id] : NULL;
}

bool bg_event_is_alert(const struct bg_event *event)
{
	const struct bg_event_type *type = bg_event_type(event->id);

	/* strangers can make any number of attempts: only the first one alerts */
	return type && type->is_alert && !(event->id == BG_EV_ATTEMPT && event->count > 1);
}

int bg_event_severity(const struct bg_event *event)
{
	const struct bg_event_type *type = bg_event_type(event->id);
	int severity =
		type && (!type->is_alert || bg_event_is_alert(event)) ? type->severity : NOTICE;

	return event->severity > severity ? event->severity : severity;
}

/*
 * The fields in the order of the text. The first HEAD_FIELDS are the alert's
 * head, cut from the end. max_len: bytes of foreign text; six times all of them
 * and the rest of the line stay below BG_EVENT_MAX_LEN.
 */
struct field {
	const char *name;
	const char *journal; /* NULL: the journal does not carry it as a field */
	size_t offset, max_len;
	bool is_number; /* digits, which JSON has without quotation marks */
};
#define HEAD_FIELDS 5
#define FIELD(name, journal, max_len)                                                              \
	{                                                                                          \
#name, journal, offsetof(struct bg_event, name), max_len, false                    \
	}
static const struct field fields[] = {
	FIELD(host, "BREAKGLASS_HOST", BG_HOST_LABEL_LEN),
	FIELD(account, "BREAKGLASS_ACCOUNT", BG_PAM_NAME_LEN),
	FIELD(holder, "BREAKGLASS_HOLDER", BG_HOLDER_LEN),
	FIELD(reason, "BREAKGLASS_REASON", BG_REASON_LEN),
	FIELD(custodians, "BREAKGLASS_CUSTODIANS", CUSTODIANS_LEN),
	FIELD(role, "BREAKGLASS_ROLE", BG_ROLE_LEN),
	FIELD(key, "BREAKGLASS_KEY", BG_NAME_LEN),
	FIELD(request, "BREAKGLASS_REQUEST", 2 * BG_SHA256_LEN),
	FIELD(set, "BREAKGLASS_SET", 2 * BG_SET_ID_LEN),
	FIELD(service, "BREAKGLASS_SERVICE", BG_SERVICE_LEN),
	FIELD(origin, "BREAKGLASS_ORIGIN", BG_ORIGIN_LEN),
	FIELD(result, "BREAKGLASS_RESULT", RESULT_LEN),
	{ "ordinary", "BREAKGLASS_ORDINARY", offsetof(struct bg_event, ordinary), 20, true },
	FIELD(normal, "BREAKGLASS_NORMAL", NORMAL_LEN),
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* The event's text for a field; NULL: not set. */
static const char *field_text(const struct bg_event *event, const struct field *field)
{
	const char *text;

	memcpy(&text, (const char *)event + field->offset, sizeof(text));
	return text && text[0] ? text : NULL;
}

static void put_text(struct bg_writer *w, const char *text)
{
	bg_put(w, text, strlen(text));
}

static void put_number(struct bg_writer *w, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	put_text(w, text);
}

static void json_text(struct bg_writer *w, const char *name, const char *text, size_t max_len)
{
	put_text(w, ",\"");
	put_text(w, name);
	put_text(w, "\":\"");
	bg_escape_json(w, text, max_len);
	put_text(w, "\"");
}

static void json_number(struct bg_writer *w, const char *name, uint64_t number)
{
	put_text(w, ",\"");
	put_text(w, name);
	put_text(w, "\":");
	put_number(w, number);
}

/* Ends the text of w in ret. */
static enum bg_err finish(struct bg_writer *w, size_t *ret_len)
{
	size_t len = w->len;

	bg_put_u8(w, '\0');
	if (w->is_full) {
		if (w->cap)
			w->p[0] = '\0';
		return BG_ERR_TOO_BIG;
	}
	if (ret_len)
		*ret_len = len;
	return BG_OK;
}

enum bg_err bg_event_json(const struct bg_event *event, const struct bg_chain_pos *pos,
	const char *time, const char *boot_id, uint64_t boottime_ms, char *ret, size_t ret_size,
	size_t *ret_len)
{
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = ret_size };
	const struct bg_event_type *type = bg_event_type(event->id);
	char prev[2 * BG_SHA256_LEN + 1];

	if (!type)
		return BG_ERR_ARGUMENT;
	bg_hex_encode(pos->prev, sizeof(pos->prev), prev);
	put_text(&w, "{\"schema\":1");
	json_number(&w, "seq", pos->seq);
	json_text(&w, "prev", prev, sizeof(prev));
	json_text(&w, "time", time, 32);
	json_text(&w, "boot", boot_id, 36);
	json_number(&w, "boottime", boottime_ms / 1000);
	json_text(&w, "event", type->name, 32);
	json_number(&w, "severity", (uint64_t)bg_event_severity(event));
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const char *text = field_text(event, &fields[i]);

		if (text && fields[i].is_number)
			json_number(&w, fields[i].name, strtoull(text, NULL, 10));
		else if (text)
			json_text(&w, fields[i].name, text, fields[i].max_len);
	}
	if (event->epoch)
		json_number(&w, "epoch", event->epoch);
	if (event->count)
		json_number(&w, "count", event->count);
	put_text(&w, "}");
	return finish(&w, ret_len);
}

static void kv_text(struct bg_writer *w, const char *name, const char *text, size_t max_len)
{
	put_text(w, " ");
	put_text(w, name);
	put_text(w, "=");
	bg_escape_kv(w, text, max_len);
}

/* Characters, not bytes, of what w holds. */
static size_t char_count(const struct bg_writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->len; i++)
		n += (w->p[i] & 0xc0) != 0x80;
	return n;
}

static void put_head(struct bg_writer *w, const struct bg_event *event, const size_t *max_len)
{
	w->len = 0;
	w->is_full = false;
	put_text(w, types[event->id].name);
	for (size_t i = 0; i < HEAD_FIELDS; i++) {
		const char *text = field_text(event, &fields[i]);

		if (text)
			kv_text(w, fields[i].name, text, max_len[i]);
	}
}

static size_t text_len(const struct bg_event *event, size_t i)
{
	const char *text = field_text(event, &fields[i]);

	return text ? strnlen(text, fields[i].max_len) : 0;
}

/* Name and head fields within ALERT_HEAD_CHARS characters: the last one is cut first, to its … if
   need be, then the one before it. max_len gets what was taken of each. */
static void fit_head(struct bg_writer *w, const struct bg_event *event, size_t *max_len)
{
	for (size_t i = 0; i < HEAD_FIELDS; i++)
		max_len[i] = fields[i].max_len;
	put_head(w, event, max_len);
	for (size_t i = HEAD_FIELDS; i-- > 0 && (w->is_full || char_count(w) > ALERT_HEAD_CHARS);) {
		max_len[i] = text_len(event, i);
		while (max_len[i] > 0 && (w->is_full || char_count(w) > ALERT_HEAD_CHARS)) {
			max_len[i]--;
			put_head(w, event, max_len);
		}
	}
}

/* Puts one " name=value" behind the text, whole or not at all. */
static void add_whole(struct bg_writer *w, const char *name, const char *text, size_t max_len)
{
	struct bg_writer before = *w;

	kv_text(w, name, text, max_len);
	if (w->is_full)
		*w = before;
}

static void add_number(struct bg_writer *w, const char *name, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	if (number)
		add_whole(w, name, text, sizeof(text));
}

/* What the head had to cut stands behind everything else once more, in full. */
static void add_cut_fields(
	struct bg_writer *w, const struct bg_event *event, const size_t *head_len)
{
	char name[24];

	for (size_t i = 0; i < HEAD_FIELDS; i++) {
		if (!field_text(event, &fields[i]) || head_len[i] >= text_len(event, i))
			continue;
		(void)snprintf(name, sizeof(name), "full_%s", fields[i].name);
		add_whole(w, name, field_text(event, &fields[i]), fields[i].max_len);
	}
}

enum bg_err bg_event_text(
	const struct bg_event *event, const char *chain, char *ret, size_t ret_size)
{
	size_t head_len[HEAD_FIELDS];
	size_t size = ret_size < BG_EVENT_TEXT_LEN + 1 ? ret_size : BG_EVENT_TEXT_LEN + 1;
	const size_t tail = sizeof(" chain=") + BG_CHAIN_TEXT_LEN;
	struct bg_writer w = { .p = (uint8_t *)ret };

	if (!bg_event_type(event->id) || size <= ALERT_HEAD_CHARS * 4 + tail)
		return BG_ERR_ARGUMENT;
	w.cap = size - tail;
	fit_head(&w, event, head_len);
	for (size_t i = HEAD_FIELDS; i < FIELD_COUNT; i++)
		if (field_text(event, &fields[i]))
			add_whole(&w, fields[i].name, field_text(event, &fields[i]),
				fields[i].max_len);
	add_number(&w, "epoch", event->epoch);
	add_number(&w, "count", event->count);
	add_cut_fields(&w, event, head_len);
	w.cap = size;
	if (chain && chain[0])
		kv_text(&w, "chain", chain, BG_CHAIN_TEXT_LEN);
	return finish(&w, NULL);
}

/* One field of the native protocol: KEY=value LF, or KEY LF, the length as 64 bits little endian,
   value, LF (systemd.io, Native Journal Protocol). */
static void journal_bytes(struct bg_writer *w, const char *key, const void *value, size_t len)
{
	put_text(w, key);
	if (memchr(value, '\n', len)) {
		put_text(w, "\n");
		for (unsigned int i = 0; i < 64; i += 8)
			bg_put_u8(w, (uint8_t)((uint64_t)len >> i));
	} else {
		put_text(w, "=");
	}
	bg_put(w, value, len);
	put_text(w, "\n");
}

static void journal_text(struct bg_writer *w, const char *key, const char *text)
{
	journal_bytes(w, key, text, strlen(text));
}

static void journal_number(struct bg_writer *w, const char *key, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	journal_text(w, key, text);
}

static void journal_fields(struct bg_writer *w, const struct bg_event *event)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const char *text = field_text(event, &fields[i]);

		/* raw: a field is data, its length is told; a cut shows in the chain's line */
		if (text)
			journal_bytes(w, fields[i].journal, text, text_len(event, i));
	}
	if (event->epoch)
		journal_number(w, "BREAKGLASS_EPOCH", event->epoch);
	if (event->count)
		journal_number(w, "BREAKGLASS_COUNT", event->count);
}

enum bg_err bg_event_journal(const struct bg_event *event, const char *identifier,
	const char *chain, struct bg_writer *ret)
{
	const struct bg_event_type *type = bg_event_type(event->id);
	char message[BG_EVENT_TEXT_LEN + 1];
	enum bg_err err = bg_event_text(event, chain, message, sizeof(message));

	if (err != BG_OK)
		return err;
	journal_text(ret, "MESSAGE", message);
	journal_text(ret, "MESSAGE_ID", type->message_id);
	journal_number(ret, "PRIORITY", (uint64_t)bg_event_severity(event));
	journal_text(ret, "SYSLOG_FACILITY", FACILITY_TEXT);
	journal_text(ret, "SYSLOG_IDENTIFIER", identifier);
	journal_text(ret, "BREAKGLASS_EVENT", type->name);
	journal_fields(ret, event);
	if (chain && chain[0])
		journal_text(ret, "BREAKGLASS_CHAIN", chain);
	return ret->is_full ? BG_ERR_TOO_BIG : BG_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/alert.h>
#include <breakglass/escape.h>
#include <breakglass/event_time.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_LEN    512
#define MINUTE_MS    60000
#define PAUSE_MAX_MS (60 * (uint64_t)MINUTE_MS)

/* A record read back into an event: the event's pointers go to the texts beside it. */
struct parsed {
	struct bg_event event;
	struct bg_chain_pos pos;
	char host[FIELD_LEN], account[FIELD_LEN], request[FIELD_LEN], set[FIELD_LEN],
		key[FIELD_LEN], holder[FIELD_LEN], custodians[FIELD_LEN], reason[FIELD_LEN],
		role[FIELD_LEN], service[FIELD_LEN], origin[FIELD_LEN], result[FIELD_LEN],
		ordinary[FIELD_LEN], normal[FIELD_LEN];
};

static uint64_t number_of(const char *line, size_t len, const char *name)
{
	char text[24];

	return bg_event_line_field(line, len, name, text, sizeof(text)) ? strtoull(text, NULL, 10)
									: 0;
}

static bool parse_id(const char *line, size_t len, enum bg_event_id *ret)
{
	char name[FIELD_LEN];

	if (!bg_event_line_field(line, len, "event", name, sizeof(name)))
		return false;
	for (int id = 0; id < BG_EV_COUNT; id++) {
		if (strcmp(bg_event_type((enum bg_event_id)id)->name, name) != 0)
			continue;
		*ret = (enum bg_event_id)id;
		return true;
	}
	return false;
}

#define READ(p, line, len, field)                                                                  \
	((p)->event.field = (p)->field,                                                            \
		(void)bg_event_line_field(line, len, #field, (p)->field, sizeof((p)->field)))

static bool parse(const char *line, size_t len, struct parsed *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!bg_event_line_pos(line, len, &ret->pos) || !parse_id(line, len, &ret->event.id))
		return false;
	READ(ret, line, len, host);
	READ(ret, line, len, account);
	READ(ret, line, len, request);
	READ(ret, line, len, set);
	READ(ret, line, len, key);
	READ(ret, line, len, holder);
	READ(ret, line, len, custodians);
	READ(ret, line, len, reason);
	READ(ret, line, len, role);
	READ(ret, line, len, service);
	READ(ret, line, len, origin);
	READ(ret, line, len, result);
	READ(ret, line, len, ordinary);
	READ(ret, line, len, normal);
	ret->event.epoch = (uint32_t)number_of(line, len, "epoch");
	ret->event.count = number_of(line, len, "count");
	ret->event.severity = -1;
	return true;
}

bool bg_alert_is_due(const char *line, size_t len)
{
	struct bg_event event = { .severity = -1 };
	struct bg_chain_pos pos;

	if (!bg_event_line_pos(line, len, &pos) || !parse_id(line, len, &event.id))
		return false;
	event.count = number_of(line, len, "count");
	return bg_event_is_alert(&event);
}

static void put(struct bg_writer *w, const char *text)
{
	bg_put(w, text, strlen(text));
}

static enum bg_err finish(struct bg_writer *w, char *ret, size_t *ret_len)
{
	if (w->is_full)
		return BG_ERR_TOO_BIG;
	ret[w->len] = '\0';
	*ret_len = w->len;
	return BG_OK;
}

static void put_head(struct bg_writer *w, uint64_t id, bool is_drill, bool is_test)
{
	char head[96];

	(void)snprintf(head, sizeof(head),
		"{\"schema\":1,\"id\":%" PRIu64 ",\"drill\":%s,\"test\":%s,\"message\":\"", id,
		is_drill ? "true" : "false", is_test ? "true" : "false");
	put(w, head);
}

enum bg_err bg_alert_json(struct bg_crypto *crypto, uint64_t id, const char *line, size_t len,
	char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = ret_size ? ret_size - 1 : 0 };
	char chain[BG_CHAIN_TEXT_LEN], hex[2 * BG_SHA256_LEN + 1], text[BG_EVENT_TEXT_LEN + 1];
	uint8_t hash[BG_SHA256_LEN];
	struct parsed parsed;
	enum bg_err err;

	if (!parse(line, len, &parsed))
		return BG_ERR_SYNTAX;
	err = bg_sha256(crypto, line, len, hash);
	if (err != BG_OK)
		return err;
	bg_hex_encode(hash, sizeof(hash), hex);
	(void)snprintf(chain, sizeof(chain), "%" PRIu64 ":%s", parsed.pos.seq, hex);
	err = bg_event_text(&parsed.event, chain, text, sizeof(text));
	if (err != BG_OK)
		return err;
	put_head(&w, id,
		strncmp(bg_event_type(parsed.event.id)->name, "DRILL", 5) == 0 ||
			strncmp(parsed.result, "drill", 5) == 0,
		false);
	bg_escape_json(&w, text, BG_EVENT_TEXT_LEN);
	put(&w, "\",\"record\":");
	bg_put(&w, line, len);
	put(&w, "}\n");
	return finish(&w, ret, ret_len);
}

enum bg_err bg_alert_test_json(
	uint64_t id, const char *host, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = ret_size ? ret_size - 1 : 0 };

	put_head(&w, id, false, true);
	put(&w, "TEST of the emergency access alerts of ");
	bg_escape_json(&w, host, FIELD_LEN);
	put(&w, "; nothing has happened\"}\n");
	return finish(&w, ret, ret_len);
}

enum bg_err bg_alert_lost_json(uint64_t id, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_writer w = { .p = (uint8_t *)ret, .cap = ret_size ? ret_size - 1 : 0 };

	put_head(&w, id, false, false);
	put(&w, "ALERT whose text is lost: on that host, bg-unlock log show and log verify\"}\n");
	return finish(&w, ret, ret_len);
}

enum bg_err bg_alert_read(const char *json, size_t len, uint64_t *ret_id, int64_t *ret_time_ms)
{
	static const char head[] = "{\"schema\":1,\"id\":", record[] = "\",\"record\":{";
	const char *p = json + sizeof(head) - 1, *end = json + len, *at;
	char time[32];
	uint64_t id;

	if (len < sizeof(head) || memcmp(json, head, sizeof(head) - 1) != 0 ||
		!bg_decimal_take(&p, end, &id))
		return BG_ERR_SYNTAX;
	*ret_time_ms = 0;
	at = memmem(p, (size_t)(end - p), record, sizeof(record) - 1);
	if (at != NULL &&
		bg_event_line_field(at + sizeof(record) - 2,
			(size_t)(end - at) - sizeof(record) + 2, "time", time, sizeof(time)))
		(void)bg_event_time_read(time, ret_time_ms);
	*ret_id = id;
	return BG_OK;
}

bool bg_alert_is_handler(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strspn(name, allowed);

	return len > 0 && len <= BG_HANDLER_LEN && name[len] == '\0' &&
	       strchr("._-", name[0]) == NULL;
}

uint64_t bg_alert_pause_ms(uint32_t failures)
{
	uint64_t pause = MINUTE_MS;

	for (uint32_t i = 1; i < failures && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

static enum bg_err text_written(int n, size_t size, size_t *ret_len)
{
	if (n < 0 || (size_t)n >= size)
		return BG_ERR_TOO_BIG;
	*ret_len = (size_t)n;
	return BG_OK;
}

enum bg_err bg_alert_told_write(
	const struct bg_alert_told *told, char *ret, size_t ret_size, size_t *ret_len)
{
	return text_written(
		snprintf(ret, ret_size, "%" PRIu64 " %d %" PRIu64 " %" PRIu32 " %s\n", told->id,
			(int)told->outcome, told->latency_ms, told->failures, told->handler),
		ret_size, ret_len);
}

/* A decimal number and the separator behind it. */
static bool take_number(
	const char **p, const char *end, char separator, uint64_t max, uint64_t *ret)
{
	if (!bg_decimal_take(p, end, ret) || *ret > max || *p >= end || **p != separator)
		return false;
	(*p)++;
	return true;
}

/* The rest of the line, which ends the text. */
static bool take_rest(const char *p, const char *end, char *ret, size_t size)
{
	size_t len = (size_t)(end - p);

	if (len < 2 || p[len - 1] != '\n' || len > size || memchr(p, 0, len) != NULL)
		return false;
	memcpy(ret, p, len - 1);
	ret[len - 1] = '\0';
	return true;
}

enum bg_err bg_alert_told_read(const char *text, size_t len, struct bg_alert_told *ret)
{
	const char *p = text, *end = text + len;
	struct bg_alert_told told = { 0 };
	uint64_t outcome, failures;

	if (!take_number(&p, end, ' ', UINT64_MAX, &told.id) ||
		!take_number(&p, end, ' ', BG_ALERT_FAILED, &outcome) || outcome == BG_ALERT_NONE ||
		!take_number(&p, end, ' ', UINT64_MAX, &told.latency_ms) ||
		!take_number(&p, end, ' ', UINT32_MAX, &failures) ||
		!take_rest(p, end, told.handler, sizeof(told.handler)) ||
		!bg_alert_is_handler(told.handler))
		return BG_ERR_SYNTAX;
	told.outcome = (enum bg_alert_outcome)outcome;
	told.failures = (uint32_t)failures;
	*ret = told;
	return BG_OK;
}

enum bg_err bg_alert_cursor_write(
	const struct bg_alert_cursor *cursor, char *ret, size_t ret_size, size_t *ret_len)
{
	return text_written(snprintf(ret, ret_size, "%" PRIu64 " %" PRIu32 " %" PRIu64 " %s\n",
				    cursor->done, cursor->failures, cursor->next_ms,
				    cursor->boot_id[0] != '\0' ? cursor->boot_id : "-"),
		ret_size, ret_len);
}

enum bg_err bg_alert_cursor_read(const char *text, size_t len, struct bg_alert_cursor *ret)
{
	const char *p = text, *end = text + len;
	struct bg_alert_cursor cursor = { 0 };
	uint64_t failures;

	if (!take_number(&p, end, ' ', UINT64_MAX, &cursor.done) ||
		!take_number(&p, end, ' ', UINT32_MAX, &failures) ||
		!take_number(&p, end, ' ', UINT64_MAX, &cursor.next_ms) ||
		!take_rest(p, end, cursor.boot_id, sizeof(cursor.boot_id)))
		return BG_ERR_SYNTAX;
	cursor.failures = (uint32_t)failures;
	*ret = cursor;
	return BG_OK;
}

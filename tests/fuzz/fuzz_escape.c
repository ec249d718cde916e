/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text comes out of the three escapes harmless and bounded, and a line of the chain made of it
   reads back; the line's reader takes any bytes. First byte: where a cut falls. */
#include <breakglass/escape.h>
#include <breakglass/event.h>

#include <stdlib.h>
#include <string.h>

#define TEXT_LEN 4096

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void need_harmless(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		need(p[i] >= 0x20 && p[i] != 0x7f);
}

static void try_escapes(const char *text, size_t max_len)
{
	uint8_t buf[6 * TEXT_LEN + 16];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char terminal[64];

	bg_escape_json(&w, text, max_len);
	need(!w.is_full && w.len <= 6 * max_len + 3);
	need_harmless(buf, w.len);
	w.len = 0;
	bg_escape_kv(&w, text, max_len);
	need(!w.is_full && w.len <= 4 * max_len + 5);
	need_harmless(buf, w.len);
	bg_escape_terminal(terminal, sizeof(terminal), text);
	need(strlen(terminal) < sizeof(terminal));
	need_harmless((const uint8_t *)terminal, strlen(terminal));
}

static void try_event(const char *text)
{
	struct bg_event event = { .id = BG_EV_GRANTED, .host = text, .reason = text };
	struct bg_chain_pos pos = { .seq = 9 }, back = { 0 };
	char line[BG_EVENT_MAX_LEN], message[BG_EVENT_TEXT_LEN + 1], field[512];
	size_t len = 0;

	event.account = event.holder = event.custodians = event.result = text;
	need(bg_event_json(&event, &pos, "t", "b", 1, line, sizeof(line), &len) == BG_OK);
	need(bg_event_line_pos(line, len, &back) && back.seq == 9);
	need(bg_event_line_field(line, len, "event", field, sizeof(field)));
	need(text[0] == '\0' || bg_event_line_field(line, len, "result", field, sizeof(field)));
	need(bg_event_text(&event, "9:ab", message, sizeof(message)) == BG_OK);
	need_harmless((const uint8_t *)message, strlen(message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_LEN + 1], field[64];
	struct bg_chain_pos pos;

	if (size < 1 || size > TEXT_LEN)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	try_escapes(text, data[0]);
	try_event(text);
	(void)bg_event_line_pos((const char *)data + 1, size - 1, &pos);
	(void)bg_event_line_field((const char *)data + 1, size - 1, "x", field, sizeof(field));
	return 0;
}

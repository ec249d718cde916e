/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of events as JSON, for tools/siem/generate. With the argument
 * --samples: records of each event as they reach syslog, for the tests of what
 * is made of the table.
 */
#include <breakglass/event.h>
#include <stdio.h>
#include <string.h>

#define CHAIN "17:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static void print_type(const struct bg_event_type *type)
{
	(void)printf(
		"{\"name\":\"%s\",\"id\":\"%s\",\"severity\":%d,\"is_alert\":%s,\"text\":\"%s\"}",
		type->name, type->message_id, type->severity, type->is_alert ? "true" : "false",
		type->text);
}

/* NAME TAB 1 or 0: alerts TAB severity TAB text */
static int print_sample(const struct bg_event *event, const char *chain)
{
	char text[BG_EVENT_TEXT_LEN + 1];

	if (bg_event_text(event, chain, text, sizeof(text)) != BG_OK)
		return 1;
	(void)printf("%s\t%d\t%d\t%s\n", bg_event_type(event->id)->name, bg_event_is_alert(event),
		bg_event_severity(event), text);
	return 0;
}

static int print_samples(enum bg_event_id id)
{
	struct bg_event event = { .id = id,
		.host = "db1.example",
		.account = "breakglass",
		.holder = "Ops on call",
		.reason = "LDAP is down = nobody gets in; \"all\" hosts ]",
		.custodians = "audit, dba",
		.role = "read-only",
		.service = "sshd",
		.origin = "192.0.2.7",
		.request = "00112233445566778899aabbccddeeff",
		.key = "a",
		.set = "0123456789abcdef0123456789abcdef",
		.result = "wrong share, word 7",
		.epoch = 3,
		.ordinary = id == BG_EV_SESSION_CONTEXT ? "240" : NULL,
		.normal = id == BG_EV_SESSION_CONTEXT ? "healthy" : NULL,
		.severity = -1 };
	int err = print_sample(&event, CHAIN);

	/* a stranger's text that looks like the end of a repeated attempt, and of another event */
	event.origin = "x normal=healthy count=7 chain=1:00";
	event.reason = "GRANTED host=a | back\\slash";
	if (id == BG_EV_SESSION_CONTEXT)
		event.normal = "broken: names do not answer";
	err |= print_sample(&event, NULL);
	for (event.count = 1; event.count <= 12; event.count += 1 + event.count / 3)
		err |= print_sample(&event, event.count % 2 ? CHAIN : NULL);
	return err;
}

int main(int argc, char **argv)
{
	int err = 0;

	if (argc > 1 && strcmp(argv[1], "--samples") == 0) {
		for (int i = 0; i < BG_EV_COUNT; i++)
			err |= print_samples((enum bg_event_id)i);
		return err || fflush(stdout) != 0;
	}
	for (int i = 0; i < BG_EV_COUNT; i++) {
		(void)printf("%s\n", i ? "," : "[");
		print_type(bg_event_type((enum bg_event_id)i));
	}
	(void)printf("\n]\n");
	return fflush(stdout) != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as other programs take them: RFC 5424, and the Common Event Format, version 0. */
#include "log.h"

#include <breakglass/event_time.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHPRIV 10

/* The fields of a line that are exported, with CEF's keys, which contrib/ reads; label: what a csN
   or cnN holds. */
static const struct {
	const char *name, *cef, *label;
} fields[] = {
	{ "seq", "externalId", NULL },
	{ "host", "dvchost", NULL },
	{ "account", "duser", NULL },
	{ "holder", "suser", NULL },
	{ "reason", "reason", NULL },
	{ "service", "sproc", NULL },
	{ "result", "outcome", NULL },
	{ "count", "cnt", NULL },
	{ "custodians", "cs1", "custodians" },
	{ "request", "cs2", "request" },
	{ "key", "cs3", "key" },
	{ "set", "cs4", "set" },
	{ "boot", "cs5", "boot" },
	{ "origin", "cs6", "origin" },
	{ "prev", "flexString1", "prev" },
	{ "role", "flexString2", "role" },
	{ "ordinary", "flexNumber1", "ordinary" },
	{ "normal", "msg", NULL },
	{ "epoch", "cn1", "epoch" },
	{ "boottime", "cn2", "boottime" },
	{ "severity", "cn3", "severity" },
};

struct record {
	const struct bg_log_line *line;
	char event[32], time[32], host[BG_VALUE_LEN], sentence[160];
	int severity;
};

/* False: the line has none, or an empty one. A value is one line of text, whatever it holds. */
static bool value(const struct record *record, const char *name, char ret[static BG_VALUE_LEN])
{
	if (!bg_event_line_field(record->line->text, record->line->len, name, ret, BG_VALUE_LEN))
		return false;
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return ret[0] != '\0';
}

static void take(const struct record *record, const char *name, char *ret, size_t size)
{
	char text[BG_VALUE_LEN];

	(void)snprintf(ret, size, "%.*s", (int)size - 1, value(record, name, text) ? text : "");
}

/* Prints text with a backslash before each of the characters of `escaped`. */
static void put(const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (strchr(escaped, *text))
			(void)putchar('\\');
		(void)putchar(*text);
	}
}

static void begin(struct record *record, const struct bg_log_line *line)
{
	char severity[BG_VALUE_LEN];

	record->line = line;
	take(record, "event", record->event, sizeof(record->event));
	take(record, "time", record->time, sizeof(record->time));
	take(record, "host", record->host, sizeof(record->host));
	record->severity =
		value(record, "severity", severity) ? (int)(strtol(severity, NULL, 10) & 7) : 5;
	(void)snprintf(record->sentence, sizeof(record->sentence), "%s", record->event);
	for (int i = 0; i < BG_EV_COUNT; i++)
		if (strcmp(bg_event_type((enum bg_event_id)i)->name, record->event) == 0)
			(void)snprintf(record->sentence, sizeof(record->sentence), "%s",
				bg_event_type((enum bg_event_id)i)->text);
}

/* RFC 5424 section 6.2.4: printable ASCII without blanks; anything else gives "-". */
static const char *header_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return "-";
	return text[0] ? text : "-";
}

static void put_rfc5424(const struct record *record, const char *sd_id, const char *hash)
{
	char text[BG_VALUE_LEN];

	(void)printf("<%d>1 %s %s pam_breakglass - %s [%s", AUTHPRIV * 8 + record->severity,
		header_word(record->time), header_word(record->host), header_word(record->event),
		sd_id);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!value(record, fields[i].name, text))
			continue;
		(void)printf(" %s=\"", fields[i].name);
		put(text, "\"\\]");
		(void)printf("\"");
	}
	if (hash[0])
		(void)printf(" hash=\"%s\"", hash);
	(void)printf("] %s\n", record->sentence);
}

/* CEF's 0 to 10 for syslog's 7 to 0. */
static int cef_severity(int severity)
{
	static const int levels[] = { 10, 9, 8, 7, 5, 3, 2, 1 };

	return levels[severity & 7];
}

static void put_cef(const struct record *record, const char *hash)
{
	char text[BG_VALUE_LEN];
	int64_t ms;

	(void)printf("CEF:0|pam_breakglass|pam_breakglass|%s|", BG_VERSION);
	put(record->event, "|\\");
	(void)printf("|");
	put(record->sentence, "|\\");
	(void)printf("|%d|", cef_severity(record->severity));
	if (bg_event_time_read(record->time, &ms))
		(void)printf("rt=%" PRId64 " ", ms);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!value(record, fields[i].name, text))
			continue;
		if (fields[i].label)
			(void)printf("%sLabel=%s ", fields[i].cef, fields[i].label);
		(void)printf("%s=", fields[i].cef);
		put(text, "=\\");
		(void)printf(" ");
	}
	(void)printf("%s%s\n", hash[0] ? "fileHash=" : "", hash);
}

void bg_log_export(enum bg_log_format format, const char *sd_id, const struct bg_log_line *line)
{
	char hash[2 * BG_SHA256_LEN + 1] = "";
	struct record record;

	begin(&record, line);
	if (line->hash)
		bg_hex_encode(line->hash, BG_SHA256_LEN, hash);
	if (format == BG_LOG_CEF)
		put_cef(&record, hash);
	else
		put_rfc5424(&record, sd_id, hash);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan.h"
#include "bg-unlock.h"

#include <breakglass/ini.h>
#include <breakglass/os_file.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A plan holds no secret. */
static char text[16384];
static size_t text_len;
static bool is_full;
static char line[BG_TTY_LINE_LEN];

BG_PRINTF(1, 2)
static void add(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started just above */
	n = vsnprintf(text + text_len, sizeof(text) - text_len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text) - text_len)
		is_full = true;
	else
		text_len += (size_t)n;
}

/* An option becomes a line of the plan: it must stay one. */
static bool is_one_line(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	return true;
}

static int add_custodian(const char *value)
{
	const char *equals = strchr(value, '=');
	int name_len = equals ? (int)(equals - value) : (int)strlen(value);
	char name[64];

	(void)snprintf(name, sizeof(name), "%.*s", name_len, value);
	if (!is_one_line(value) || !bg_is_name(name)) {
		bg_error("custodian \"%s\": a name is [a-z0-9][a-z0-9-]*, at most %d letters", name,
			BG_NAME_LEN);
		bg_hint("for example ops=\"+1 555 0101\"");
		return BG_EXIT_USAGE;
	}
	add("[custodian %s]\n", name);
	if (equals && equals[1])
		add("phone = %s\n", equals + 1);
	return BG_EXIT_DONE;
}

static int add_key(const char *value)
{
	const char *equals = strchr(value, '=');
	const char *device = strstr(value, "@/");
	char name[64] = "", holder[64] = "";

	if (equals) {
		const char *end = device ? device : value + strlen(value);

		(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - value), value);
		if (end > equals)
			(void)snprintf(holder, sizeof(holder), "%.*s", (int)(end - equals - 1),
				equals + 1);
	}
	if (!is_one_line(value) || !bg_is_name(name) || !holder[0]) {
		bg_error("key \"%.80s\": it must be NAME=HOLDER or NAME=HOLDER@/DEVICE", value);
		bg_hint("for example a=oncall; a name is [a-z0-9][a-z0-9-]*, at most %d "
			"letters",
			BG_NAME_LEN);
		return BG_EXIT_USAGE;
	}
	add("[key %s]\nholder = %s\n", name, holder);
	if (device)
		add("device = %s\n", device + 1);
	return BG_EXIT_DONE;
}

/* NULL: Ctrl-D. */
static const char *ask(struct bg_tty *tty, const char *prompt)
{
	size_t len = 0;

	if (bg_tty_ask(tty, true, prompt, line, &len))
		return NULL;
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\r'))
		line[--len] = '\0';
	return line;
}

static int missing(const char *what)
{
	bg_error("%s", what);
	bg_hint("without a terminal give --plan FILE, or every option");
	return BG_EXIT_USAGE;
}

/* NULL: no answer that could be one, the reason printed. */
static const char *ask_zone(struct bg_tty *tty)
{
	static char zone[BG_ZONE_LEN + 1];

	for (int i = 0; i < 3; i++) {
		const char *value = ask(tty, "Zone, the hosts that share this seal (db, say):");

		if (!value)
			break;
		if (bg_is_label(value)) {
			(void)snprintf(zone, sizeof(zone), "%.*s", BG_ZONE_LEN, value);
			return zone;
		}
		bg_tty_say(
			tty, " A zone is letters, digits, . _ and -, at most %d.\n", BG_ZONE_LEN);
	}
	(void)bg_fail(BG_ERR_CANCELLED, NULL, "nothing was written");
	return NULL;
}

/* "ops +1 555 0101" -> "ops=+1 555 0101" */
static void blank_to_equals(char *value)
{
	char *blank = strchr(value, ' ');

	if (blank && !strchr(value, '='))
		*blank = '=';
}

/* Custodians or keys, one a line, until an empty one. */
static int ask_list(struct bg_tty *tty, const char *what, const char *example, size_t max,
	int (*take)(const char *value), size_t *ret_count)
{
	char prompt[128];
	size_t count = 0;

	while (count < max) {
		const char *value;

		(void)snprintf(prompt, sizeof(prompt), "%s %zu (%s):", what, count + 1,
			count ? "Enter: that is all" : example);
		value = ask(tty, prompt);
		if (!value)
			return bg_fail(BG_ERR_CANCELLED, NULL, "nothing was written");
		if (!*value && count)
			break;
		if (!*value)
			continue;
		blank_to_equals(line);
		if (take(line) == BG_EXIT_DONE)
			count++;
	}
	*ret_count = count;
	return BG_EXIT_DONE;
}

static int add_sections(const struct bg_plan_options *o, struct bg_tty *tty, size_t *ret_custodians)
{
	int status = BG_EXIT_DONE;
	size_t key_count;

	*ret_custodians = o->custodian_count;
	for (size_t i = 0; !status && i < o->custodian_count; i++)
		status = add_custodian(o->custodians[i]);
	if (!status && !o->custodian_count)
		status = tty ? ask_list(tty, "Custodian", "name and telephone: ops +1 555 0101",
				       BG_CUSTODIANS_MAX, add_custodian, ret_custodians)
			     : missing("no custodian is named");
	for (size_t i = 0; !status && i < o->key_count; i++)
		status = add_key(o->keys[i]);
	if (!status && !o->key_count)
		status = tty ? ask_list(tty, "Security key", "name and holder: a oncall",
				       BG_KEYS_MAX, add_key, &key_count)
			     : missing("no security key is named");
	return status;
}

static const char *ask_threshold(struct bg_tty *tty, size_t custodian_count)
{
	static char answer[8];
	char prompt[80];
	const char *value;

	if (!tty || custodian_count < 2)
		return custodian_count < 2 ? "1" : "2";
	(void)snprintf(
		prompt, sizeof(prompt), "How many of the %zu must agree? [2]", custodian_count);
	value = ask(tty, prompt);
	(void)snprintf(answer, sizeof(answer), "%.6s", value && *value ? value : "2");
	return answer;
}

static int build(const struct bg_plan_options *o, struct bg_tty *tty)
{
	const char *values[] = { o->account, o->zone, o->threshold, o->strength };
	const char *zone = o->zone, *threshold = o->threshold;
	size_t custodian_count = 0;
	int status;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i] && !is_one_line(values[i]))
			return bg_usage("an option holds a control character");
	if (!zone && !tty)
		return missing("no zone is named");
	if (!zone)
		zone = ask_zone(tty);
	if (!zone)
		return BG_EXIT_NO;
	status = add_sections(o, tty, &custodian_count);
	if (status)
		return status;
	if (!threshold)
		threshold = ask_threshold(o->custodian_count ? NULL : tty, custodian_count);
	add("[plan]\naccount = %s\nzone = %s\nthreshold = %s\n", o->account, zone, threshold);
	if (o->strength)
		add("strength = %s\n", o->strength);
	return BG_EXIT_DONE;
}

static int read_file(const struct bg_plan_options *o, struct bg_plan *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_file_read(o->file, BG_FILE_ANY_FOLDER | BG_FILE_ANY_OWNER, text,
		sizeof(text), &text_len, &diag);

	if (!err)
		err = bg_plan_parse(text, text_len, o->file, ret, &diag);
	if (err)
		return bg_fail(err, &diag, "correct the plan, nothing was changed");
	if (strcmp(ret->account, o->account) != 0) {
		bg_error("%s: it is for account %s, not %s", o->file, ret->account, o->account);
		bg_hint("bg-unlock init %s --plan %s", ret->account, o->file);
		return BG_EXIT_USAGE;
	}
	return BG_EXIT_DONE;
}

bool bg_plan_is_complete(const struct bg_plan_options *o)
{
	return o->file || (o->zone && o->custodian_count && o->key_count);
}

int bg_plan_make(const struct bg_plan_options *o, struct bg_tty *tty, struct bg_plan *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	if (o->file &&
		(o->zone || o->threshold || o->strength || o->custodian_count || o->key_count))
		return bg_usage("--plan says it all: no --zone, --threshold, --strength, "
				"--custodian, --key");
	if (o->file)
		return read_file(o, ret);
	status = build(o, tty);
	if (status)
		return status;
	err = is_full ? BG_ERR_TOO_BIG : bg_plan_parse(text, text_len, "the plan", ret, &diag);
	diag.line = 0; /* of a text that nobody has seen */
	return err ? bg_fail(err, &diag, "correct the options, nothing was changed") : BG_EXIT_DONE;
}

void bg_plan_warn(const struct bg_plan *plan)
{
	for (size_t i = 0; i < plan->key_count; i++)
		for (size_t j = 0; j < plan->custodian_count; j++)
			if (strcasecmp(plan->keys[i].holder, plan->custodians[j].name) == 0)
				bg_note("warning: %s holds key %s and is a custodian too: one "
					"person less to "
					"open the account",
					plan->keys[i].holder, plan->keys[i].name);
	if (plan->key_count == 1)
		bg_note("warning: one key only: if it is lost or broken, nobody gets in with a "
			"quorum "
			"alone; two are advised");
	if (plan->threshold == plan->custodian_count)
		bg_note("warning: no share may be lost: %u of %zu are needed; 2 of 3 is advised",
			plan->threshold, plan->custodian_count);
}

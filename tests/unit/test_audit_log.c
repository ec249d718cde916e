/* SPDX-License-Identifier: BSD-2-Clause */
/* auditd's log, read: what a report needs of it is in tests/cmd/log.py; here what lines may hold.
 */
#include "unit.h"

#include <breakglass/audit_log.h>

static const struct {
	const char *name, *line;
	int64_t ms; /* -1: no record */
} ids[] = {
	{ "as auditd writes it", "type=CWD msg=audit(1795255202.100:11): x", 1795255202100 },
	{ "no part of a second", "type=CWD msg=audit(7:11): x", 7000 },
	{ "more digits than there are", "type=CWD msg=audit(7.1234567:11): x", 7567 },
	{ "the greatest", "msg=audit(9223372036854774.999:1)", 9223372036854774999 },
	{ "one more", "msg=audit(9223372036854775.999:1)", -1 },
	{ "too great for any number", "msg=audit(99999999999999999999999.9:1)", -1 },
	{ "negative", "msg=audit(-7.5:1)", -1 },
	{ "an endless part", "msg=audit(7.99999999999999999999999999:1)", 7615 },
	{ "empty", "msg=audit()", -1 },
	{ "longer than an id", "msg=audit(1111111111222222222233333333334444444444.1:1)", -1 },
	{ "none", "type=CWD msg=other(7:11)", -1 },
};

static void audit_ids_are_read_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(ids); i++) {
		char id[BG_AUDIT_ID_LEN];
		int64_t ms = -1;
		bool is_record = bg_audit_line_id(ids[i].line, id, &ms);

		print_message("%s\n", ids[i].name);
		assert_int_equal(is_record, ids[i].ms != -1);
		assert_true(ms == ids[i].ms);
	}
}

static struct bg_audit_event seen;

static void on_event(void *arg, const struct bg_audit_event *event)
{
	(void)arg;
	seen = *event;
}

static const struct bg_audit_event *read_lines(const char *const lines[])
{
	static struct bg_audit_reader reader;

	memset(&reader, 0, sizeof(reader));
	memset(&seen, 0, sizeof(seen));
	reader.on_event = on_event;
	for (size_t i = 0; lines[i]; i++)
		bg_audit_read(&reader, lines[i]);
	bg_audit_read_end(&reader);
	return &seen;
}

static void audit_arguments_that_are_cut_end_in_dots(void **state)
{
	static char line[3 * BG_AUDIT_ARGS_LEN];
	const char *const lines[] = { line, NULL };
	const char *end = "\xe2\x80\xa6";
	int used;

	(void)state;
	/* its own dots come first: what is cut behind them is marked all the same */
	used = snprintf(line, sizeof(line), "type=EXECVE msg=audit(7.1:1): argc=3 a0=E280A6 a1=");
	for (size_t i = 0; i < BG_AUDIT_ARGS_LEN; i++)
		used += snprintf(line + used, sizeof(line) - (size_t)used, "41");
	(void)snprintf(line + used, sizeof(line) - (size_t)used, " a2=\"b\"");
	read_lines(lines);
	assert_true(seen.is_cut);
	assert_string_equal(seen.args + strlen(seen.args) - strlen(end), end);
}

static void audit_a_line_that_was_cut_keeps_its_last_character(void **state)
{
	static const char *const lines[] = {
		"type=EXECVE msg=audit(7.1:1): argc=2 a0=\"ls\" a1=\"-la", NULL
	};

	(void)state;
	assert_string_equal(read_lines(lines)->args, "ls -la");
	assert_false(seen.is_cut);
}

static void audit_the_host_may_stand_before_a_record(void **state)
{
	static const char *const lines[] = {
		"node=db1 type=EXECVE msg=audit(7.1:1): argc=1 a0=\"ls\"",
		"node= type=CWD msg=audit(7.1:1): cwd=\"/etc\"", "node=", NULL
	};

	(void)state;
	assert_string_equal(read_lines(lines)->args, "ls");
	assert_string_equal(seen.folder, "/etc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audit_ids_are_read_as_told),
		cmocka_unit_test(audit_arguments_that_are_cut_end_in_dots),
		cmocka_unit_test(audit_a_line_that_was_cut_keeps_its_last_character),
		cmocka_unit_test(audit_the_host_may_stand_before_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

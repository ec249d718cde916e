/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/conf.h>

static struct bg_conf read_conf(const char *text)
{
	struct bg_conf conf;

	memset(&conf, 0xff, sizeof(conf));
	bg_conf_parse(text, strlen(text), "breakglass.conf", &conf);
	return conf;
}

/* Every setting other than its default. */
static const char full[] = "# site\n[breakglass]\nservices = sshd su-l\ndevice = /dev/pts/3\n"
			   "severity = crit\nsyslog-sd-id = acme@4711\nreview-days = 3\n"
			   "drill-days = 30\nrevoke-on-75 = yes\n";

static void assert_default(const struct bg_conf *conf, const char *key)
{
	struct bg_conf d;

	bg_conf_defaults(&d);
	if (strcmp(key, "services") == 0) {
		assert_int_equal(conf->service_count, d.service_count);
		assert_memory_equal(conf->services, d.services, sizeof(d.services));
	} else if (strcmp(key, "device") == 0) {
		assert_string_equal(conf->device, d.device);
	} else if (strcmp(key, "severity") == 0) {
		assert_int_equal(conf->severity, d.severity);
	} else if (strcmp(key, "syslog-sd-id") == 0) {
		assert_string_equal(conf->sd_id, d.sd_id);
	} else if (strcmp(key, "review-days") == 0) {
		assert_int_equal(conf->review_days, d.review_days);
	} else if (strcmp(key, "drill-days") == 0) {
		assert_int_equal(conf->drill_days, d.drill_days);
	} else {
		assert_false(conf->is_revoke_on_75);
	}
}

static void conf_defaults_are_the_designs(void **state)
{
	struct bg_conf d;

	(void)state;
	bg_conf_defaults(&d);
	assert_false(d.is_degraded);
	assert_int_equal(d.service_count, 3);
	assert_true(bg_conf_is_door(&d, "sshd") && bg_conf_is_door(&d, "login") &&
		    bg_conf_is_door(&d, "breakglass-sshd"));
	assert_false(bg_conf_is_door(&d, "su") || bg_conf_is_door(&d, "") ||
		     bg_conf_is_door(&d, "sshd2") || bg_conf_is_door(&d, "SSHD"));
	assert_string_equal(d.device, "");
	assert_int_equal(d.severity, 0);
	assert_string_equal(d.sd_id, "breakglass@32473");
	assert_int_equal(d.review_days, 7);
	assert_int_equal(d.drill_days, 90);
	assert_false(d.is_revoke_on_75);
}

/* data/breakglass.conf says that the settings which it has as comments are the defaults. */
static void conf_shipped_file_shows_the_defaults(void **state)
{
	static const char *const keys[] = { "services", "device", "severity", "syslog-sd-id",
		"review-days", "drill-days", "revoke-on-75" };
	FILE *file = fopen(BG_DATA "/breakglass.conf", "r");
	char text[4096] = "", line[256], key[64];
	struct bg_conf conf;
	size_t len = 0, count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		bool is_setting =
			sscanf(line, "# %63[a-z0-9-] =", key) == 1 && strstr(line, " =") != NULL;

		count += is_setting;
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s", is_setting ? line + 2 : line);
	}
	(void)fclose(file);
	assert_int_equal(count, LEN(keys));
	conf = read_conf(text);
	assert_false(conf.is_degraded);
	for (size_t i = 0; i < LEN(keys); i++)
		assert_default(&conf, keys[i]);
}

static void conf_every_setting_is_read(void **state)
{
	struct bg_conf conf = read_conf(full);

	(void)state;
	assert_false(conf.is_degraded);
	assert_int_equal(conf.service_count, 2);
	assert_true(bg_conf_is_door(&conf, "su-l"));
	assert_false(bg_conf_is_door(&conf, "login"));
	assert_string_equal(conf.device, "/dev/pts/3");
	assert_int_equal(conf.severity, 2);
	assert_string_equal(conf.sd_id, "acme@4711");
	assert_int_equal(conf.review_days, 3);
	assert_int_equal(conf.drill_days, 30);
	assert_true(conf.is_revoke_on_75);
}

static void conf_P19_each_misspelt_word_leaves_the_default(void **state)
{
	const char *line = strchr(full, '\n') + 1;

	(void)state;
	for (; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t start = *line == '[' ? 1 : 0, len = strcspn(line + start, " ]\n");

		for (size_t i = start; i < start + len; i++) {
			char text[sizeof(full)], key[32];
			struct bg_conf conf;

			memcpy(text, full, sizeof(full));
			text[line - full + i] = line[i] == 'x' ? 'y' : 'x';
			conf = read_conf(text);
			assert_true(conf.is_degraded);
			assert_int_equal(conf.first_err, BG_ERR_UNKNOWN_KEY);
			assert_string_equal(conf.first_error.where, "breakglass.conf");
			assert_true(conf.first_error.line > 1);
			snprintf(key, sizeof(key), "%.*s", (int)len, line);
			if (start == 0) {
				assert_default(&conf, key);
				assert_int_equal(
					conf.severity, strcmp(key, "severity") == 0 ? 0 : 2);
			} else {
				assert_default(&conf, "services");
				assert_default(&conf, "severity");
				assert_default(&conf, "device");
			}
		}
	}
}

static void conf_P19_each_bad_value_leaves_the_default(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = { { "services", "" }, { "services", "sshd Login" }, { "services", "sshd sshd" },
		{ "services", "a b c d e f g h i" }, { "services", "../x" }, { "services", "-x" },
		{ "services", "abcdefghijklmnopq" }, { "device", "hidraw0" },
		{ "severity", "notice" }, { "severity", "EMERG" }, { "severity", "0" },
		{ "syslog-sd-id", "a b" }, { "syslog-sd-id", "a\"]" },
		{ "syslog-sd-id", "abcdefghijklmnopqrstuvwxyz@123456" }, { "review-days", "0" },
		{ "review-days", "366" }, { "review-days", "-1" }, { "drill-days", "never" },
		{ "revoke-on-75", "Yes" }, { "revoke-on-75", "yess" }, { "revoke-on-75", "1" } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char text[256];
		struct bg_conf conf;

		snprintf(text, sizeof(text), "[breakglass]\n%s = %s\nseverity%s= alert\n",
			rows[i].key, rows[i].value,
			strcmp(rows[i].key, "severity") == 0 ? "x" : "");
		conf = read_conf(text);
		assert_true(conf.is_degraded);
		assert_int_equal(conf.first_error.line, 2);
		assert_default(&conf, rows[i].key);
		if (strcmp(rows[i].key, "severity") != 0)
			assert_int_equal(conf.severity, 1);
	}
}

static void conf_S18_a_setting_given_twice_is_its_default(void **state)
{
	const char *line = strchr(full, '\n') + 1;

	(void)state;
	for (line = strchr(line, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
		char text[2 * sizeof(full)], key[32];
		struct bg_conf conf;

		snprintf(key, sizeof(key), "%.*s", (int)strcspn(line, " "), line);
		snprintf(text, sizeof(text), "%s%.*s\n", full, (int)strcspn(line, "\n"), line);
		conf = read_conf(text);
		assert_true(conf.is_degraded);
		assert_int_equal(conf.first_err, BG_ERR_DUPLICATE);
		assert_default(&conf, key);
	}
}

static void conf_garbage_is_all_defaults(void **state)
{
	static const char *const texts[] = { "\xff\xfe", "[breakglass", "services = x\n", "[[[\n",
		"[breakglass]\r\nseverity = crit\r\n", "[breakglass]\nseverity = crit" };
	static char big[70000];

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct bg_conf conf = read_conf(texts[i]);

		assert_true(conf.is_degraded);
		assert_default(&conf, "services");
		assert_default(&conf, "severity");
	}
	memset(big, '#', sizeof(big) - 1);
	assert_true(read_conf(big).is_degraded);
	assert_false(read_conf("").is_degraded);
}

/* ---- host ---- */

static const char host_text[] =
	"[host]\nlabel = db1\naccount = breakglass\nuid = 990\nepoch = 3\nrole = identity\nseal = "
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f\n";

static void host_round_trips(void **state)
{
	struct bg_host host;
	char text[512];
	size_t len = 0;

	(void)state;
	assert_int_equal(bg_host_parse(host_text, strlen(host_text), "host", &host, NULL), BG_OK);
	assert_string_equal(host.label, "db1");
	assert_int_equal(host.uid, 990);
	assert_int_equal(host.epoch, 3);
	assert_string_equal(host.role, "identity");
	assert_int_equal(host.seal_digest[31], 15);
	assert_int_equal(bg_host_write(&host, text, sizeof(text), &len), BG_OK);
	assert_string_equal(text, host_text);
	assert_int_equal(bg_host_write(&host, text, len, &len), BG_ERR_TOO_BIG);
	for (size_t i = 0; i < len; i++)
		assert_int_not_equal(bg_host_parse(host_text, i, "host", &host, NULL), BG_OK);
}

/* A host file from before there were roles. */
static void host_without_a_role_is_full(void **state)
{
	const char *at = strstr(host_text, "role = identity\n");
	struct bg_host host;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "%.*s%s", (int)(at - host_text), host_text,
		at + strlen("role = identity\n"));
	assert_int_equal(bg_host_parse(text, strlen(text), "host", &host, NULL), BG_OK);
	assert_string_equal(host.role, "full");
}

static void host_recording_round_trips(void **state)
{
	static const struct {
		const char *line, *back;
		unsigned int bits;
	} rows[] = { { "record = sudo\n", "sudo", BG_RECORDING_SUDO },
		{ "record = audit\n", "audit", BG_RECORDING_AUDIT },
		{ "record = tlog audit sudo\n", "sudo audit tlog",
			BG_RECORDING_SUDO | BG_RECORDING_AUDIT | BG_RECORDING_TLOG },
		{ "", "", 0 } };
	const char *at = strstr(host_text, "seal = ");

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char text[512], words[BG_RECORDING_LEN], line[64] = "";
		struct bg_host host;
		size_t len = 0;

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - host_text), host_text,
			rows[i].line, at);
		assert_int_equal(bg_host_parse(text, strlen(text), "host", &host, NULL), BG_OK);
		assert_int_equal(host.recording, rows[i].bits);
		bg_recording_text(host.recording, words);
		assert_string_equal(words, rows[i].back);
		assert_int_equal(bg_host_write(&host, text, sizeof(text), &len), BG_OK);
		snprintf(line, sizeof(line), "record = %s\n", rows[i].back);
		assert_int_equal(strstr(text, line) != NULL, rows[i].bits != 0);
		assert_int_equal(strstr(text, "record") != NULL, rows[i].bits != 0);
	}
}

static void host_P14_uid_and_account_are_exact(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = { { "uid = 990", "uid = 0" }, { "uid = 990", "uid = 4294967295" },
		{ "uid = 990", "uid = -1" }, { "uid = 990", "uid = 0990" },
		{ "uid = 990", "uid = 990\nuid = 991" },
		{ "account = breakglass", "account = Breakglass" },
		{ "account = breakglass", "account = root/x" },
		{ "account = breakglass", "account =" }, { "label = db1", "label = d b1" },
		{ "label = db1", "label = " }, { "epoch = 3", "epoch = 0" },
		{ "seal = 00", "seal = 0" }, { "seal = 00", "seal = 0A" }, { "epoch = 3\n", "" },
		{ "role = identity", "role = identit" }, { "role = identity", "role =" },
		{ "role = identity", "record = sudo,audit" }, { "role = identity", "record = tlo" },
		{ "[host]", "[hosd]" } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *at = strstr(host_text, rows[i].from);
		char text[512];
		struct bg_host host = { .uid = 7 };

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - host_text), host_text,
			rows[i].to, at + strlen(rows[i].from));
		assert_int_not_equal(bg_host_parse(text, strlen(text), "host", &host, NULL), BG_OK);
		assert_int_equal(host.uid, 7);
	}
}

/* ---- contacts ---- */

static void contacts_round_trip(void **state)
{
	static const char good[] = "[contacts]\nupdated = 2026-01-02\n\n[custodian ops]\n"
				   "phone = +1 555 0101\n\n[custodian dba]\nphone = +1 555 0102\n";
	struct bg_contacts c;
	char text[1024];
	size_t len = 0;

	(void)state;
	assert_int_equal(bg_contacts_parse(good, strlen(good), "contacts", &c, NULL), BG_OK);
	assert_string_equal(bg_contacts_phone(&c, "dba"), "+1 555 0102");
	assert_string_equal(bg_contacts_phone(&c, "audit"), "");
	assert_int_equal(bg_contacts_write(&c, text, sizeof(text), &len), BG_OK);
	assert_string_equal(text, good);
	assert_int_equal(bg_contacts_write(&c, text, len, &len), BG_ERR_TOO_BIG);
}

static void contacts_bad_refused(void **state)
{
	static const char *const texts[] = { "[custodian ops]\nphone = 1\n",
		"[contacts]\nupdated = 2026-02-30\n",
		"[contacts]\nupdated = 2026-01-02\n[custodian OPS]\n",
		"[contacts]\nupdated = 2026-01-02\n[custodian ops]\n",
		("[contacts]\nupdated = 2026-01-02\n[custodian ops]\nphone = "
		 "123456789012345678901234567890123\n"),
		"[contacts]\nupdated = 2026-01-02\n[custodian ops]\nphone = 1\x1b\n" };
	struct bg_contacts c;

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++)
		assert_int_not_equal(
			bg_contacts_parse(texts[i], strlen(texts[i]), "contacts", &c, NULL), BG_OK);
}

/* ---- plan ---- */

static const char plan_text[] =
	"[plan]\naccount = breakglass\nzone = db\nthreshold = 2\n\n[policy]\nsession-seconds = "
	"3600\n"
	"remote = none\n\n[custodian ops]\nphone = +1 555 0101\n[custodian dba]\n[custodian "
	"audit]\n\n"
	"[key a]\nholder = oncall\n[key b]\nholder = safe\nmodel = Spare\ndevice = /dev/hidraw7\n";

static void plan_is_read_with_defaults(void **state)
{
	struct bg_plan plan;
	struct bg_diag diag = { 0 };

	(void)state;
	assert_int_equal(bg_plan_parse(plan_text, strlen(plan_text), "plan", &plan, &diag), BG_OK);
	assert_int_equal(plan.strength, 128);
	assert_int_equal(plan.threshold, 2);
	assert_int_equal(plan.custodian_count, 3);
	assert_int_equal(plan.key_count, 2);
	assert_string_equal(plan.custodians[0].phone, "+1 555 0101");
	assert_string_equal(plan.custodians[1].phone, "");
	assert_string_equal(plan.keys[0].holder, "oncall");
	assert_string_equal(plan.keys[1].device, "/dev/hidraw7");
	assert_int_equal(plan.policy.session_secs, 3600);
	assert_int_equal(plan.policy.request_secs, 1800);
	assert_false(plan.policy.remote_approve || plan.policy.remote_ssh);
	assert_true(plan.policy.is_reason_required && plan.policy.is_reentry_by_key);
}

static void plan_S16_senseless_quorums_refused(void **state)
{
	static const struct {
		const char *from, *to;
		enum bg_err err;
	} rows[] = { { "threshold = 2", "threshold = 0", BG_ERR_RANGE },
		{ "threshold = 2", "threshold = 1", BG_ERR_RANGE },
		{ "threshold = 2", "threshold = 4", BG_ERR_RANGE },
		{ "threshold = 2", "threshold = 17", BG_ERR_RANGE },
		{ "threshold = 2\n", "", BG_ERR_MISSING },
		{ "[custodian dba]\n[custodian audit]\n", "", BG_ERR_RANGE },
		{ "zone = db", "zone = db\nstrength = 129", BG_ERR_RANGE },
		{ "zone = db", "zone = db\nstrength = 256", BG_OK },
		{ "[custodian dba]", "[custodian ops]", BG_ERR_DUPLICATE },
		{ "[key b]", "[key a]", BG_ERR_DUPLICATE },
		{ "holder = oncall\n", "", BG_ERR_MISSING },
		{ "device = /dev", "device = dev", BG_ERR_SYNTAX },
		{ "remote = none", "remote = nine", BG_ERR_RANGE } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *at = strstr(plan_text, rows[i].from);
		char text[1024];
		struct bg_plan plan;

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - plan_text), plan_text,
			rows[i].to, at + strlen(rows[i].from));
		assert_int_equal(
			bg_plan_parse(text, strlen(text), "plan", &plan, NULL), rows[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_defaults_are_the_designs),
		cmocka_unit_test(conf_shipped_file_shows_the_defaults),
		cmocka_unit_test(conf_every_setting_is_read),
		cmocka_unit_test(conf_P19_each_misspelt_word_leaves_the_default),
		cmocka_unit_test(conf_P19_each_bad_value_leaves_the_default),
		cmocka_unit_test(conf_S18_a_setting_given_twice_is_its_default),
		cmocka_unit_test(conf_garbage_is_all_defaults),
		cmocka_unit_test(host_round_trips),
		cmocka_unit_test(host_without_a_role_is_full),
		cmocka_unit_test(host_recording_round_trips),
		cmocka_unit_test(host_P14_uid_and_account_are_exact),
		cmocka_unit_test(contacts_round_trip),
		cmocka_unit_test(contacts_bad_refused),
		cmocka_unit_test(plan_is_read_with_defaults),
		cmocka_unit_test(plan_S16_senseless_quorums_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

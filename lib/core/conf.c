/* SPDX-License-Identifier: BSD-2-Clause */
/* breakglass.conf: the one lenient file. What is wrong stays at its default (RULES P19). */
#include <breakglass/conf.h>
#include <breakglass/ini.h>

#include <string.h>

#define SD_ID_MAX_LEN 32 /* SD-NAME, RFC 5424 section 6.3.2 */

static bool is_service(const char *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strlen(word);

	return len <= BG_SERVICE_LEN && word[0] != '-' && strspn(word, allowed) == len;
}

/* A list is read whole before it replaces the setting. */
struct services {
	size_t count;
	char names[BG_SERVICES_MAX][BG_SERVICE_LEN + 1];
};

static enum bg_err add_service(void *object, const char *word, struct bg_diag *diag)
{
	struct services *s = object;

	if (!is_service(word))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"a service is [a-z0-9_][a-z0-9_-]* of at most %d bytes", BG_SERVICE_LEN);
	if (s->count == BG_SERVICES_MAX)
		return bg_diag_set(
			diag, BG_ERR_TOO_BIG, NULL, "at most %d services", BG_SERVICES_MAX);
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->names[i], word) == 0)
			return bg_diag_set(
				diag, BG_ERR_DUPLICATE, NULL, "service %s stands here twice", word);
	memcpy(s->names[s->count++], word, strlen(word) + 1);
	return BG_OK;
}

static enum bg_err set_services(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_conf *conf = object;
	struct services s = { 0 };
	enum bg_err err = bg_ini_words(v, add_service, &s, diag);

	if (err != BG_OK)
		return err;
	conf->service_count = s.count;
	memcpy(conf->services, s.names, sizeof(conf->services));
	return BG_OK;
}

static enum bg_err set_device(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_conf *conf = object;

	if (v->len == 0) {
		conf->device[0] = '\0';
		return BG_OK;
	}
	if (v->text[0] != '/')
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be a path from /", v->key);
	return bg_ini_text(v, sizeof(conf->device) - 1, conf->device, diag);
}

static enum bg_err set_severity(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	static const char *const words[] = { "emerg", "alert", "crit" };
	struct bg_conf *conf = object;

	for (int i = 0; i < 3; i++) {
		if (strcmp(v->text, words[i]) == 0) {
			conf->severity = i;
			return BG_OK;
		}
	}
	return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be emerg, alert or crit", v->key);
}

static enum bg_err set_sd_id(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
	struct bg_conf *conf = object;

	if (strspn(v->text, allowed) != v->len)
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be like name@32473", v->key);
	return bg_ini_text(v, SD_ID_MAX_LEN, conf->sd_id, diag);
}

static enum bg_err set_review_days(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_conf *conf = object;

	return bg_ini_u32(v, 1, 365, &conf->review_days, diag);
}

static enum bg_err set_drill_days(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_conf *conf = object;

	return bg_ini_u32(v, 1, 3650, &conf->drill_days, diag);
}

static enum bg_err set_revoke_on_75(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_conf *conf = object;

	return bg_ini_choice(v, "yes", "no", &conf->is_revoke_on_75, diag);
}

static const struct bg_ini_rule rules[] = {
	{ "breakglass", false, "services", false, false, set_services },
	{ "breakglass", false, "device", false, true, set_device },
	{ "breakglass", false, "severity", false, false, set_severity },
	{ "breakglass", false, "syslog-sd-id", false, false, set_sd_id },
	{ "breakglass", false, "review-days", false, false, set_review_days },
	{ "breakglass", false, "drill-days", false, false, set_drill_days },
	{ "breakglass", false, "revoke-on-75", false, false, set_revoke_on_75 },
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

/* Each setting's default, in the order of the rules. */
static const char *const defaults[RULE_COUNT] = { "sshd login breakglass-sshd", "", "emerg",
	"breakglass@32473", "7", "90", "no" };

static void set_default(struct bg_conf *conf, size_t i)
{
	struct bg_ini_value v = {
		.name = "", .key = rules[i].key, .text = defaults[i], .len = strlen(defaults[i])
	};

	/* A test reads them all: none can be refused. */
	if (rules[i].set(conf, &v, NULL) != BG_OK)
		conf->is_degraded = true;
}

void bg_conf_defaults(struct bg_conf *ret)
{
	*ret = (struct bg_conf){ 0 };
	for (size_t i = 0; i < RULE_COUNT; i++)
		set_default(ret, i);
}

/* A setting that stands there twice is nobody's clear intention: neither counts. */
static enum bg_err note_error(
	void *object, enum bg_err err, const struct bg_ini_value *value, const struct bg_diag *diag)
{
	struct bg_conf *conf = object;

	for (size_t i = 0; value != NULL && i < RULE_COUNT; i++)
		if (strcmp(rules[i].key, value->key) == 0)
			set_default(conf, i);
	if (!conf->is_degraded) {
		conf->first_error = *diag;
		conf->first_err = err;
	}
	conf->is_degraded = true;
	return BG_OK;
}

static const struct bg_ini_schema schema = {
	.rules = rules, .rule_count = RULE_COUNT, .on_error = note_error
};

void bg_conf_parse(const char *text, size_t len, const char *where, struct bg_conf *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err;

	bg_conf_defaults(ret);
	err = bg_ini_parse(text, len, where, &schema, ret, &diag);
	if (err != BG_OK)
		note_error(ret, err, NULL, &diag);
}

bool bg_conf_is_door(const struct bg_conf *conf, const char *service)
{
	for (size_t i = 0; i < conf->service_count && i < BG_SERVICES_MAX; i++)
		if (strcmp(conf->services[i], service) == 0)
			return true;
	return false;
}

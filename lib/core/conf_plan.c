/* SPDX-License-Identifier: BSD-2-Clause */
/* A ceremony's plan: what `init --plan` would otherwise ask. */
#include "seal_parts.h"

#include <breakglass/conf.h>

#include <string.h>

static enum bg_err set_account(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_account(v, plan->account, diag);
}

static enum bg_err set_zone(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_label(v, plan->zone, diag);
}

static enum bg_err set_threshold(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_u8(v, 1, BG_CUSTODIANS_MAX, &plan->threshold, diag);
}

static enum bg_err set_strength(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;
	bool is_long = strcmp(v->text, "256") == 0;

	if (!is_long && strcmp(v->text, "128") != 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be 128 or 256", v->key);
	plan->strength = is_long ? 256 : 128;
	return BG_OK;
}

static enum bg_err set_policy(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_policy_set(&plan->policy, v, diag);
}

static enum bg_err set_phone(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_text(
		v, BG_PHONE_LEN, plan->custodians[plan->custodian_count - 1].phone, diag);
}

static enum bg_err set_holder(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_text(v, BG_HOLDER_LEN, plan->keys[plan->key_count - 1].holder, diag);
}

static enum bg_err set_model(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;

	return bg_ini_text(v, BG_MODEL_LEN, plan->keys[plan->key_count - 1].model, diag);
}

static enum bg_err set_device(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;
	char *device = plan->keys[plan->key_count - 1].device;

	if (v->text[0] != '/')
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be a path from /", v->key);
	return bg_ini_text(v, sizeof(plan->keys[0].device) - 1, device, diag);
}

/* As ssh-keygen's .pub file has it; its comment is dropped. */
static enum bg_err set_ssh(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_plan *plan = object;
	char *ssh = plan->keys[plan->key_count - 1].ssh;
	enum bg_err err = bg_ssh_key_parse(v->text, v->len, ssh, diag);

	for (size_t i = 0; err == BG_OK && i + 1 < plan->key_count; i++)
		if (strcmp(plan->keys[i].ssh, ssh) == 0)
			err = bg_diag_set(diag, BG_ERR_DUPLICATE, NULL,
				"keys %s and %s have the same ssh key", plan->keys[i].name,
				plan->keys[plan->key_count - 1].name);
	return err;
}

static enum bg_err open_section(
	void *object, const char *section, const char *name, struct bg_diag *diag)
{
	struct bg_plan *plan = object;
	bool is_key = strcmp(section, "key") == 0;
	enum bg_err err = bg_ini_check_name(section, name, diag);

	if (err != BG_OK)
		return err;
	if (is_key ? plan->key_count == BG_KEYS_MAX : plan->custodian_count == BG_CUSTODIANS_MAX)
		return bg_diag_set(diag, BG_ERR_TOO_BIG, NULL, "too many [%s NAME]", section);
	if (is_key)
		memcpy(plan->keys[plan->key_count++].name, name, strlen(name) + 1);
	else
		memcpy(plan->custodians[plan->custodian_count++].name, name, strlen(name) + 1);
	return BG_OK;
}

static const struct bg_ini_rule rules[] = {
	{ "plan", false, "account", true, false, set_account },
	{ "plan", false, "zone", true, false, set_zone },
	{ "plan", false, "threshold", true, false, set_threshold },
	{ "plan", false, "strength", false, false, set_strength },
	BG_POLICY_RULES(false, set_policy),
	{ "custodian", true, "phone", false, false, set_phone },
	{ "key", true, "holder", true, false, set_holder },
	{ "key", true, "model", false, false, set_model },
	{ "key", true, "device", false, false, set_device },
	{ "key", true, "ssh", false, false, set_ssh },
};

static const struct bg_ini_schema schema = {
	.rules = rules, .rule_count = sizeof(rules) / sizeof(rules[0]), .on_section = open_section
};

enum bg_err bg_plan_parse(
	const char *text, size_t len, const char *where, struct bg_plan *ret, struct bg_diag *diag)
{
	struct bg_plan plan = { .strength = 128 };
	enum bg_err err;

	bg_policy_defaults(&plan.policy);
	err = bg_ini_parse(text, len, where, &schema, &plan, diag);
	if (err != BG_OK)
		return err;
	err = bg_quorum_check(plan.threshold, plan.custodian_count, diag);
	if (err == BG_OK && plan.key_count == 0)
		err = bg_diag_set(diag, BG_ERR_MISSING, NULL, "no [key NAME]");
	if (err != BG_OK)
		return bg_diag_set(diag, err, where, NULL);
	*ret = plan;
	return BG_OK;
}

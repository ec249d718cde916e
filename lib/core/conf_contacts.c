/* SPDX-License-Identifier: BSD-2-Clause */
/* `contacts`: the custodians' telephone numbers. Unsigned: they only help people. */
#include "seal_parts.h"

#include <breakglass/conf.h>

#include <string.h>

static enum bg_err set_updated(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_contacts *contacts = object;

	if (!bg_is_date(v->text))
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be a day, YYYY-MM-DD", v->key);
	return bg_ini_text(v, sizeof(contacts->updated) - 1, contacts->updated, diag);
}

static enum bg_err set_phone(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_contacts *contacts = object;

	return bg_ini_text(v, BG_PHONE_LEN, contacts->entries[contacts->count - 1].phone, diag);
}

static enum bg_err open_section(
	void *object, const char *section, const char *name, struct bg_diag *diag)
{
	struct bg_contacts *contacts = object;
	enum bg_err err = bg_ini_check_name(section, name, diag);

	if (err != BG_OK)
		return err;
	if (contacts->count == BG_CUSTODIANS_MAX)
		return bg_diag_set(
			diag, BG_ERR_TOO_BIG, NULL, "at most %d custodians", BG_CUSTODIANS_MAX);
	memcpy(contacts->entries[contacts->count++].name, name, strlen(name) + 1);
	return BG_OK;
}

static const struct bg_ini_rule rules[] = {
	{ "contacts", false, "updated", true, false, set_updated },
	{ "custodian", true, "phone", true, false, set_phone },
};

static const struct bg_ini_schema schema = {
	.rules = rules, .rule_count = sizeof(rules) / sizeof(rules[0]), .on_section = open_section
};

enum bg_err bg_contacts_parse(const char *text, size_t len, const char *where,
	struct bg_contacts *ret, struct bg_diag *diag)
{
	struct bg_contacts contacts = { 0 };
	enum bg_err err = bg_ini_parse(text, len, where, &schema, &contacts, diag);

	if (err == BG_OK)
		*ret = contacts;
	return err;
}

enum bg_err bg_contacts_write(
	const struct bg_contacts *contacts, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_text t = { .p = ret, .size = ret_size };

	bg_text_put(&t, "[contacts]\nupdated = %s\n", contacts->updated);
	for (size_t i = 0; i < contacts->count && i < BG_CUSTODIANS_MAX; i++)
		bg_text_put(&t, "\n[custodian %s]\nphone = %s\n", contacts->entries[i].name,
			contacts->entries[i].phone);
	if (t.is_full)
		return BG_ERR_TOO_BIG;
	*ret_len = t.len;
	return BG_OK;
}

const char *bg_contacts_phone(const struct bg_contacts *contacts, const char *name)
{
	for (size_t i = 0; i < contacts->count && i < BG_CUSTODIANS_MAX; i++)
		if (strcmp(contacts->entries[i].name, name) == 0)
			return contacts->entries[i].phone;
	return "";
}

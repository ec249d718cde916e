/* SPDX-License-Identifier: BSD-2-Clause */
/* The strict reader, strict and lenient (by the first byte), with a schema of every kind. */
#include <breakglass/ini.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static enum bg_err set(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	unsigned char bytes[8];
	uint32_t n;

	(void)object;
	if (v->text[v->len] != '\0' || strlen(v->text) != v->len || v->line == 0)
		abort();
	if (v->text[0] == '0')
		return bg_ini_hex(v, sizeof(bytes), bytes, diag);
	return v->text[0] == '1' ? bg_ini_u32(v, 1, 99, &n, diag) : BG_OK;
}

static enum bg_err go_on(
	void *object, enum bg_err err, const struct bg_ini_value *value, const struct bg_diag *diag)
{
	(void)object;
	(void)value;
	return err == BG_OK || diag->what[0] == '\0' ? BG_ERR_STATE : BG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bg_ini_rule rules[] = {
		{ "top", false, "must", true, false, set },
		{ "top", false, "may", false, true, set },
		{ "part", true, "must", true, false, set },
		{ "last", false, "may", false, false, set },
	};
	struct bg_ini_schema schema = { .rules = rules, .rule_count = 4 };
	struct bg_diag diag = { 0 };
	enum bg_err err;

	if (size == 0)
		return 0;
	schema.is_ordered = (data[0] & 1) != 0;
	schema.on_error = (data[0] & 2) != 0 ? go_on : NULL;
	err = bg_ini_parse((const char *)data + 1, size - 1, "fuzz", &schema, NULL, &diag);
	/* an error always says what; the lenient reader never gives up */
	if (err != BG_OK && (diag.what[0] == '\0' || schema.on_error != NULL))
		abort();
	return 0;
}

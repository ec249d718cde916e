/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one strict reader: seals, host files, configuration, plans, contacts.
 * `[section]` or `[section NAME]`, `key = value`, `#` comment lines, LF. At most
 * 2,048 bytes a line (without its LF) and 64 KiB a file; each line ends with LF,
 * none is indented; no NUL, no tab or other control character, valid UTF-8. A schema says which
 * sections and keys there are; unknown ones, duplicates, missing ones and bad lengths are errors
 * with a line number.
 */
#ifndef BREAKGLASS_INI_H
#define BREAKGLASS_INI_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BG_INI_LINE_LEN 2048
#define BG_INI_FILE_LEN 65536

struct bg_ini_value {
	const char *name; /* of `[section NAME]`, or "" */
	const char *key;
	const char *text; /* the value, blanks trimmed, terminated, not empty unless may_be_empty */
	size_t len;
	unsigned int line;
};

/* Stores one value in object. On error: sets diag's what to what was expected. */
typedef enum bg_err bg_ini_set_fn(
	void *object, const struct bg_ini_value *value, struct bg_diag *diag);

struct bg_ini_rule {
	const char *section;
	bool is_named; /* `[section NAME]`, any number of them, no NAME twice */
	const char *key;
	bool is_required; /* in each such section; an unnamed section is then required too */
	bool may_be_empty;
	bg_ini_set_fn *set;
};

/* Called at `[section NAME]` before its keys, for named sections (may be NULL in the schema). */
typedef enum bg_err bg_ini_section_fn(
	void *object, const char *section, const char *name, struct bg_diag *diag);
/* Called instead of giving up, when not NULL: return BG_OK to go on without that line (after a bad
   section line: without that section). value: NULL unless the line's key is known. */
typedef enum bg_err bg_ini_error_fn(void *object, enum bg_err err, const struct bg_ini_value *value,
	const struct bg_diag *diag);

struct bg_ini_schema {
	const struct bg_ini_rule *rules;
	size_t rule_count; /* at most 64 */
	bool is_ordered;   /* sections come in the order of the rules */
	bg_ini_section_fn *on_section;
	bg_ini_error_fn *on_error; /* only breakglass.conf is lenient */
};

/* Reads len bytes of text. where: the file's name for diag. Errors: BG_ERR_SYNTAX, _TOO_BIG,
   _UNKNOWN_KEY, _DUPLICATE, _MISSING, or what a set function returned. */
BG_CHECKED enum bg_err bg_ini_parse(const char *text, size_t len, const char *where,
	const struct bg_ini_schema *schema, void *object, struct bg_diag *diag);

/* Helpers for set functions. All: BG_ERR_RANGE or BG_ERR_SYNTAX with diag's what. */
BG_CHECKED enum bg_err bg_ini_u32(const struct bg_ini_value *value, uint32_t min, uint32_t max,
	uint32_t *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_ini_u16(const struct bg_ini_value *value, uint16_t min, uint16_t max,
	uint16_t *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_ini_u8(const struct bg_ini_value *value, uint8_t min, uint8_t max,
	uint8_t *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_ini_hex(
	const struct bg_ini_value *value, size_t len, unsigned char *ret, struct bg_diag *diag);
/* Copies into ret (max_len + 1 bytes), 1 to max_len bytes. */
BG_CHECKED enum bg_err bg_ini_text(
	const struct bg_ini_value *value, size_t max_len, char *ret, struct bg_diag *diag);
/* An emergency account's name (BG_ACCOUNT_LEN + 1 bytes); a host label or zone
   (BG_HOST_LABEL_LEN + 1 bytes). */
BG_CHECKED enum bg_err bg_ini_account(
	const struct bg_ini_value *value, char *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_ini_label(
	const struct bg_ini_value *value, char *ret, struct bg_diag *diag);
/* One of two words, the first of which means true. */
BG_CHECKED enum bg_err bg_ini_choice(const struct bg_ini_value *value, const char *yes,
	const char *no, bool *ret, struct bg_diag *diag);
/* For section functions: is the NAME of [section NAME] one that a custodian or key may have? */
BG_CHECKED enum bg_err bg_ini_check_name(
	const char *section, const char *name, struct bg_diag *diag);

/* Calls fn for each word of text (separated by single or more spaces) until one fails.
   word: terminated, at most 128 bytes. BG_ERR_RANGE for a longer one. */
typedef enum bg_err bg_ini_word_fn(void *object, const char *word, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_ini_words(
	const struct bg_ini_value *value, bg_ini_word_fn *fn, void *object, struct bg_diag *diag);

/* `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, UTC) and `YYYY-MM-DD`, of the years 2000 to 9999. */
bool bg_is_time(const char *text);
bool bg_is_date(const char *text);
/* `[a-z0-9][a-z0-9-]{0,11}`: custodian and key names. */
bool bg_is_name(const char *text);
/* `[a-z_][a-z0-9_-]{0,max-1}`: account names; max 16 for emergency accounts, 32 for the stat. */
bool bg_is_account(const char *text, size_t max);
/* `[A-Za-z0-9][A-Za-z0-9._-]{0,23}`: host labels and zones. */
bool bg_is_label(const char *text);

#endif

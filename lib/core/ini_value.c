/* SPDX-License-Identifier: BSD-2-Clause */
/* What set functions need to understand a value. */
#include <breakglass/bytes.h>
#include <breakglass/ini.h>
#include <breakglass/limits.h>

#include <string.h>

#define WORD_LEN 128

_Static_assert(BG_ZONE_LEN == BG_HOST_LABEL_LEN, "bg_ini_label serves both");

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Digits only, one spelling a number, at most ten (they fit 64 bits). */
static bool read_number(const char *text, size_t len, uint64_t *ret)
{
	const char *p = text;

	return len <= 10 && (len == 1 || text[0] != '0') && bg_decimal_take(&p, text + len, ret) &&
	       p == text + len;
}

enum bg_err bg_ini_u32(const struct bg_ini_value *value, uint32_t min, uint32_t max, uint32_t *ret,
	struct bg_diag *diag)
{
	uint64_t n;

	if (!read_number(value->text, value->len, &n))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be a number from %u to %u", value->key, min, max);
	if (n < min || n > max)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be from %u to %u",
			value->key, min, max);
	*ret = (uint32_t)n;
	return BG_OK;
}

enum bg_err bg_ini_u16(const struct bg_ini_value *value, uint16_t min, uint16_t max, uint16_t *ret,
	struct bg_diag *diag)
{
	uint32_t n = 0;
	enum bg_err err = bg_ini_u32(value, min, max, &n, diag);

	if (err == BG_OK)
		*ret = (uint16_t)n;
	return err;
}

enum bg_err bg_ini_u8(const struct bg_ini_value *value, uint8_t min, uint8_t max, uint8_t *ret,
	struct bg_diag *diag)
{
	uint32_t n = 0;
	enum bg_err err = bg_ini_u32(value, min, max, &n, diag);

	if (err == BG_OK)
		*ret = (uint8_t)n;
	return err;
}

enum bg_err bg_ini_hex(
	const struct bg_ini_value *value, size_t len, unsigned char *ret, struct bg_diag *diag)
{
	if (!bg_hex_decode(value->text, value->len, ret, len))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be %zu lower-case hex digits", value->key, 2 * len);
	return BG_OK;
}

enum bg_err bg_ini_text(
	const struct bg_ini_value *value, size_t max_len, char *ret, struct bg_diag *diag)
{
	if (value->len == 0 || value->len > max_len)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must have 1 to %zu bytes",
			value->key, max_len);
	memcpy(ret, value->text, value->len);
	ret[value->len] = '\0';
	return BG_OK;
}

enum bg_err bg_ini_account(const struct bg_ini_value *value, char *ret, struct bg_diag *diag)
{
	if (!bg_is_account(value->text, BG_ACCOUNT_LEN))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be [a-z_][a-z0-9_-]* of at most %d bytes", value->key,
			BG_ACCOUNT_LEN);
	return bg_ini_text(value, BG_ACCOUNT_LEN, ret, diag);
}

enum bg_err bg_ini_label(const struct bg_ini_value *value, char *ret, struct bg_diag *diag)
{
	if (!bg_is_label(value->text))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be [A-Za-z0-9][A-Za-z0-9._-]* of at most %d bytes", value->key,
			BG_HOST_LABEL_LEN);
	return bg_ini_text(value, BG_HOST_LABEL_LEN, ret, diag);
}

enum bg_err bg_ini_choice(const struct bg_ini_value *value, const char *yes, const char *no,
	bool *ret, struct bg_diag *diag)
{
	bool is_yes = strcmp(value->text, yes) == 0;

	if (!is_yes && strcmp(value->text, no) != 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be \"%s\" or \"%s\"",
			value->key, yes, no);
	*ret = is_yes;
	return BG_OK;
}

enum bg_err bg_ini_check_name(const char *section, const char *name, struct bg_diag *diag)
{
	if (!bg_is_name(name))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"the name in [%s NAME] must be [a-z0-9][a-z0-9-]* of at most %d bytes",
			section, BG_NAME_LEN);
	/* A seal's `predecessor-key = none` means that there is none. */
	if (strcmp(section, "key") == 0 && strcmp(name, "none") == 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "no key may be called none");
	return BG_OK;
}

enum bg_err bg_ini_words(
	const struct bg_ini_value *value, bg_ini_word_fn *fn, void *object, struct bg_diag *diag)
{
	const char *p = value->text;

	while (*p != '\0') {
		char word[WORD_LEN + 1];
		size_t len = strcspn(p, " ");
		enum bg_err err;

		if (len > WORD_LEN)
			return bg_diag_set(diag, BG_ERR_RANGE, NULL, "a word of \"%s\" is too long",
				value->key);
		memcpy(word, p, len);
		word[len] = '\0';
		if (len > 0) {
			err = fn(object, word, diag);
			if (err != BG_OK)
				return err;
		}
		p += len + strspn(p + len, " ");
	}
	return BG_OK;
}

static unsigned int number(const char *digits, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n = n * 10 + (unsigned int)(digits[i] - '0');
	return n;
}

/* Has text the shape of pattern, where 0 stands for any digit? */
static bool has_shape(const char *text, const char *pattern)
{
	size_t i;

	for (i = 0; pattern[i] != '\0'; i++)
		if (pattern[i] == '0' ? !is_digit(text[i]) : text[i] != pattern[i])
			return false;
	return text[i] == '\0';
}

/* text begins with a date's shape. */
static bool is_calendar_day(const char *text)
{
	static const unsigned int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned int year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 2000 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

bool bg_is_date(const char *text)
{
	return has_shape(text, "0000-00-00") && is_calendar_day(text);
}

bool bg_is_time(const char *text)
{
	return has_shape(text, "0000-00-00T00:00:00Z") && is_calendar_day(text) &&
	       number(text + 11, 2) < 24 && number(text + 14, 2) < 60 && number(text + 17, 2) < 60;
}

bool bg_is_name(const char *text)
{
	size_t i;

	for (i = 0; i < BG_NAME_LEN && text[i] != '\0'; i++)
		if (!is_lower(text[i]) && !is_digit(text[i]) && (text[i] != '-' || i == 0))
			return false;
	return i > 0 && text[i] == '\0';
}

bool bg_is_account(const char *text, size_t max)
{
	size_t i;

	for (i = 0; i < max && text[i] != '\0'; i++)
		if (!is_lower(text[i]) && text[i] != '_' &&
			(i == 0 || (!is_digit(text[i]) && text[i] != '-')))
			return false;
	return i > 0 && text[i] == '\0';
}

bool bg_is_label(const char *text)
{
	size_t i;

	for (i = 0; i < BG_HOST_LABEL_LEN && text[i] != '\0'; i++)
		if (!is_lower(text[i]) && !is_upper(text[i]) && !is_digit(text[i]) &&
			(i == 0 || strchr("._-", text[i]) == NULL))
			return false;
	return i > 0 && text[i] == '\0';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What set functions need to understand a value. */
#include <breakglass/bytes.h>
#include <breakglass/ini.h>
#include <breakglass/limits.h>

#include <string.h>

#define WORD_LEN 128

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

enum bg_err bg_ini_u32(const struct bg_ini_value *value, unsigned long min, unsigned long max,
	unsigned long *ret, struct bg_diag *diag)
{
	uint64_t n;

	if (!read_number(value->text, value->len, &n))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be a number from %lu to %lu", value->key, min, max);
	if (n < min || n > max || n > UINT32_MAX)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be from %lu to %lu",
			value->key, min, max);
	*ret = (unsigned long)n;
	return BG_OK;
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/ini.h>
#include <breakglass/utf8.h>

#include <stdint.h>
#include <string.h>

#define SECTIONS_MAX 64
#define SECTION_LEN  63
#define NO_SECTION   SIZE_MAX

struct parser {
	const struct bg_ini_schema *schema;
	void *object;
	const char *where;
	struct bg_diag *diag;
	unsigned int line;
	size_t section;		   /* first rule of the section we are in, or NO_SECTION */
	unsigned int section_line; /* of its header */
	bool is_skipping;	   /* in a section that was given up */
	uint64_t seen;		   /* bit a rule: keys of this section */
	uint64_t sections_seen;	   /* bit a rule: sections, by their first rule */
	char name[SECTION_LEN + 1];
	size_t header_count;
	char headers[SECTIONS_MAX][SECTION_LEN + 1]; /* what stood between the brackets */
	char buf[BG_INI_LINE_LEN + 1];		     /* the line, cut up in place */
};

/* Gives err, met on a line, to the schema's error function, if there is one. */
static enum bg_err report(
	struct parser *p, enum bg_err err, unsigned int line, const struct bg_ini_value *value)
{
	bg_diag_set(p->diag, err, p->where, NULL);
	p->diag->line = line;
	if (p->schema->on_error == NULL)
		return err;
	return p->schema->on_error(p->object, err, value, p->diag);
}

static enum bg_err check_characters(const char *text, size_t len, struct bg_diag *diag)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = bg_utf8_next(text + i, len - i, &c);
		if (n == 0)
			return bg_diag_set(diag, BG_ERR_SYNTAX, NULL, "not valid UTF-8");
		if (!bg_utf8_is_printable(c))
			return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
				"control character U+%04X (tab, carriage return or other)",
				(unsigned int)c);
	}
	return BG_OK;
}

/* At a section's end: is each required key there? */
static enum bg_err check_required(struct parser *p)
{
	const struct bg_ini_rule *rules = p->schema->rules;

	if (p->section == NO_SECTION || p->is_skipping)
		return BG_OK;
	for (size_t i = 0; i < p->schema->rule_count; i++) {
		enum bg_err err;

		if (!rules[i].is_required || (p->seen >> i & 1) != 0 ||
			strcmp(rules[i].section, rules[p->section].section) != 0)
			continue;
		bg_diag_set(p->diag, BG_ERR_MISSING, NULL, "[%s%s%s] lacks \"%s\"",
			rules[i].section, p->name[0] == '\0' ? "" : " ", p->name, rules[i].key);
		err = report(p, BG_ERR_MISSING, p->section_line, NULL);
		if (err != BG_OK)
			return err;
	}
	return BG_OK;
}

static bool is_section_seen(const struct parser *p, const char *section)
{
	for (size_t i = 0; i < p->schema->rule_count; i++)
		if ((p->sections_seen >> i & 1) != 0 &&
			strcmp(p->schema->rules[i].section, section) == 0)
			return true;
	return false;
}

/* At the file's end: is each required section there? */
static enum bg_err check_sections(struct parser *p)
{
	const struct bg_ini_rule *rules = p->schema->rules;

	for (size_t i = 0; i < p->schema->rule_count; i++) {
		enum bg_err err;

		if (!rules[i].is_required || rules[i].is_named ||
			is_section_seen(p, rules[i].section))
			continue;
		bg_diag_set(p->diag, BG_ERR_MISSING, NULL, "no section [%s]", rules[i].section);
		err = report(p, BG_ERR_MISSING, p->line, NULL);
		if (err != BG_OK)
			return err;
		p->sections_seen |= (uint64_t)1 << i;
	}
	return BG_OK;
}

static size_t find_section(const struct bg_ini_schema *schema, const char *section)
{
	for (size_t i = 0; i < schema->rule_count; i++)
		if (strcmp(schema->rules[i].section, section) == 0)
			return i;
	return NO_SECTION;
}

static enum bg_err remember_header(struct parser *p, const char *header, size_t len)
{
	for (size_t i = 0; i < p->header_count; i++)
		if (strcmp(p->headers[i], header) == 0)
			return bg_diag_set(
				p->diag, BG_ERR_DUPLICATE, NULL, "[%s] stands here twice", header);
	if (p->header_count == SECTIONS_MAX)
		return bg_diag_set(
			p->diag, BG_ERR_TOO_BIG, NULL, "at most %d sections", SECTIONS_MAX);
	memcpy(p->headers[p->header_count++], header, len + 1);
	return BG_OK;
}

static enum bg_err open_section(struct parser *p, const char *section, const char *name)
{
	const struct bg_ini_rule *rule;
	size_t first = find_section(p->schema, section);

	if (first == NO_SECTION)
		return bg_diag_set(
			p->diag, BG_ERR_UNKNOWN_KEY, NULL, "unknown section [%s]", section);
	rule = &p->schema->rules[first];
	if (rule->is_named != (name[0] != '\0'))
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL, "expected [%s%s]", section,
			rule->is_named ? " NAME" : "");
	if (p->schema->is_ordered && p->section != NO_SECTION && first < p->section)
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL, "[%s] must come before [%s]",
			section, p->schema->rules[p->section].section);
	p->section = first;
	p->sections_seen |= (uint64_t)1 << first;
	memcpy(p->name, name, strlen(name) + 1);
	if (rule->is_named && p->schema->on_section != NULL)
		return p->schema->on_section(p->object, section, p->name, p->diag);
	return BG_OK;
}

/* line: "[section]" or "[section NAME]", len bytes, terminated; is cut up. */
static enum bg_err read_header(struct parser *p, char *line, size_t len)
{
	char *section = line + 1, *name;
	enum bg_err err;

	if (len < 3 || line[len - 1] != ']')
		return bg_diag_set(
			p->diag, BG_ERR_SYNTAX, NULL, "expected [section] or [section NAME]");
	line[len - 1] = '\0';
	len -= 2;
	if (len > SECTION_LEN || strpbrk(section, "[]") != NULL)
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL, "bad section name");
	err = remember_header(p, section, len);
	if (err != BG_OK)
		return err;
	name = strchr(section, ' ');
	if (name == NULL)
		return open_section(p, section, "");
	*name++ = '\0';
	if (name[0] == '\0' || strchr(name, ' ') != NULL)
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL, "expected [%s NAME]", section);
	return open_section(p, section, name);
}

static enum bg_err take_header(struct parser *p, char *line, size_t len)
{
	enum bg_err err = check_required(p);

	if (err != BG_OK)
		return err;
	p->seen = 0;
	p->name[0] = '\0';
	p->section_line = p->line;
	p->is_skipping = false;
	err = read_header(p, line, len);
	if (err == BG_OK)
		return BG_OK;
	p->is_skipping = true;
	return report(p, err, p->line, NULL);
}

static const struct bg_ini_rule *find_rule(const struct parser *p, const char *key, size_t *ret)
{
	const struct bg_ini_rule *rules = p->schema->rules;

	for (size_t i = 0; i < p->schema->rule_count; i++) {
		if (strcmp(rules[i].section, rules[p->section].section) == 0 &&
			strcmp(rules[i].key, key) == 0) {
			*ret = i;
			return &rules[i];
		}
	}
	return NULL;
}

static char *trim(char *text, size_t *len)
{
	while (*len > 0 && text[*len - 1] == ' ')
		text[--*len] = '\0';
	while (*text == ' ') {
		text++;
		--*len;
	}
	return text;
}

/* line: "key = value". *value is filled as far as the line is understood. */
static enum bg_err read_pair(struct parser *p, char *line, size_t len, struct bg_ini_value *value)
{
	const struct bg_ini_rule *rule;
	char *equals = memchr(line, '=', len);
	size_t key_len, index = 0;

	if (equals == NULL || equals == line || line[0] == ' ')
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL,
			"expected \"key = value\" (not indented), [section] or # comment");
	*equals = '\0';
	key_len = (size_t)(equals - line);
	value->len = len - key_len - 1;
	value->text = trim(equals + 1, &value->len);
	trim(line, &key_len);
	if (p->section == NO_SECTION)
		return bg_diag_set(
			p->diag, BG_ERR_SYNTAX, NULL, "\"%s\" stands before any section", line);
	rule = find_rule(p, line, &index);
	if (rule == NULL)
		return bg_diag_set(p->diag, BG_ERR_UNKNOWN_KEY, NULL, "unknown key \"%s\" in [%s]",
			line, p->schema->rules[p->section].section);
	value->key = rule->key;
	if ((p->seen >> index & 1) != 0)
		return bg_diag_set(
			p->diag, BG_ERR_DUPLICATE, NULL, "\"%s\" stands here twice", rule->key);
	p->seen |= (uint64_t)1 << index;
	if (value->len == 0 && !rule->may_be_empty)
		return bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL, "\"%s\" has no value", rule->key);
	return rule->set(p->object, value, p->diag);
}

static enum bg_err take_pair(struct parser *p, char *line, size_t len)
{
	struct bg_ini_value value = { .name = p->name, .text = "", .line = p->line };
	enum bg_err err;

	if (p->is_skipping)
		return BG_OK;
	err = read_pair(p, line, len, &value);
	if (err == BG_OK)
		return BG_OK;
	return report(p, err, p->line, value.key == NULL ? NULL : &value);
}

/* text: a line of len bytes without its LF. */
static enum bg_err take_line(struct parser *p, const char *text, size_t len)
{
	enum bg_err err;

	if (len > BG_INI_LINE_LEN) {
		bg_diag_set(p->diag, BG_ERR_TOO_BIG, NULL, "a line has at most %d bytes",
			BG_INI_LINE_LEN);
		return report(p, BG_ERR_TOO_BIG, p->line, NULL);
	}
	err = check_characters(text, len, p->diag);
	if (err != BG_OK)
		return report(p, err, p->line, NULL);
	memcpy(p->buf, text, len);
	p->buf[len] = '\0';
	if (len == 0 || p->buf[0] == '#')
		return BG_OK;
	if (p->buf[0] == '[')
		return take_header(p, p->buf, len);
	return take_pair(p, p->buf, len);
}

static enum bg_err take_lines(struct parser *p, const char *text, size_t len)
{
	enum bg_err err = BG_OK;

	while (len > 0 && err == BG_OK) {
		const char *lf = memchr(text, '\n', len);
		size_t line_len = lf == NULL ? len : (size_t)(lf - text);

		p->line++;
		if (lf == NULL) {
			bg_diag_set(p->diag, BG_ERR_SYNTAX, NULL,
				"the last line does not end (is the file cut short?)");
			return report(p, BG_ERR_SYNTAX, p->line, NULL);
		}
		err = take_line(p, text, line_len);
		text += line_len + 1;
		len -= line_len + 1;
	}
	return err;
}

enum bg_err bg_ini_parse(const char *text, size_t len, const char *where,
	const struct bg_ini_schema *schema, void *object, struct bg_diag *diag)
{
	struct bg_diag unused = { 0 };
	struct parser p = { .schema = schema,
		.object = object,
		.where = where,
		.diag = diag != NULL ? diag : &unused,
		.section = NO_SECTION };
	enum bg_err err;

	if (schema->rule_count == 0 || schema->rule_count > 64)
		return BG_ERR_ARGUMENT;
	if (len > BG_INI_FILE_LEN) {
		bg_diag_set(p.diag, BG_ERR_TOO_BIG, NULL, "a file has at most %d bytes",
			BG_INI_FILE_LEN);
		return report(&p, BG_ERR_TOO_BIG, 0, NULL);
	}
	err = take_lines(&p, text, len);
	if (err == BG_OK)
		err = check_required(&p);
	return err == BG_OK ? check_sections(&p) : err;
}

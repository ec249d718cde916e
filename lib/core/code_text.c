/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/code_text.h>

#include <string.h>

/* Of a text without a good line, so many characters in this many must be modhex for a misread line:
   words of a share have far fewer. */
#define FOREIGN_IN 8

struct text {
	const char *p;
	size_t len;
};

struct window {
	char chars[BG_CODE_LINE_CHARS];
};

static void window_wipe(struct window *window)
{
	explicit_bzero(window, sizeof(*window));
}

static void line_wipe(struct bg_code_line *line)
{
	explicit_bzero(line, sizeof(*line));
}

/* Blanks, and whatever groups characters; of UTF-8 only what some programs make of a blank. */
static bool is_between(char c)
{
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || strchr("-.,;:_", c) != NULL;
}

/* From at on, the place of the next character that counts; text's length at its end. */
static size_t next_char(const struct text *text, size_t at)
{
	while (at < text->len && is_between(text->p[at]))
		at++;
	return at;
}

static size_t chars_between(const struct text *text, size_t at, size_t end)
{
	size_t n = 0;

	for (; at < end; at++)
		n += !is_between(text->p[at]);
	return n;
}

/* The 32 characters from at on, as a line. ret_end: behind the last. */
static bool line_at(const struct text *text, size_t at, struct bg_code_line *ret, size_t *ret_end)
{
	BG_WIPE(window_wipe) struct window window = { 0 };
	size_t n = 0;

	for (at = next_char(text, at); at < text->len && n < BG_CODE_LINE_CHARS;
		at = next_char(text, at + 1)) {
		window.chars[n++] = text->p[at];
		*ret_end = at + 1;
	}
	return n == BG_CODE_LINE_CHARS && bg_code_line_decode(window.chars, n, ret) == BG_OK;
}

struct gathering {
	struct bg_code *code;
	unsigned int wanted;
	struct bg_code_problem *problem;
	unsigned int good;  /* lines of this text */
	unsigned int first; /* number of its first good line */
	int last;	    /* number of its last good line; -1: none yet */
	int bad;	    /* number of its first wrong line; -1: none */
};

static bool is_kind(const struct gathering *g, enum bg_code_kind kind)
{
	return g->code->is_begun ? kind == g->code->kind : g->wanted >> kind & 1;
}

/* The next place where a line stands that belongs here, or the text's length. By chance a CRC is
   right once in 65,536 places, so the line's kind must be right too. */
static size_t find_line(const struct gathering *g, const struct text *text, size_t at)
{
	BG_WIPE(line_wipe) struct bg_code_line line = { 0 };
	size_t end = 0;

	for (at = next_char(text, at); at < text->len; at = next_char(text, at + 1)) {
		if (line_at(text, at, &line, &end) && is_kind(g, line.kind))
			return at;
	}
	return text->len;
}

/* What stands before a good line and is about as long as lines, or behind the last and as long as
   one: misread ones. Less is what a cut left of a line. next: number of the line behind it; -1:
   none. */
static void note_gap(struct gathering *g, size_t chars, int next)
{
	size_t slack = next < 0 ? 0 : BG_CODE_LINE_CHARS / 2;
	int lines = (int)((chars + slack) / BG_CODE_LINE_CHARS);
	int number = g->last >= 0 ? g->last + 1 : next - lines;

	if (lines == 0 || g->bad >= 0 || (g->last < 0 && next < 0))
		return;
	if (number >= 0 && number < BG_CODE_MAX_LINES && (g->code->have >> number & 1) == 0)
		g->bad = number;
}

static enum bg_code_took take_line(struct gathering *g, const struct bg_code_line *line)
{
	g->problem->kind = line->kind;
	if (!is_kind(g, line->kind))
		return BG_TOOK_OTHER_KIND;
	if (bg_code_add(g->code, line) != BG_OK)
		return BG_TOOK_MIXED;
	if (g->good++ == 0)
		g->first = line->number;
	g->last = line->number;
	return BG_TOOK_MORE;
}

static bool is_whole(const struct bg_code *code)
{
	const uint8_t *body;
	size_t len;

	return bg_code_is_whole(code, &body, &len);
}

/* BG_TOOK_MORE: to the end of the text. */
static enum bg_code_took gather(struct gathering *g, const struct text *text)
{
	BG_WIPE(line_wipe) struct bg_code_line line = { 0 };
	size_t at = 0, end = 0;

	while ((at = next_char(text, at)) < text->len) {
		enum bg_code_took took;

		if (!line_at(text, at, &line, &end)) {
			size_t next = find_line(g, text, at + 1);

			if (next == text->len) {
				note_gap(g, chars_between(text, at, next), -1);
				break;
			}
			(void)line_at(text, next, &line, &end);
			note_gap(g, chars_between(text, at, next), line.number);
		}
		took = take_line(g, &line);
		if (took != BG_TOOK_MORE)
			return took;
		at = end;
		g->problem->used = at;
		if (is_whole(g->code))
			return BG_TOOK_WHOLE;
	}
	return BG_TOOK_MORE;
}

static bool is_meant_as_line(const struct text *text)
{
	size_t count = 0, foreign = 0;

	for (size_t i = 0; i < text->len; i++) {
		count += !is_between(text->p[i]);
		foreign += !is_between(text->p[i]) && !bg_is_modhex(text->p[i]);
	}
	return count > 0 && foreign * FOREIGN_IN <= count;
}

static unsigned int total_lines(const struct bg_code *code)
{
	size_t len = 2 + ((size_t)code->body[0] << 8 | code->body[1]);

	if ((code->have & 1) == 0)
		return 0;
	return (unsigned int)((len + BG_CODE_LINE_BODY_LEN - 1) / BG_CODE_LINE_BODY_LEN);
}

static enum bg_code_took verdict(
	const struct gathering *g, const struct text *text, enum bg_code_took took)
{
	struct bg_code_problem *problem = g->problem;

	problem->total = total_lines(g->code);
	problem->line = bg_code_missing(g->code) + 1;
	if (took != BG_TOOK_MORE)
		return took;
	problem->kind = g->code->kind;
	if (g->good == 0)
		return g->code->is_begun && is_meant_as_line(text) ? BG_TOOK_BAD_LINE
								   : BG_TOOK_NOTHING;
	if (g->bad < 0 || g->code->have >> g->bad & 1) /* none, or given right further on */
		return BG_TOOK_MORE;
	problem->line = (unsigned int)g->bad + 1;
	return BG_TOOK_BAD_LINE;
}

enum bg_code_took bg_code_take(struct bg_code *code, unsigned int wanted, const char *text,
	size_t len, struct bg_code_problem *ret)
{
	const struct text all = { text, len };
	struct bg_code alone = { 0 }, more = *code;
	struct gathering g = {
		.code = &alone, .wanted = wanted, .problem = ret, .last = -1, .bad = -1
	};
	enum bg_code_took took;

	memset(ret, 0, sizeof(*ret));
	took = gather(&g, &all);
	if (took == BG_TOOK_WHOLE && g.first == 0) {
		*code = alone;
		return verdict(&g, &all, took);
	}
	memset(ret, 0, sizeof(*ret));
	g = (struct gathering){
		.code = &more, .wanted = wanted, .problem = ret, .last = -1, .bad = -1
	};
	took = gather(&g, &all);
	*code = more;
	return verdict(&g, &all, took);
}

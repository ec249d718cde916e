/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/entry.h>

#include <breakglass/words.h>

#define PIECE_MAX_LEN 4095
#define TOKEN_MAX_LEN 80
#define SHOWN_MAX_LEN 12 /* a wrong word longer than this is several, or no word at all */
#define SHOWN_CUT_LEN 4

struct token {
	char text[TOKEN_MAX_LEN];
	size_t len;
	bool is_cut;
};

static void token_wipe(struct token *token)
{
	explicit_bzero(token, sizeof(*token));
}

/* Where reading a piece stands. */
struct cursor {
	const char *p;
	size_t left;
};

enum glyph {
	GLYPH_TEXT,
	GLYPH_BLANK,
	GLYPH_NOTHING /* zero width */
};

/* The characters outside ASCII that printing, web pages and telephones slip in. */
static const struct {
	const char *bytes;
	enum glyph glyph;
} special[] = {
	{ "\xc2\xa0", GLYPH_BLANK },	 /* no-break space */
	{ "\xc2\xad", GLYPH_NOTHING },	 /* soft hyphen */
	{ "\xe2\x80\x80", GLYPH_BLANK }, /* spaces of many widths */
	{ "\xe2\x80\x81", GLYPH_BLANK }, { "\xe2\x80\x82", GLYPH_BLANK },
	{ "\xe2\x80\x83", GLYPH_BLANK }, { "\xe2\x80\x84", GLYPH_BLANK },
	{ "\xe2\x80\x85", GLYPH_BLANK }, { "\xe2\x80\x86", GLYPH_BLANK },
	{ "\xe2\x80\x87", GLYPH_BLANK }, { "\xe2\x80\x88", GLYPH_BLANK },
	{ "\xe2\x80\x89", GLYPH_BLANK }, { "\xe2\x80\x8a", GLYPH_BLANK },
	{ "\xe2\x80\x8b", GLYPH_NOTHING }, /* zero-width space, non-joiner, joiner */
	{ "\xe2\x80\x8c", GLYPH_NOTHING }, { "\xe2\x80\x8d", GLYPH_NOTHING },
	{ "\xe2\x80\xa8", GLYPH_BLANK }, /* line and paragraph separator */
	{ "\xe2\x80\xa9", GLYPH_BLANK },
	{ "\xe2\x80\xaf", GLYPH_BLANK },   /* narrow no-break space */
	{ "\xe2\x81\xa0", GLYPH_NOTHING }, /* word joiner */
	{ "\xe3\x80\x80", GLYPH_BLANK },   /* ideographic space */
	{ "\xef\xbb\xbf", GLYPH_NOTHING }, /* byte order mark */
};

/* What stands at the cursor, and its length in bytes. */
static enum glyph glyph_at(const struct cursor *c, size_t *ret_len)
{
	*ret_len = 1;
	if (!*c->p)
		return GLYPH_TEXT;
	if (strchr(" \t\r\n\v\f,;-", *c->p))
		return GLYPH_BLANK;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		size_t len = strlen(special[i].bytes);

		if (len <= c->left && !memcmp(c->p, special[i].bytes, len)) {
			*ret_len = len;
			return special[i].glyph;
		}
	}
	return GLYPH_TEXT;
}

/* The next run of text between blanks; false at the end. */
static bool take_run(struct cursor *c, struct token *ret)
{
	size_t len;

	ret->len = 0;
	ret->is_cut = false;
	for (; c->left; c->p += len, c->left -= len) {
		enum glyph glyph = glyph_at(c, &len);

		if (glyph == GLYPH_BLANK && ret->len)
			return true;
		if (glyph != GLYPH_TEXT)
			continue;
		if (ret->len < TOKEN_MAX_LEN)
			ret->text[ret->len++] = *c->p;
		else
			ret->is_cut = true;
	}
	return ret->len > 0;
}

/* Takes "7.", "(7)", "07:" off the start, and a full stop or colon off the end. */
static void strip(struct token *token)
{
	size_t digits, from = 0;

	while (token->len && strchr(".:)", token->text[token->len - 1]) && !token->is_cut)
		token->len--;
	if (from < token->len && token->text[from] == '(')
		from++;
	for (digits = 0; from < token->len && digits < 2; digits++, from++)
		if (token->text[from] < '0' || token->text[from] > '9')
			break;
	if (!digits)
		return;
	while (from < token->len && strchr(".:)", token->text[from]))
		from++;
	token->len -= from;
	memmove(token->text, token->text + from, token->len);
}

/* The next token that is no number; false at the end. */
static bool take_token(struct cursor *c, struct token *ret)
{
	while (take_run(c, ret)) {
		strip(ret);
		if (ret->len)
			return true;
	}
	return false;
}

static bool is_modhex(const struct token *token)
{
	bool is = !token->is_cut;

	for (size_t i = 0; i < token->len; i++)
		is &= bg_is_modhex(token->text[i]);
	return is;
}

static bool is_word(const struct token *token)
{
	uint16_t ignored;
	bool is = !token->is_cut && bg_words_find(token->text, token->len, &ignored) == BG_OK;

	bg_wipe(&ignored, sizeof(ignored));
	return is;
}

struct survey {
	size_t tokens;
	size_t chars;
	bool is_modhex; /* all letters are */
	bool is_words;	/* all tokens are in the list */
	bool has_long;	/* a token longer than any word */
};

static struct survey survey_piece(struct cursor c)
{
	BG_WIPE(token_wipe) struct token token = { 0 };
	struct survey s = { .is_modhex = true, .is_words = true };

	while (take_token(&c, &token)) {
		s.tokens++;
		s.chars += token.len;
		s.is_modhex &= is_modhex(&token);
		s.is_words &= is_word(&token);
		s.has_long |= token.len > BG_WORD_MAX_LEN;
	}
	return s;
}

static bool is_whole_length(size_t chars)
{
	return chars == BG_COMPACT_CHARS_128 || chars == BG_COMPACT_CHARS_256;
}

static void refuse(struct bg_entry *entry, enum bg_err err)
{
	entry->state = BG_ENTRY_REFUSED;
	entry->err = err;
}

/* "b..." is a share of 128 bit, "d..." one of 256 bit (code.h); 0: neither. */
static size_t compact_chars(char first)
{
	switch (first | 0x20) {
	case 'b':
		return BG_COMPACT_CHARS_128;
	case 'd':
		return BG_COMPACT_CHARS_256;
	default:
		return 0;
	}
}

static void add_modhex(struct bg_entry *entry, struct cursor c)
{
	BG_WIPE(token_wipe) struct token token = { 0 };
	size_t whole;
	enum bg_err err;

	while (take_token(&c, &token)) {
		if (token.len > BG_ENTRY_MODHEX_LEN - entry->modhex_len) {
			refuse(entry, BG_ERR_RANGE);
			return;
		}
		memcpy(entry->modhex + entry->modhex_len, token.text, token.len);
		entry->modhex_len += token.len;
	}
	entry->state = BG_ENTRY_MORE;
	whole = compact_chars(entry->modhex[0]);
	if (!whole)
		refuse(entry, BG_ERR_WRONG_KIND);
	else if (entry->modhex_len > whole)
		refuse(entry, BG_ERR_RANGE);
	if (entry->state == BG_ENTRY_REFUSED || entry->modhex_len < whole)
		return;
	err = bg_compact_decode(entry->modhex, entry->modhex_len, &entry->compact);
	if (err)
		refuse(entry, err);
	else
		entry->state = BG_ENTRY_COMPACT;
}

/* A word of the list with a digit in it is nobody's slip; a PIN at the wrong prompt has them. */
static bool has_digit(const struct token *token)
{
	for (size_t i = 0; i < token->len; i++)
		if (token->text[i] >= '0' && token->text[i] <= '9')
			return true;
	return false;
}

/* Printable ASCII; of what cannot be one word no more than one word's worth is shown, of what may
   be a PIN nothing. */
static void show_bad(struct bg_entry *entry, const struct token *token)
{
	static const char hex[] = "0123456789abcdef";
	bool is_cut = token->len > SHOWN_MAX_LEN;
	size_t shown = is_cut ? SHOWN_CUT_LEN : token->len, n = 0;

	if (has_digit(token)) {
		shown = 0;
		is_cut = true;
	}
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)token->text[i];
		bool is_plain = c > ' ' && c <= '~' && c != '\\' && c != '"';

		if (n + (is_plain ? 1 : 4) + 3 >= sizeof(entry->bad_text)) {
			is_cut = true;
			break;
		}
		if (is_plain) {
			entry->bad_text[n++] = (char)c;
			continue;
		}
		entry->bad_text[n++] = '\\';
		entry->bad_text[n++] = 'x';
		entry->bad_text[n++] = hex[c >> 4];
		entry->bad_text[n++] = hex[c & 15];
	}
	memcpy(entry->bad_text + n, is_cut ? "..." : "", is_cut ? 4 : 1);
}

/* Whether the words so far are a share; MORE while they may become one. */
static void check_words(struct bg_entry *entry)
{
	size_t count = entry->words.count;
	enum bg_err err;

	entry->state = count ? BG_ENTRY_MORE : BG_ENTRY_EMPTY;
	if (count != BG_SLIP39_WORDS_128 && count != BG_SLIP39_WORDS_256)
		return;
	if (count < entry->expected)
		return;
	err = bg_slip39_decode(&entry->words, &entry->share);
	if (err && !entry->expected && count == BG_SLIP39_WORDS_128) {
		entry->expected = BG_SLIP39_WORDS_256;
		return;
	}
	entry->expected = count;
	if (!err) {
		entry->state = BG_ENTRY_MNEMONIC;
		return;
	}
	refuse(entry, err);
	if (err == BG_ERR_CHECKSUM)
		entry->bad_number = bg_slip39_suspect(&entry->words);
}

static bool is_final(const struct bg_entry *entry)
{
	return entry->state == BG_ENTRY_MNEMONIC || entry->state == BG_ENTRY_COMPACT ||
	       entry->state == BG_ENTRY_REFUSED;
}

/* What follows a wrong word, unless it were more than a share has: then words were torn apart. */
static void keep_rest(struct bg_entry *entry, struct cursor c)
{
	BG_WIPE(token_wipe) struct token token = { 0 };
	size_t most = entry->expected ? entry->expected : BG_SLIP39_WORDS_256;
	size_t count = entry->words.count + 1, len = 0;

	while (take_token(&c, &token)) {
		if (++count > most || token.len + 1 > sizeof(entry->rest) - len) {
			bg_wipe(entry->rest, sizeof(entry->rest));
			len = 0;
			break;
		}
		memcpy(entry->rest + len, token.text, token.len);
		len += token.len;
		entry->rest[len++] = ' ';
	}
	entry->rest_len = len;
}

static void add_words(struct bg_entry *entry, struct cursor c)
{
	BG_WIPE(token_wipe) struct token token = { 0 };
	struct bg_slip39_words *words = &entry->words;

	while (take_token(&c, &token)) {
		if (is_final(entry) || words->count >= BG_SLIP39_MAX_WORDS) {
			bg_slip39_share_wipe(&entry->share);
			refuse(entry, BG_ERR_RANGE);
			return;
		}
		if (!is_word(&token) ||
			bg_words_find(token.text, token.len, &words->index[words->count])) {
			entry->state = BG_ENTRY_BAD_WORD;
			entry->bad_number = (unsigned int)words->count + 1;
			show_bad(entry, &token);
			keep_rest(entry, c);
			return;
		}
		words->count++;
		check_words(entry);
	}
}

void bg_entry_wipe(struct bg_entry *entry)
{
	explicit_bzero(entry, sizeof(*entry));
}

static void forget_rest(struct bg_entry *entry)
{
	bg_wipe(entry->rest, sizeof(entry->rest));
	entry->rest_len = 0;
}

bool bg_entry_wants_one(const struct bg_entry *entry)
{
	return (entry->state == BG_ENTRY_BAD_WORD && entry->rest_len) ||
	       (entry->state == BG_ENTRY_REFUSED && entry->err == BG_ERR_CHECKSUM &&
		       entry->words.count && entry->bad_number);
}

/* The word that the checksum points at becomes a wrong one, and what follows it the rest. */
static void reopen(struct bg_entry *entry)
{
	struct bg_slip39_words *words = &entry->words;
	size_t first = entry->bad_number, len = 0;

	for (size_t i = first; i < words->count; i++) {
		char word[BG_WORD_MAX_LEN + 1];
		size_t n;

		bg_words_text(words->index[i], word);
		n = strlen(word);
		memcpy(entry->rest + len, word, n);
		entry->rest[len + n] = ' ';
		len += n + 1;
		bg_wipe(word, sizeof(word));
	}
	entry->rest_len = len;
	bg_wipe(words->index + first - 1, (words->count - first + 1) * sizeof(words->index[0]));
	words->count = first - 1;
	entry->err = BG_OK;
	entry->state = BG_ENTRY_BAD_WORD;
}

/* One word in the place of the wrong one, then the rest; one that is wrong as well changes
   nothing. */
static void mend(struct bg_entry *entry, struct cursor c)
{
	char rest[BG_ENTRY_REST_LEN];
	struct cursor after = { rest, entry->rest_len };

	memcpy(rest, entry->rest, sizeof(rest));
	forget_rest(entry);
	add_words(entry, c);
	if (entry->state != BG_ENTRY_BAD_WORD) {
		add_words(entry, after);
	} else {
		memcpy(entry->rest, rest, sizeof(rest));
		entry->rest_len = after.left;
	}
	bg_wipe(rest, sizeof(rest));
}

/* A piece of a compact share's length, taken as one unless words that were typed before it would
   be lost for something that is none. */
static bool take_compact(struct bg_entry *entry, struct cursor c)
{
	BG_WIPE(bg_entry_wipe) struct bg_entry fresh = { 0 };

	add_modhex(&fresh, c);
	if (entry->words.count && fresh.state != BG_ENTRY_COMPACT)
		return false;
	*entry = fresh;
	return true;
}

void bg_entry_add(struct bg_entry *entry, const char *text, size_t len, size_t expected)
{
	struct cursor c = { text, len };
	struct survey s;
	bool is_mend;

	if (len > PIECE_MAX_LEN) {
		bg_entry_wipe(entry);
		refuse(entry, BG_ERR_TOO_BIG);
		return;
	}
	s = survey_piece(c);
	if (!s.tokens)
		return;
	is_mend = s.tokens == 1 && bg_entry_wants_one(entry) && !is_whole_length(s.chars);
	if (is_mend && is_final(entry))
		reopen(entry);
	if (is_final(entry) || (s.tokens == expected && entry->words.count))
		bg_entry_wipe(entry);
	entry->bad_number = 0;
	bg_wipe(entry->bad_text, sizeof(entry->bad_text));
	if (entry->modhex_len) {
		if (s.is_modhex)
			add_modhex(entry, c);
		else
			refuse(entry, BG_ERR_SYNTAX);
		return;
	}
	if (is_mend) {
		mend(entry, c);
		return;
	}
	forget_rest(entry);
	if (s.is_modhex && !s.is_words && is_whole_length(s.chars) && take_compact(entry, c))
		return;
	if (s.is_modhex && s.has_long && !entry->words.count) {
		add_modhex(entry, c);
		return;
	}
	if ((expected == BG_SLIP39_WORDS_128 || expected == BG_SLIP39_WORDS_256) &&
		entry->words.count < expected)
		entry->expected = expected;
	add_words(entry, c);
}

bool bg_entry_is_words(const char *text, size_t len)
{
	const struct survey s = survey_piece((struct cursor){ text, len });

	return s.tokens > 0 && s.is_words;
}

bool bg_entry_head(const struct bg_entry *entry, struct bg_slip39_share *ret)
{
	if (entry->words.count < BG_SLIP39_HEAD_WORDS)
		return false;
	bg_slip39_decode_head(entry->words.index, ret);
	return true;
}

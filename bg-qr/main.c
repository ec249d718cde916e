/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws one QR code (ISO/IEC 18004) as half blocks, for the module. Request on
 * standard input, reply on standard output, each framed as u32 length and body:
 *
 *   columns u16, rows u16 (0: any), text    ->    fits u8, columns u16, rows u16, the picture
 *
 * Two rows of modules are one of characters, light ones drawn: right on a dark
 * background. What it draws is no secret; it gives up root's rights all the same.
 */
#include <breakglass/bytes.h>

#include <ctype.h>
#include <grp.h>
#include <qrencode.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FRAME_LEN     4
#define TEXT_LEN      2048
#define PICTURE_LEN   15000
#define LIFE_SECS     5
#define QUIET_MODULES 2 /* four are asked for; two are enough for what reads screens */
#define NOBODY	      65534

static bool read_all(uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = read(STDIN_FILENO, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_all(const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool drop_rights(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	return geteuid() != 0 ||
	       (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		       setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

/* Upper case and no blanks: a QR code has a short form for these. */
static void squeeze(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++)
		if (!isspace((unsigned char)*text))
			*to++ = (char)toupper((unsigned char)*text);
	*to = '\0';
}

static bool is_light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return (code->data[y * code->width + x] & 1) == 0;
}

static void draw(const QRcode *code, struct bg_writer *ret)
{
	static const char *const glyphs[] = { " ", "\u2584", "\u2580", "\u2588" };
	const int from = -QUIET_MODULES, to = code->width + QUIET_MODULES;

	for (int y = from; y < to; y += 2) {
		for (int x = from; x < to; x++) {
			const char *glyph = glyphs[2 * is_light(code, x, y) +
						   (y + 1 < to && is_light(code, x, y + 1))];

			bg_put(ret, glyph, strlen(glyph));
		}
		bg_put_u8(ret, '\n');
	}
}

static bool reply(const QRcode *code, unsigned int columns, unsigned int rows)
{
	static uint8_t bytes[FRAME_LEN + PICTURE_LEN];
	struct bg_writer head = { bytes, FRAME_LEN, 0, false };
	struct bg_writer body = { bytes + FRAME_LEN, PICTURE_LEN, 0, false };
	unsigned int wide = (unsigned int)code->width + 2 * QUIET_MODULES, high = (wide + 1) / 2;
	bool fits = (columns == 0 || wide <= columns) && (rows == 0 || high <= rows);

	bg_put_u8(&body, fits ? 1 : 0);
	bg_put_u16(&body, (uint16_t)wide);
	bg_put_u16(&body, (uint16_t)high);
	if (fits)
		draw(code, &body);
	if (body.is_full)
		return false;
	bg_put_u32(&head, (uint32_t)body.len);
	return write_all(bytes, FRAME_LEN + body.len);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[4 + TEXT_LEN + 1];
	struct bg_view view = { bytes, FRAME_LEN, false };
	unsigned int columns, rows;
	QRcode *code;
	uint32_t len;
	bool is_done;

	(void)argv;
	(void)alarm(LIFE_SECS);
	if (argc != 1 || !drop_rights() || !read_all(bytes, FRAME_LEN))
		return 1;
	len = bg_view_u32(&view);
	if (len < 5 || len > sizeof(bytes) - 1 || !read_all(bytes, len))
		return 1;
	bytes[len] = '\0';
	view = (struct bg_view){ bytes, 4, false };
	columns = bg_view_u16(&view);
	rows = bg_view_u16(&view);
	squeeze((char *)bytes + 4);
	code = QRcode_encodeString((const char *)bytes + 4, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (code == NULL)
		return 1;
	is_done = reply(code, columns, rows);
	QRcode_free(code);
	return is_done ? 0 : 1;
}

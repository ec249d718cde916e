/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A code as a QR code, drawn by bg-qr, which the module trusts with nothing: of
 * its answer only blanks, half blocks and line ends get onto the terminal.
 */
#include "attempt.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PICTURE_LEN  16000
#define TIMEOUT_SECS 6
#define ROWS_AROUND  4 /* the prompt's own */

struct picture {
	uint16_t columns, rows; /* that it needs */
	bool fits;
	uint8_t bytes[PICTURE_LEN]; /* drawn: terminated, after a line end */
};

static bool is_drawing(const uint8_t *p, size_t len)
{
	while (len > 0) {
		if (*p == ' ' || *p == '\n') {
			p++;
			len--;
		} else if (len >= 3 && p[0] == 0xe2 && p[1] == 0x96 &&
			   (p[2] == 0x80 || p[2] == 0x84 || p[2] == 0x88)) {
			p += 3;
			len -= 3;
		} else {
			return false;
		}
	}
	return true;
}

/* size: of the terminal; 0 columns: draw it in any. */
static bool draw(const struct winsize *size, const char *code, struct picture *ret)
{
	uint8_t request[4 + BG_CODE_TEXT_LEN], *reply = ret->bytes;
	struct bg_writer w = { request, sizeof(request), 0, false };
	struct bg_view head = { reply, 5, false };
	uint16_t rows = size->ws_row > ROWS_AROUND ? size->ws_row - ROWS_AROUND : 1;
	size_t len = 0;

	bg_put_u16(&w, size->ws_col);
	bg_put_u16(&w, size->ws_col == 0 ? 0 : rows);
	bg_put(&w, code, strlen(code));
	if (w.is_full ||
		bg_helper_exchange(BG_PATH_QR, TIMEOUT_SECS, request, w.len, reply, PICTURE_LEN - 1,
			&len, NULL) != BG_OK ||
		len < 5)
		return false;
	ret->fits = bg_view_u8(&head) == 1;
	ret->columns = bg_view_u16(&head);
	ret->rows = bg_view_u16(&head);
	reply[0] = '\n';
	memmove(reply + 1, reply + 5, len - 5);
	reply[1 + len - 5] = '\0';
	return is_drawing(reply, 1 + len - 5);
}

/* All 0 where nobody knows it: over ssh there is none before the session, and a serial line does
   not tell. */
static struct winsize terminal_size(const struct bg_attempt *attempt)
{
	struct winsize size = { 0 };

	if (!attempt->guest->is_local || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 ||
		size.ws_col == 0 || size.ws_row == 0)
		return (struct winsize){ 0 };
	return size;
}

void bg_attempt_qr(struct bg_attempt *attempt, const char *code, bool *has_warned)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	struct winsize size = terminal_size(attempt);

	if (picture == NULL || !draw(&size, code, picture))
		(void)snprintf(attempt->note, sizeof(attempt->note),
			"No QR code can be drawn here (bg-qr); code has the same.");
	else if (!picture->fits)
		(void)snprintf(attempt->note, sizeof(attempt->note),
			"The QR code needs %u columns and %u rows, this terminal has %u and %u;\n"
			" code has the same.",
			picture->columns, picture->rows + (unsigned int)ROWS_AROUND, size.ws_col,
			size.ws_row);
	else if (size.ws_col == 0 && !*has_warned)
		(void)snprintf(attempt->note, sizeof(attempt->note),
			"The QR code needs %u columns and %u rows of a UTF-8 terminal;\n"
			" if yours has them, qr again.",
			picture->columns, picture->rows + (unsigned int)ROWS_AROUND);
	else /* ssh's client puts "(user@host) " before it */
		bg_say(attempt->guest->pamh,
			(const char *)picture->bytes + (attempt->guest->is_local ? 1 : 0));
	*has_warned = true;
	free(picture);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/err.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[BG_ERR_COUNT] = {
	[BG_OK] = "no error",
	[BG_ERR_ARGUMENT] = "internal error: bad argument",
	[BG_ERR_MEMORY] = "out of memory",
	[BG_ERR_RANDOM] = "no randomness from the kernel",
	[BG_ERR_CRYPTO] = "libcrypto failed",
	[BG_ERR_IO] = "input or output failed",
	[BG_ERR_NOENT] = "not found",
	[BG_ERR_UNSAFE] = "owner, mode or type is not safe",
	[BG_ERR_TOO_BIG] = "too big",
	[BG_ERR_SYNTAX] = "malformed",
	[BG_ERR_UNKNOWN_KEY] = "unknown key or section",
	[BG_ERR_DUPLICATE] = "given twice",
	[BG_ERR_MISSING] = "missing",
	[BG_ERR_RANGE] = "out of range",
	[BG_ERR_WORD] = "word is not in the list",
	[BG_ERR_CHECKSUM] = "checksum does not match",
	[BG_ERR_PADDING] = "padding or length is wrong",
	[BG_ERR_EXPONENT] = "iteration exponent is above 4",
	[BG_ERR_MISMATCH] = "do not belong together",
	[BG_ERR_DIGEST] = "digest of the combined secret does not match",
	[BG_ERR_TOO_FEW] = "too few shares",
	[BG_ERR_POLYNOMIAL] = "a share does not fit the others",
	[BG_ERR_SIGNATURE] = "signature does not verify",
	[BG_ERR_WRONG_KIND] = "another kind of code",
	[BG_ERR_OTHER_SET] = "share of another set",
	[BG_ERR_RETIRED] = "share of a retired epoch",
	[BG_ERR_NOT_A_SHARE] = "share of no custodian of this seal",
	[BG_ERR_FORK] = "another seal of the same epoch",
	[BG_ERR_EPOCH] = "epoch does not follow the one in force",
	[BG_ERR_ASSERTION] = "the security key's answer is not acceptable",
	[BG_ERR_TIMEOUT] = "timed out",
	[BG_ERR_BUSY] = "busy",
	[BG_ERR_NO_DEVICE] = "no security key is plugged in",
	[BG_ERR_NOT_ENROLLED] = "the security key is not enrolled",
	[BG_ERR_PIN] = "wrong PIN",
	[BG_ERR_PIN_BLOCKED] = "PIN is blocked",
	[BG_ERR_PIN_NOT_SET] = "no PIN is set on the security key",
	[BG_ERR_PIN_RESERVED] = "too few PIN tries left for this door",
	[BG_ERR_DENIED] = "denied at the security key",
	[BG_ERR_CANCELLED] = "cancelled",
	[BG_ERR_HELPER] = "the helper bg-fido2 failed",
	[BG_ERR_EXPIRED] = "expired",
	[BG_ERR_TAKEN_OVER] = "taken over by a newer connection",
	[BG_ERR_USED] = "used already",
	[BG_ERR_REVOKED] = "was revoked",
	[BG_ERR_LOCKED] = "the account was locked since",
	[BG_ERR_STATE] = "not possible in this state",
};

const char *bg_err_text(enum bg_err err)
{
	if ((unsigned int)err >= BG_ERR_COUNT || !texts[err])
		return "unknown error";
	return texts[err];
}

enum bg_err bg_diag_set(
	struct bg_diag *diag, enum bg_err err, const char *where, const char *what_fmt, ...)
{
	if (!diag)
		return err;
	if (where)
		(void)snprintf(diag->where, sizeof(diag->where), "%s", where);
	if (what_fmt) {
		va_list args;

		va_start(args, what_fmt);
		(void)vsnprintf(diag->what, sizeof(diag->what), what_fmt, args);
		va_end(args);
	}
	return err;
}

/* Appends to the len bytes at buf, of which *used hold text; what does not fit is cut. */
BG_PRINTF(4, 5)
static void append(char *buf, size_t len, size_t *used, const char *fmt, ...)
{
	va_list args;
	int n;

	if (*used + 1 >= len)
		return;
	va_start(args, fmt);
	n = vsnprintf(buf + *used, len - *used, fmt, args);
	va_end(args);
	if (n < 0)
		buf[*used] = '\0';
	else
		*used = (size_t)n < len - *used ? *used + (size_t)n : len - 1;
}

void bg_diag_format(const struct bg_diag *diag, enum bg_err err, char *buf, size_t len)
{
	size_t used = 0;
	char text[128];

	if (!len)
		return;
	buf[0] = '\0';
	if (diag && diag->where[0]) {
		append(buf, len, &used, "%s:", diag->where);
		if (diag->line)
			append(buf, len, &used, "%u:", diag->line);
		append(buf, len, &used, " ");
	}
	if (diag && diag->what[0])
		append(buf, len, &used, "%s: ", diag->what);
	append(buf, len, &used, "%s", bg_err_text(err));
	if (diag && diag->sys_errno)
		append(buf, len, &used, " (%s)", strerror_r(diag->sys_errno, text, sizeof(text)));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs once: carries what /run/breakglass/log holds to /var/lib/breakglass/log,
 * and gives /run its head at boot. Takes no argument. Its stderr is the journal.
 */
#include <breakglass/os_log.h>

#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct bg_diag diag = { 0 };
	size_t count = 0;
	enum bg_err err;
	char text[512];

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "breakglass-carry: error: takes no argument\n");
		return 2;
	}
	(void)umask(077);
	err = bg_log_carry(&count, &diag);
	if (err == BG_OK)
		return 0;
	bg_diag_format(&diag, err, text, sizeof(text));
	(void)fprintf(stderr, "breakglass-carry: error: %s\n", text);
	(void)fprintf(stderr, "breakglass-carry: hint: the records stay in /run/breakglass/log and "
			      "the journal; it is tried again\n");
	return 3;
}

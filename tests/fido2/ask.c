/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A caller of bg_helper_run for test_bg_fido2.py: `fido2-ask HELPER`, the body of a request on
 * standard input. On standard output "reply HEX" or "failed ERR: TEXT".
 */
#include <breakglass/os_helper.h>

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static struct bg_fido2_request request;
	static struct bg_fido2_reply reply;
	static uint8_t bytes[BG_FIDO2_MESSAGE_MAX_LEN];
	static char hex[2 * BG_FIDO2_MESSAGE_MAX_LEN + 1];
	struct bg_writer w = { bytes, sizeof(bytes), 0, false };
	struct bg_diag diag = { 0 };
	char text[400];
	size_t len = 0;
	ssize_t n;
	enum bg_err err;

	if (argc != 2)
		return 2;
	while ((n = read(STDIN_FILENO, bytes + len, sizeof(bytes) - len)) > 0)
		len += (size_t)n;
	err = bg_fido2_request_decode(bytes, len, &request);
	if (!err)
		err = bg_helper_run(argv[1], &request, &reply, &diag);
	if (!err)
		err = bg_fido2_reply_encode(&reply, &w);
	if (err) {
		bg_diag_format(&diag, err, text, sizeof(text));
		printf("failed %d: %s\n", (int)err, text);
		return 1;
	}
	bg_hex_encode(bytes, w.len, hex);
	printf("reply %s\n", hex);
	return 0;
}

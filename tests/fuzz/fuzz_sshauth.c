/* SPDX-License-Identifier: BSD-2-Clause */
/* What sshd says of the methods passed: what is taken is the whole line, letter by letter. */
#include <breakglass/sshauth.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char method[] = "publickey ";
	const size_t n = sizeof(method) - 1;
	char ret[BG_SSH_KEY_LEN];
	struct bg_diag diag = { 0 };
	size_t len;

	if (bg_sshauth_parse((const char *)data, size, ret, &diag) != BG_OK)
		return 0;
	len = strlen(ret);
	if (size != n + len + 1 || memcmp(data, method, n) != 0 ||
		memcmp(data + n, ret, len) != 0 || data[size - 1] != '\n')
		abort();
	return 0;
}

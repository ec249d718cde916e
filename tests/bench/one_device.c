/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into the peer pam_u2f by bench.py: what libfido2 enumerates is the one
 * software key, a pseudo-terminal, which no udev knows.
 */
#include <fido.h>
#include <stdlib.h>

int fido_dev_info_manifest(fido_dev_info_t *list, size_t size, size_t *ret_count)
{
	(void)list;
	*ret_count = size > 0;
	return FIDO_OK;
}

const char *fido_dev_info_path(const fido_dev_info_t *info)
{
	(void)info;
	return getenv("BENCH_DEVICE");
}

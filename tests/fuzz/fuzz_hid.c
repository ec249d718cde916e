/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/hid.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)bg_hid_is_fido(data, size);
	return 0;
}

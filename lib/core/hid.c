/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/hid.h>

#include <breakglass/bytes.h>

#define LONG_ITEM	0xfe
#define USAGE_PAGE	0x04 /* global item; the two lowest bits of its prefix are its size */
#define USAGE_PAGE_FIDO 0xf1d0

/* Little endian, unlike bg_view_u32. */
static uint32_t item_value(struct bg_view *v, size_t size)
{
	const uint8_t *p = bg_view_take(v, size);
	uint32_t value = 0;

	for (size_t i = 0; p && i < size; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

bool bg_hid_is_fido(const uint8_t *p, size_t len)
{
	struct bg_view v = { p, len, false };

	while (v.len > 0 && !v.is_short) {
		uint8_t prefix = bg_view_u8(&v);
		size_t size = (prefix & 3) == 3 ? 4 : prefix & 3;

		if (prefix == LONG_ITEM) { /* its size, its tag, its data */
			size = (size_t)bg_view_u8(&v) + 1;
			(void)bg_view_take(&v, size);
		} else if (item_value(&v, size) == USAGE_PAGE_FIDO &&
			   (prefix & ~3U) == USAGE_PAGE && !v.is_short) {
			return true;
		}
	}
	return false;
}

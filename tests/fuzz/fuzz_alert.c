/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts, and what an unprivileged program tells of them: what is read is written the same again.
 */
#include <breakglass/alert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written. */
#define ROUND(unit, text, len)                                                                     \
	do {                                                                                       \
		struct bg_alert_##unit unit;                                                       \
		char again[256];                                                                   \
		size_t again_len = 0;                                                              \
                                                                                                   \
		if (bg_alert_##unit##_read(text, len, &unit) == BG_OK &&                           \
			bg_alert_##unit##_write(&unit, again, sizeof(again), &again_len) != BG_OK) \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char json[BG_ALERT_MAX_LEN];
	struct bg_crypto *crypto;
	int64_t time_ms;
	uint64_t id;
	size_t n = 0;

	if (size > BG_EVENT_MAX_LEN)
		return 0;
	ROUND(told, (const char *)data, size);
	ROUND(cursor, (const char *)data, size);
	(void)!bg_alert_read((const char *)data, size, &id, &time_ms);
	if (!bg_alert_is_due((const char *)data, size))
		return 0;
	crypto = bg_crypto_open();
	if (crypto &&
		bg_alert_json(crypto, 1, (const char *)data, size, json, sizeof(json), &n) ==
			BG_OK &&
		bg_alert_read(json, n, &id, &time_ms) != BG_OK)
		abort();
	bg_crypto_close(crypto);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The small files; the first byte says which. */
#include <breakglass/conf.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536];
	const char *p = (const char *)data + 1;
	struct bg_host host;
	struct bg_contacts contacts;
	struct bg_conf conf;
	struct bg_plan plan;
	size_t len;

	if (size == 0)
		return 0;
	bg_conf_parse(p, size - 1, "fuzz", &conf);
	if (conf.service_count < 1 || conf.severity < 0 || conf.severity > 2)
		abort();
	if (data[0] % 3 == 0 && bg_host_parse(p, size - 1, "fuzz", &host, NULL) == BG_OK &&
		(host.uid == 0 || bg_host_write(&host, text, sizeof(text), &len) != BG_OK ||
			bg_host_parse(text, len, "fuzz", &host, NULL) != BG_OK))
		abort();
	if (data[0] % 3 == 1 && bg_contacts_parse(p, size - 1, "fuzz", &contacts, NULL) == BG_OK &&
		(bg_contacts_write(&contacts, text, sizeof(text), &len) != BG_OK ||
			bg_contacts_parse(text, len, "fuzz", &contacts, NULL) != BG_OK))
		abort();
	if (data[0] % 3 == 2 && bg_plan_parse(p, size - 1, "fuzz", &plan, NULL) == BG_OK &&
		(plan.threshold < 1 || plan.threshold > plan.custodian_count))
		abort();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* auditd's log: every text of an event ends within its field, whatever the lines say. */
#include <breakglass/audit_log.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void end_within(const char *text, size_t size)
{
	if (!memchr(text, '\0', size))
		abort();
}

static void on_event(void *arg, const struct bg_audit_event *event)
{
	(void)arg;
	if (event->id[0] == '\0' || event->path_count > BG_AUDIT_PATHS_MAX)
		abort();
	end_within(event->id, sizeof(event->id));
	end_within(event->uid, sizeof(event->uid));
	end_within(event->session, sizeof(event->session));
	end_within(event->program, sizeof(event->program));
	end_within(event->key, sizeof(event->key));
	end_within(event->args, sizeof(event->args));
	end_within(event->folder, sizeof(event->folder));
	for (size_t i = 0; i < event->path_count; i++) {
		end_within(event->paths[i].name, sizeof(event->paths[i].name));
		end_within(event->paths[i].type, sizeof(event->paths[i].type));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bg_audit_reader reader;
	char *text = malloc(size + 1), *rest = text, *line;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&reader, 0, sizeof(reader));
	reader.on_event = on_event;
	while ((line = strsep(&rest, "\n")) != NULL)
		bg_audit_read(&reader, line);
	bg_audit_read_end(&reader);
	free(text);
	return 0;
}

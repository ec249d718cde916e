# SPDX-License-Identifier: BSD-2-Clause
"""Google Cloud: the Ops Agent's configuration and a log-based alert policy."""
import json

import table

AGENT = """# SPDX-License-Identifier: BSD-2-Clause
# Made by tools/siem/generate. Ops Agent: /etc/google-cloud-ops-agent/config.yaml; if you have one,
# merge the three parts. Replace nothing on Debian; elsewhere the path of the auth log.
logging:
  receivers:
    breakglass:
      type: files
      include_paths: [/var/log/auth.log]
  processors:
    breakglass_fields:
      type: parse_regex
      field: message
      regex: '^(?<stamp>\\S+(?: +\\d+ [0-9:]+)?) (?<machine>\\S+) (?<program>[^ :\\[]+)(?:\\[(?<pid>\\d+)\\])?: +(?<text>.*)$'
    breakglass_only:
      type: exclude_logs
      match_any:
        - 'NOT jsonPayload.program =~ "^(pam_breakglass|bg-unlock|breakglass-[a-z]+|sudo)$"'
  service:
    pipelines:
      breakglass:
        receivers: [breakglass]
        processors: [breakglass_fields, breakglass_only]
"""


def log_filter(events):
	"""The query of the alert, in the Logging query language."""
	names = "|".join(table.alerting(events))
	repeated = table.REPEATED.replace("\\", "\\\\").replace('"', '\\"')
	return (f'log_id("breakglass") AND jsonPayload.text=~"^({names}) host=" AND NOT '
		f'(jsonPayload.text=~"^ATTEMPT " AND jsonPayload.text=~"{repeated}")')


def _policy(events):
	text = "jsonPayload.text"
	return {
		"displayName": "Break-glass access",
		"documentation": {
			"content": "A break-glass account was asked for, opened or used, or something about "
				"it changed: ${log.extracted_label.event} on ${log.extracted_label.host}. "
				"Replace: notificationChannels. Made by tools/siem/generate.",
			"mimeType": "text/markdown",
		},
		"severity": "CRITICAL",
		"combiner": "OR",
		"enabled": True,
		"conditions": [{
			"displayName": "A record of an event that alerts",
			"conditionMatchedLog": {
				"filter": log_filter(events),
				"labelExtractors": {
					"event": f'REGEXP_EXTRACT({text}, "^([A-Z_]+) ")',
					"host": f'REGEXP_EXTRACT({text}, " host=([^ ]+)")',
					"account": f'REGEXP_EXTRACT({text}, " account=([^ ]+)")',
				},
			},
		}],
		"alertStrategy": {
			"notificationRateLimit": {"period": "300s"},
			"autoClose": "1800s",
		},
		"notificationChannels": ["projects/example-project/notificationChannels/0000000000000000"],
	}


def files(events):
	return {
		"contrib/google/ops-agent.yaml": AGENT,
		"contrib/google/alert-policy.json": json.dumps(_policy(events), indent=2) + "\n",
	}

# SPDX-License-Identifier: BSD-2-Clause
"""Sigma rules, one for each event that alerts (specification 2.0)."""
import json

import table

HEAD = """# SPDX-License-Identifier: BSD-2-Clause
# Made by tools/siem/generate from the table of events. Replace nothing; map "keywords" to the field
# that holds the syslog text in your SIEM when you convert it.
"""
LEVELS = {0: "critical", 1: "high"}
WHILE = "used while the normal ways looked healthy"
CREDENTIALS = ("ATTEMPT", "SHARE_REFUSED", "APPROVAL_REFUSED", "BYPASS_BLOCKED")


def _tags(name):
	if name in CREDENTIALS:
		return ["attack.credential-access", "attack.t1110"]
	return ["attack.privilege-escalation", "attack.t1078.003"]


# What is behind foreign text in the record, up to its end.
HEALTHY = r' normal=healthy( epoch=[0-9]+)?( full_[a-z]+=.*)?( chain=[^ "]*)?$'


def _rule(event, healthy=False):
	"""healthy: the rule for this event beside normal ways that looked healthy."""
	quote = json.dumps  # a JSON string is a YAML string
	lines = [
		f"title: {quote('Break-glass access: ' + (WHILE if healthy else event.name))}",
		f"id: {table.own_uuid('sigma ' + WHILE) if healthy else event.uuid()}",
		"status: test",
		f"description: {quote(event.text + ' What to do: ' + event.todo)}",
		"references:",
		"  - man:bg-unlock(1)",
		"author: pam_breakglass",
		"date: '2026-11-21'",
		"tags:",
		*(f"  - {tag}" for tag in _tags(event.name)),
		"logsource:",
		"  product: linux",
		"  service: auth",
		"detection:",
		"  program:",
		*(f"    - {quote(program)}" for program in table.PROGRAMS),
		"  event:",
		f"    - {quote(event.name + ' host=')}",
	]
	if healthy:
		lines += ["  healthy:", f"    '|re': {quote(HEALTHY)}",
			"  condition: program and event and healthy"]
	elif event.name == "ATTEMPT":
		lines += ["  repeated:", f"    '|re': {quote(table.REPEATED)}",
			"  condition: program and event and not repeated"]
	else:
		lines += ["  condition: program and event"]
	lines += [
		"falsepositives:",
		"  - Drills and rehearsals, which stand in the calendar",
		f"level: {'critical' if healthy else LEVELS[event.severity]}",
	]
	return HEAD + "\n".join(lines) + "\n"


def files(events):
	made = {f"contrib/sigma/breakglass_{event.name.lower()}.yml": _rule(event)
		for event in events if event.is_alert}
	context, = (event for event in events if event.name == "SESSION_CONTEXT")
	made["contrib/sigma/breakglass_while_healthy.yml"] = _rule(context, healthy=True)
	return made

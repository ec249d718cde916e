# SPDX-License-Identifier: BSD-2-Clause
"""What the host itself reads: the journal's catalog."""


def _catalog(events):
	text = "# SPDX-License-Identifier: BSD-2-Clause\n# Made by tools/siem/generate from the table of events.\n"
	for event in events:
		text += (f"\n-- {event.id}\nSubject: Emergency access: {event.name}\n"
			"Defined-By: pam_breakglass\nDocumentation: man:bg-unlock(1)\n\n"
			f"{event.text}\n\nHost @BREAKGLASS_HOST@, account @BREAKGLASS_ACCOUNT@.\n"
			f"What to do: {event.todo}\nThe whole story: bg-unlock log show\n")
	return text


def files(events):
	return {"data/breakglass.catalog": _catalog(events)}

# SPDX-License-Identifier: BSD-2-Clause
"""The events as the library has them (read from event_table), and what somebody who is told of one
does about it. Everything in contrib/ that names an event is made from here."""
import json
import uuid

# What to do, in the imperative, for whoever reads it at night and knows little of this.
TODO = {
	"ATTEMPT": "Ask who stands at that door. Without key and custodians nobody comes in; more "
		"attempts are only counted until a key is proved.",
	"REQUEST_OPENED": "Call the holder on a number that you know. If the holder does not know of "
		"it, tell the custodians to give nothing.",
	"KEY_REFUSED": "Nothing, if it stays at one or two: a wrong PIN or the wrong key. If it goes "
		"on, ask the holder.",
	"SHARE_ACCEPTED": "Note which custodian it was: this host has now seen that share.",
	"SHARE_REFUSED": "Nothing, if a right one follows. Else ask the custodians whether they are "
		"asked for shares, and by whom.",
	"APPROVAL_ACCEPTED": "Call that custodian if the use was not announced.",
	"APPROVAL_REFUSED": "Ask the custodian what was meant: it was for another request, host or "
		"set, came too late, or was tampered with.",
	"GRANTED": "Somebody comes in now. Call the holder. If it is not known why, take the host off "
		"the network and keep its disks.",
	"DENIED": "Read the result. The holder, if at the door, sees the same words and can try again.",
	"ABANDONED": "Nothing, if the holder gave up. Else ask the holder why.",
	"BYPASS_BLOCKED": "Find out who it was: the service, origin and result say how it was tried. "
		"Nobody came in this way.",
	"SESSION_OPENED": "Watch what is done there: sudo's and the audit system's records follow.",
	"SESSION_CONTEXT": "If the normal ways looked healthy, or somebody had just come in by one, ask "
		"the holder now why the emergency account was needed.",
	"SESSION_ESCALATED": "Expected in a use; from here on that session can change the host's own "
		"records. Those elsewhere count.",
	"SESSION_EXPIRED": "Ask the holder whether the work is done. More time needs a new request.",
	"SESSION_CLOSED": "See to the review: what was done, why, and which shares this host has seen.",
	"REVOKED": "Ask root on that host why, or the custodian whom the result names.",
	"LOCKED": "Ask root on that host why. Nothing opens there but by a new request, with key and "
		"custodians.",
	"UNLOCKED": "A use follows that began after the lock. Call the holder and the custodians named, "
		"and whoever locked it.",
	"DRILL_STARTED": "Nothing, if the drill is in the calendar. Else treat it as a request.",
	"DRILL_ENDED": "Read the result and file it; what failed in a drill fails at night.",
	"SEAL_INSTALLED": "Compare its fingerprint with the ceremony's sheet. If there was no "
		"ceremony, somebody has changed who can come in.",
	"SEAL_REFUSED": "Find out where that seal came from: it is damaged, older, or not signed by "
		"the set in force.",
	"RESEALED": "Nothing, if a ceremony was held. Else ask the custodians.",
	"REVIEWED": "File it.",
	"ENVELOPE_OPENED": "Ask the custodians what for; change what was inside it afterwards.",
	"CHECK_FAILED": "Run bg-unlock check on that host and do what its lines say: the door may not "
		"open when it is needed.",
	"DEGRADED": "Read the result; run bg-unlock check on that host.",
	"ALERT_DELIVERED": "Nothing.",
	"ALERT_FAILED": "Look after that way of alerting on the host; the alert is kept and tried "
		"again.",
}

# Who writes the records. The text form begins "EVENT host="; both are what rules look for.
PROGRAMS = ("pam_breakglass", "bg-unlock", "breakglass-")
# A repeated attempt: only the first of a series alerts (bg_event_is_alert). The end of the line is
# out of reach of foreign text: a value with a blank or = in it ends in a quotation mark.
REPEATED = r' count=([2-9]|[1-9][0-9]+)( chain=[^ "]*)?$'
NAMESPACE = uuid.UUID("5c19aef2-f1b0-4111-8c02-72ac27a4ea06")


class Event:
	"""One event of the table."""

	def __init__(self, row):
		self.name = row["name"]
		self.id = row["id"]
		self.severity = row["severity"]
		self.is_alert = row["is_alert"]
		self.text = row["text"]
		self.todo = TODO[self.name]

	def uuid(self):
		"""The MESSAGE_ID as a UUID."""
		return str(uuid.UUID(self.id))


def read(file):
	"""The events; KeyError when one has nothing to do about it, or the other way round."""
	events = [Event(row) for row in json.load(file)]
	unknown = set(TODO) - {event.name for event in events}
	if unknown:
		raise KeyError(f"no such event: {', '.join(sorted(unknown))}")
	return events


def alerting(events):
	"""The names that alert, in the table's order."""
	return [event.name for event in events if event.is_alert]


def own_uuid(name):
	"""An identifier that stays the same from one generation to the next."""
	return str(uuid.uuid5(NAMESPACE, name))

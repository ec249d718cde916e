# SPDX-License-Identifier: BSD-2-Clause
"""What the host itself reads: the journal's catalog, and rsyslog's reading of our records."""
import json

# Field of the record -> key in CEF, as `bg-unlock log show --format cef` has them.
FIELDS = (
	("host", "dvchost"), ("account", "duser"), ("holder", "suser"), ("reason", "reason"),
	("service", "sproc"), ("result", "outcome"), ("count", "cnt"), ("custodians", "cs1"),
	("request", "cs2"), ("key", "cs3"), ("set", "cs4"), ("origin", "cs6"), ("epoch", "cn1"),
	("role", "flexString2"), ("ordinary", "flexNumber1"), ("normal", "msg"),
)
# CEF's severities run from 0 to 10, most severe last.
CEF_SEVERITY = {0: 10, 1: 9, 5: 3}
# The chain's number and hash stand at the very end, where no stranger's word can.
CHAIN = r"""
set $.v = re_extract($.text, " chain=([0-9]+):[0-9a-f]+\$", 0, 1, "");
if $.v != "" then {
	set $.sd = $.sd & " seq=\"" & $.v & "\"";
	set $.cef = $.cef & " externalId=" & $.v;
	set $.v = re_extract($.text, " chain=[0-9]+:([0-9a-f]+)\$", 0, 1, "");
	set $.sd = $.sd & " hash=\"" & $.v & "\"";
	set $.cef = $.cef & " fileHash=" & $.v;
}
"""
READ_HEAD = """# SPDX-License-Identifier: BSD-2-Clause
# Made by tools/siem/generate: reads a record of pam_breakglass into $.sd (RFC 5424's structured data)
# and $.cef (CEF's extension). Replace nothing; 60-breakglass.conf includes it.
#
# A value is only looked for where a name can stand, so that words inside another value are none; of
# host= and full_host=, which repeats what the alert's head had to cut, the last one counts. In the
# record quotation marks and backslashes of a value have a backslash before them, as RFC 5424 wants
# it too; CEF wants it before backslashes and =. A tab stands for a backslash meanwhile: a record has
# no tab, it writes \\x09.
"""


def _catalog(events):
	text = "# SPDX-License-Identifier: BSD-2-Clause\n# Made by tools/siem/generate from the table of events.\n"
	for event in events:
		text += (f"\n-- {event.id}\nSubject: Emergency access: {event.name}\n"
			"Defined-By: pam_breakglass\nDocumentation: man:bg-unlock(1)\n\n"
			f"{event.text}\n\nHost @BREAKGLASS_HOST@, account @BREAKGLASS_ACCOUNT@.\n"
			f"What to do: {event.todo}\nThe whole story: bg-unlock log show\n")
	return text


def _read_field(name, key):
	value = r'\"([^\"\\]|\\.)*\"|[^ \"]*'
	start = rf'^[A-Z_]+( [a-z_]+=({value}))* (full_)?{name}='

	def quoted(pattern):
		return pattern.replace("\\", "\\\\").replace('\\\\"', '\\"')
	label = f" {key}Label={name}" if key[:2] in ("cs", "cn", "fl") and key != "cnt" else ""
	return f"""
set $.v = re_extract($.text, "{quoted(start + '(' + value + ')')}", 0, 5, "");
if re_match($.v, "^\\".*\\"\\$") then set $.v = substring($.v, 1, -2);
if $.v != "" then {{
	set $.sd = $.sd & " {name}=\\"" & replace($.v, "]", "\\\\]") & "\\"";
	set $.v = replace(replace($.v, "\\\\\\\\", "\\t"), "\\\\\\"", "\\"");
	set $.v = replace(replace($.v, "\\\\", "\\\\\\\\"), "\\t", "\\\\\\\\");
	set $.cef = $.cef & "{label} {key}=" & replace($.v, "=", "\\\\=");
}}
"""


def _read():
	text = READ_HEAD + """
set $.event = re_extract($.text, "^([A-Z_]+) host=", 0, 1, "");
set $.sd = "breakglass@32473 event=\\"" & $.event & "\\"";
set $.cef = "";
"""
	return text + "".join(_read_field(*pair) for pair in FIELDS) + CHAIN


def _table(events):
	"""rsyslog's lookup table: an event's name to CEF's "name|severity"."""
	return json.dumps({
		"version": 1,
		"nomatch": "Break-glass access|9",
		"type": "string",
		"table": [{"index": event.name, "value":
			f"{event.text}|{CEF_SEVERITY[event.severity]}"} for event in events],
	}, indent=2) + "\n"


def files(events):
	return {
		"data/breakglass.catalog": _catalog(events),
		"contrib/rsyslog/breakglass-read.inc": _read(),
		"contrib/rsyslog/breakglass-events.json": _table(events),
	}

#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The KQL of contrib/azure under Microsoft's own language service: syntax, names, types."""
import json
import subprocess
import unittest
from pathlib import Path

from contriblib import CONTRIB, load, vendor

# Columns of Azure Monitor's tables (its reference of tables), as far as they matter here.
TABLES = {
	"Syslog": "TimeGenerated: datetime, Computer: string, EventTime: datetime, Facility: string, "
		"HostName: string, HostIP: string, ProcessID: int, ProcessName: string, "
		"SeverityLevel: string, SyslogMessage: string",
	"CommonSecurityLog": "TimeGenerated: datetime, Computer: string, DeviceVendor: string, "
		"DeviceProduct: string, DeviceVersion: string, DeviceEventClassID: string, "
		"Activity: string, LogSeverity: string, DeviceName: string, DestinationUserName: string, "
		"SourceUserName: string, Reason: string, EventOutcome: string, EventCount: int, "
		"Message: string, DeviceCustomString1: string, DeviceCustomString2: string, "
		"DeviceCustomString3: string, DeviceCustomString4: string, DeviceCustomString5: string, "
		"DeviceCustomString6: string, FlexString2: string, FlexNumber1: int, "
		"ReceiptTime: string, AdditionalExtensions: string",
}


def ask(queries):
	"""{name: {"said": [...], "columns": [...]}}"""
	done = subprocess.run(
		["node", str(Path(__file__).parent / "kql.js"),
			str(vendor("@kusto/language-service-next"))],
		input=json.dumps({name: {"tables": TABLES, "query": query}
			for name, query in queries.items()}),
		capture_output=True, text=True, timeout=100, check=False)
	assert done.returncode == 0, done.stderr[-2000:]
	return json.loads(done.stdout)


class Kql(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.syslog = (CONTRIB / "azure/syslog.kql").read_text(encoding="utf-8")
		cls.cef = (CONTRIB / "azure/cef.kql").read_text(encoding="utf-8")
		cls.broken = {
			"syntax": cls.syslog.replace("| where Event in (alerting)", "| where Event in alerting)"),
			"column": cls.syslog.replace("ProcessName", "ProgramName"),
			"table": cls.cef.replace("CommonSecurityLog\n", "CommonSecurity\n"),
			"type": cls.cef.replace("coalesce(EventCount, 0) > 1", 'strlen(EventCount) > "x"'),
			"operator": cls.cef.replace("| project", "| projekt"),
			"string": cls.syslog.replace('== "authpriv"', '== "authpriv'),
		}
		cls.answers = ask({"syslog": cls.syslog, "cef": cls.cef, **cls.broken})

	def test_queries_are_right(self):
		for name in ("syslog", "cef"):
			self.assertEqual(self.answers[name]["said"], [], name)

	def test_both_give_the_same_columns(self):
		self.assertEqual(self.answers["syslog"]["columns"], self.answers["cef"]["columns"])
		self.assertIn("Holder", self.answers["cef"]["columns"])

	def test_a_broken_query_is_noticed(self):
		for name, query in self.broken.items():
			self.assertNotIn(query, (self.syslog, self.cef), name)
			self.assertTrue(self.answers[name]["said"], name)

	def test_templates_hold_these_queries(self):
		rules = load("azure/sentinel.json")["resources"]
		self.assertEqual([rule["properties"]["query"] for rule in rules], [self.syslog, self.cef])
		(alert,) = load("azure/alert.json")["resources"]
		condition = alert["properties"]["criteria"]["allOf"][0]
		self.assertEqual(condition["query"], self.syslog)
		self.assertLessEqual({row["name"] for row in condition["dimensions"]},
			set(self.answers["syslog"]["columns"]))


if __name__ == "__main__":
	unittest.main(argv=[__file__])

#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""contrib/'s cloud files against what the vendors' own packages say of them; and each check against
a broken file, because a check that cannot fail says nothing."""
import json
import re
import subprocess
import sys
import unittest

from contriblib import TREE, changed, load, vendor
from models import CloudFormation, Proto, TypeScript, misfits

sys.path.insert(0, str(TREE / "tools" / "siem"))
# Microsoft's list of streams is open: this one stands in Sentinel's documentation ("CEF via AMA"),
# not in the package.
CEF_STREAM = (
	".dataSources.syslog[0].streams[0]: 'Microsoft-CommonSecurityLog' is none of Microsoft-Syslog",
	".dataFlows[0].streams[0]: 'Microsoft-CommonSecurityLog' is none of Microsoft-Event, "
	"Microsoft-InsightsMetrics, Microsoft-Perf, Microsoft-Syslog, Microsoft-WindowsEvent")
DURATION = re.compile(r"P(?:\d+D|T\d+[HM])")


def events(only_alerts):
	"""Names of the table."""
	table = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout)
	return [row["name"] for row in table if row["is_alert"] or not only_alerts]


def arm(path):
	"""The resources of a template; whatever it refers to must be a parameter."""
	template = load(path)
	used = set(re.findall(r"parameters\('(\w+)'\)", json.dumps(template["resources"])))
	assert used == set(template["parameters"]), f"{path}: parameters are {used}"
	return template["resources"]


class Azure(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		models = vendor("@azure/arm-monitor") / "dist/commonjs/models"
		cls.query = TypeScript(models / "scheduledQueryRuleApi/models.d.ts")
		cls.collect = TypeScript(models / "dataCollectionApi/models.d.ts")
		cls.sentinel = TypeScript(
			vendor("@azure/arm-securityinsight") / "types/arm-securityinsight.d.ts")

	def fits(self, model, kind, value, *broken, known=()):
		self.assertEqual(sorted(misfits(model, kind, value)), sorted(known))
		for steps, to in broken:
			self.assertNotEqual(sorted(misfits(model, kind, changed(value, *steps, to=to))),
				sorted(known), f"{steps} = {to} was not noticed")

	def test_scheduled_query_alert(self):
		(rule,) = arm("azure/alert.json")
		self.assertEqual(rule["type"], "Microsoft.Insights/scheduledQueryRules")
		first = ("criteria", "allOf", 0)
		self.fits(self.query, "ScheduledQueryRuleProperties", rule["properties"],
			((*first, "operator"), "Above"), ((*first, "threshold"), "0"),
			((*first, "dimensions", 0, "values"), None), (("severity",), 7), (("colour",), "red"),
			(("scopes",), "workspace"))
		condition = rule["properties"]["criteria"]["allOf"][0]
		self.assertEqual((condition["operator"], condition["threshold"]), ("GreaterThan", 0))

	def test_data_collection_rules(self):
		for name in ("syslog", "cef"):
			(rule,) = arm(f"azure/collect-{name}.json")
			self.assertEqual(rule["type"], "Microsoft.Insights/dataCollectionRules")
			source = ("dataSources", "syslog", 0)
			self.fits(self.collect, "DataCollectionRule", rule["properties"],
				((*source, "facilityNames"), ["authprivate"]), ((*source, "logLevels"), ["Loud"]),
				((*source, "extra"), 1), (("dataFlows",), {}),
				known=() if name == "syslog" else CEF_STREAM)
			flow = rule["properties"]["dataFlows"][0]
			self.assertEqual(flow["streams"], rule["properties"]["dataSources"]["syslog"][0]["streams"])
			self.assertEqual(flow["destinations"],
				[to["name"] for to in rule["properties"]["destinations"]["logAnalytics"]])

	def test_sentinel(self):
		for rule in arm("azure/sentinel.json"):
			properties = rule["properties"]
			self.fits(self.sentinel, "ScheduledAlertRule", {"kind": rule["kind"], **properties},
				(("severity",), "Extreme"), (("triggerOperator",), "MoreThan"),
				(("triggerThreshold",), "0"), (("entityMappings", 0, "entityType"), "Server"),
				(("eventGroupingSettings", "aggregationKind"), "None"), (("kind",), "Planned"),
				(("queryEvery",), "PT5M"))
			self.assertEqual((properties["severity"], properties["triggerOperator"],
				properties["triggerThreshold"]), ("High", "GreaterThan", 0))
			for name in ("queryFrequency", "queryPeriod", "suppressionDuration"):
				self.assertTrue(DURATION.fullmatch(properties[name]), name)
			# what is shown must come out of the query
			named = {field["columnName"] for row in properties["entityMappings"]
				for field in row["fieldMappings"]} | set(properties["customDetails"].values())
			named |= set(re.findall(r"\{\{(\w+)\}\}", json.dumps(properties["alertDetailsOverride"])))
			columns = set(re.findall(r"\w+", properties["query"].rpartition("| project")[2]))
			self.assertEqual(named - columns, set())


class Amazon(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.model = CloudFormation(vendor("@aws-cdk/cfnspec") / "spec/specification.json")
		cls.stack = load("aws/alarm.json")

	def errors(self, stack):
		for name, resource in stack["Resources"].items():
			yield from misfits(self.model, resource["Type"], resource["Properties"], name)
		known = {*stack["Resources"], *stack["Parameters"]}
		for used in re.findall(r'\{"Ref": "(\w+)"\}', json.dumps(stack)):
			if used not in known:
				yield f"Ref {used}: there is none"

	def test_stack(self):
		self.assertEqual(list(self.errors(self.stack)), [])
		inner = ("Resources", "Alerts", "Properties")
		for steps, to in (
				((*inner, "FilterPattern"), None),
				((*inner, "MetricTransformations", 0, "MetricName"), None),
				((*inner, "MetricTransformations", 0, "Metric"), "x"),
				((*inner, "LogGroupName", "Ref"), "Grp"),
				(("Resources", "Alarm", "Properties", "Period"), "a minute"),
				(("Resources", "Alarm", "Type"), "AWS::CloudWatch::Siren")):
			self.assertTrue(list(self.errors(changed(self.stack, *steps, to=to))), steps)

	def test_every_alerting_event_counts(self):
		patterns = [resource["Properties"]["FilterPattern"]
			for resource in self.stack["Resources"].values()
			if resource["Type"] == "AWS::Logs::MetricFilter"]
		self.assertEqual(set(re.findall(r'([A-Z_]+) host=', " ".join(patterns))),
			set(events(only_alerts=True)))
		for pattern in patterns:
			self.assertLessEqual(len(pattern), 1024)  # the service's limit

	def test_alarm_looks_at_what_the_filters_count(self):
		resources = self.stack["Resources"]
		alarm = resources["Alarm"]["Properties"]
		for name in ("Alerts", "AttemptAlone", "AttemptFirst"):
			(counted,) = resources[name]["Properties"]["MetricTransformations"]
			self.assertEqual((counted["MetricNamespace"], counted["MetricName"]),
				(alarm["Namespace"], alarm["MetricName"]))
		agent = load("aws/cloudwatch-agent.json")["logs"]["logs_collected"]["files"]
		self.assertEqual(agent["collect_list"][0]["log_group_name"],
			resources["Group"]["Properties"]["LogGroupName"])


class Google(unittest.TestCase):
	def test_alert_policy(self):
		model = Proto(vendor("@google-cloud/monitoring") / "build/protos/protos.json", "")
		policy = load("google/alert-policy.json")
		kind = "google.monitoring.v3.AlertPolicy"
		self.assertEqual(list(misfits(model, kind, policy)), [])
		inner = ("conditions", 0, "conditionMatchedLog")
		for steps, to in (
				((*inner, "query"), "x"), ((*inner, "filter"), 3), (("combiner",), "XOR"),
				(("severity",), "High"), (("conditions",), {}),
				(("alertStrategy", "notificationRateLimit", "period"), "5m"),
				((*inner, "labelExtractors"), [])):
			self.assertTrue(list(misfits(model, kind, changed(policy, *steps, to=to))), steps)


if __name__ == "__main__":
	unittest.main(argv=[sys.argv[0]])

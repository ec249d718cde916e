# SPDX-License-Identifier: BSD-2-Clause
"""Azure: KQL queries, Sentinel's analytics rules, a scheduled query alert, data collection."""
import json

import table

TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
# Below notice nothing is written by us; sudo and sshd are on the same facility.
LEVELS = ["Notice", "Warning", "Error", "Critical", "Alert", "Emergency"]
LATE = "P1D"  # a record may come in that long after it was made: the host had no network
EVERY = "PT5M"
QUERY_HEAD = """// SPDX-License-Identifier: BSD-2-Clause
// Made by tools/siem/generate from the table of events. {what}
// Replace nothing. ingestion_time() and not TimeGenerated: a record that comes late alerts as well.
let alerting = dynamic({names});
"""
# A value as the record has it; name=value is only looked for where a name can stand, so that words in
# another value are none. Of host and full_host, which repeats what the alert's head had to cut, the
# last one counts.
VALUE = r'""(?:[^""\\]|\\.)*""|[^ ""]*'


def _names(events):
	return json.dumps(table.alerting(events))


def _field(column, name):
	pattern = f'^[A-Z_]+(?: [a-z_]+=(?:{VALUE}))* (?:full_)?{name}=({VALUE})'
	return f'    {column} = trim(@"""", extract(@"{pattern}", 1, Text))'


def syslog_query(events):
	"""KQL over the table Syslog."""
	repeated = table.REPEATED.replace('"', '""')
	fields = [("Host", "host"), ("Account", "account"), ("Holder", "holder"),
		("Reason", "reason"), ("Custodians", "custodians"), ("Request", "request"),
		("Origin", "origin"), ("Role", "role"), ("Ordinary", "ordinary"),
		("Normal", "normal"), ("Result", "result")]
	return QUERY_HEAD.format(what="Alerts of hosts that send syslog.", names=_names(events)) + f"""\
Syslog
| where ingestion_time() > ago(5m)
| where Facility == "authpriv"
| where ProcessName matches regex @"^(pam_breakglass|bg-unlock|breakglass-[a-z]+)$"
| extend Text = trim_start(@"\\s+", SyslogMessage)
| extend Event = extract(@"^([A-Z_]+) host=", 1, Text)
| where Event in (alerting)
| where not(Event == "ATTEMPT" and Text matches regex @"{repeated}")
| extend
{("," + chr(10)).join(_field(*pair) for pair in fields)}
| project TimeGenerated, Computer, Event, Host, Account, Holder, Reason, Custodians, Request,
    Origin, Role, Ordinary, Normal, Result, Text
"""


def cef_query(events):
	"""KQL over the table CommonSecurityLog (as contrib/rsyslog and bg-unlock log show --format cef write it)."""
	return QUERY_HEAD.format(what="Alerts of hosts that send CEF.", names=_names(events)) + """\
CommonSecurityLog
| where ingestion_time() > ago(5m)
| where DeviceVendor == "pam_breakglass" and DeviceProduct == "pam_breakglass"
| extend Event = DeviceEventClassID
| where Event in (alerting)
| where not(Event == "ATTEMPT" and coalesce(EventCount, 0) > 1)
| extend Text = strcat(Event, " host=", DeviceName, " account=", DestinationUserName,
    " holder=", SourceUserName, " reason=", Reason, " custodians=", DeviceCustomString1,
    " ", EventOutcome)
| project TimeGenerated, Computer, Event, Host = DeviceName, Account = DestinationUserName,
    Holder = SourceUserName, Reason, Custodians = DeviceCustomString1,
    Request = DeviceCustomString2, Origin = DeviceCustomString6,
    Role = FlexString2, Ordinary = tostring(FlexNumber1), Normal = Message, Result = EventOutcome, Text
"""


def _template(what, parameters, resources):
	return json.dumps({
		"$schema": TEMPLATE,
		"contentVersion": "1.0.0.0",
		"metadata": {
			"description": what,
			"author": "Made by tools/siem/generate from the table of events.",
		},
		"parameters": parameters,
		"resources": resources,
	}, indent=2) + "\n"


def _parameter(description, default=None):
	made = {"type": "string", "metadata": {"description": description}}
	if default:
		made["defaultValue"] = default
	return made


def _sentinel_rule(source, query):
	workspace = "Microsoft.OperationalInsights/workspaces"
	return {
		"type": f"{workspace}/providers/alertRules",
		"apiVersion": "2023-02-01",
		"name": "[concat(parameters('workspace'), '/Microsoft.SecurityInsights/"
			+ table.own_uuid("sentinel " + source) + "')]",
		"kind": "Scheduled",
		"properties": {
			"displayName": f"Break-glass access ({source})",
			"description": "A break-glass account was asked for, opened or used, or something "
				"about it changed. What to do: journalctl -x on the host, or contrib/README.md.",
			"enabled": True,
			"severity": "High",
			"query": query,
			"queryFrequency": EVERY,
			"queryPeriod": LATE,
			"triggerOperator": "GreaterThan",
			"triggerThreshold": 0,
			"suppressionEnabled": False,
			"suppressionDuration": "PT5H",
			"eventGroupingSettings": {"aggregationKind": "AlertPerResult"},
			"tactics": ["PrivilegeEscalation", "CredentialAccess"],
			"alertDetailsOverride": {
				"alertDisplayNameFormat": "Break-glass {{Event}} on {{Host}}",
				"alertDescriptionFormat": "{{Text}}",
			},
			"customDetails": {name: name for name in
				("Event", "Holder", "Reason", "Custodians", "Request", "Origin", "Role",
				"Ordinary", "Normal", "Result")},
			"entityMappings": [
				{"entityType": "Host", "fieldMappings": [
					{"identifier": "HostName", "columnName": "Computer"}]},
				{"entityType": "Account", "fieldMappings": [
					{"identifier": "Name", "columnName": "Account"}]},
			],
		},
	}


def _sentinel(events):
	return _template(
		"Microsoft Sentinel: analytics rules for break-glass access. Replace: the parameter "
		"workspace. Delete the rule whose table you do not fill.",
		{"workspace": _parameter("Name of the Log Analytics workspace that Sentinel works on",
			"example-workspace")},
		[_sentinel_rule("Syslog", syslog_query(events)),
			_sentinel_rule("CommonSecurityLog", cef_query(events))])


def _alert(events):
	return _template(
		"Azure Monitor: an alert for each break-glass event. Replace: the parameters workspaceId "
		"and actionGroupId.",
		{"workspaceId": _parameter("Resource id of the Log Analytics workspace"),
			"actionGroupId": _parameter("Resource id of the action group that is told"),
			"location": _parameter("Where the rule lives", "[resourceGroup().location]")},
		[{
			"type": "Microsoft.Insights/scheduledQueryRules",
			"apiVersion": "2021-08-01",
			"name": "breakglass",
			"location": "[parameters('location')]",
			"properties": {
				"displayName": "Break-glass access",
				"description": "A break-glass account was asked for, opened or used, or "
					"something about it changed.",
				"severity": 0,
				"enabled": True,
				"scopes": ["[parameters('workspaceId')]"],
				"evaluationFrequency": EVERY,
				"windowSize": EVERY,
				"overrideQueryTimeRange": LATE,
				"criteria": {"allOf": [{
					"query": syslog_query(events),
					"timeAggregation": "Count",
					"operator": "GreaterThan",
					"threshold": 0,
					"dimensions": [{"name": name, "operator": "Include", "values": ["*"]}
						for name in ("Event", "Host", "Account")],
					"failingPeriods": {"numberOfEvaluationPeriods": 1,
						"minFailingPeriodsToAlert": 1},
				}]},
				"autoMitigate": False,
				"actions": {"actionGroups": ["[parameters('actionGroupId')]"]},
			},
		}])


def _collection(name, stream, what):
	return _template(
		what + " Replace: the parameter workspaceId; then associate the rule with the machines.",
		{"workspaceId": _parameter("Resource id of the Log Analytics workspace"),
			"location": _parameter("Where the workspace lives", "[resourceGroup().location]")},
		[{
			"type": "Microsoft.Insights/dataCollectionRules",
			"apiVersion": "2022-06-01",
			"name": name,
			"location": "[parameters('location')]",
			"kind": "Linux",
			"properties": {
				"description": "Break-glass records, and sudo, ssh and login beside them.",
				"dataSources": {"syslog": [{
					"name": name,
					"streams": [stream],
					"facilityNames": ["auth", "authpriv"],
					"logLevels": LEVELS,
				}]},
				"destinations": {"logAnalytics": [{
					"name": "workspace",
					"workspaceResourceId": "[parameters('workspaceId')]",
				}]},
				"dataFlows": [{"streams": [stream], "destinations": ["workspace"]}],
			},
		}])


def files(events):
	return {
		"contrib/azure/syslog.kql": syslog_query(events),
		"contrib/azure/cef.kql": cef_query(events),
		"contrib/azure/sentinel.json": _sentinel(events),
		"contrib/azure/alert.json": _alert(events),
		"contrib/azure/collect-syslog.json": _collection("breakglass-syslog", "Microsoft-Syslog",
			"Azure Monitor agent: collects the syslog of hosts."),
		"contrib/azure/collect-cef.json": _collection("breakglass-cef",
			"Microsoft-CommonSecurityLog",
			"Azure Monitor agent on a forwarder: collects CEF that hosts send to it."),
	}

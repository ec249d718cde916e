# SPDX-License-Identifier: BSD-2-Clause
"""AWS: the CloudWatch agent's configuration; log group, metric filters and alarm (CloudFormation)."""
import json

import table

GROUP = "breakglass"
SPACE = "Breakglass"
METRIC = "Alerts"


def _agent():
	return {"logs": {"logs_collected": {"files": {"collect_list": [{
		"file_path": "/var/log/auth.log",
		"log_group_name": GROUP,
		"log_stream_name": "{hostname}",
		"filters": [{
			"type": "include",
			"expression": r" (pam_breakglass|bg-unlock|breakglass-[a-z]+|sudo)\[?[0-9]*\]?: ",
		}],
	}]}}}}


def patterns(events):
	"""{resource: filter pattern}. Optional terms cannot be joined with excluded ones, so the first
	of a series of attempts has patterns of its own."""
	names = [name for name in table.alerting(events) if name != "ATTEMPT"]
	return {
		"Alerts": " ".join(f'?"{name} host="' for name in names),
		"AttemptAlone": '"ATTEMPT host=" -" count="',
		"AttemptFirst": '"ATTEMPT host=" " count=1 chain="',
	}


def _filter(pattern):
	return {
		"Type": "AWS::Logs::MetricFilter",
		"Properties": {
			"LogGroupName": {"Ref": "Group"},
			"FilterPattern": pattern,
			"MetricTransformations": [{
				"MetricNamespace": SPACE,
				"MetricName": METRIC,
				"MetricValue": "1",
				"DefaultValue": 0,
			}],
		},
	}


def _stack(events):
	resources = {
		"Group": {"Type": "AWS::Logs::LogGroup",
			"DeletionPolicy": "Retain",
			"UpdateReplacePolicy": "Retain",
			"Properties": {"LogGroupName": GROUP, "RetentionInDays": 400}},
		"Topic": {"Type": "AWS::SNS::Topic",
			"Properties": {"DisplayName": "Break-glass access"}},
		"Mail": {"Type": "AWS::SNS::Subscription",
			"Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email",
				"Endpoint": {"Ref": "AlertMail"}}},
	}
	for name, pattern in patterns(events).items():
		resources[name] = _filter(pattern)
	resources["Alarm"] = {
		"Type": "AWS::CloudWatch::Alarm",
		"Properties": {
			"AlarmName": "breakglass",
			"AlarmDescription": "A break-glass account was asked for, opened or used, or something "
				f"about it changed. The records: log group {GROUP}.",
			"Namespace": SPACE,
			"MetricName": METRIC,
			"Statistic": "Sum",
			"Period": 60,
			"EvaluationPeriods": 1,
			"Threshold": 0,
			"ComparisonOperator": "GreaterThanThreshold",
			"TreatMissingData": "notBreaching",
			"AlarmActions": [{"Ref": "Topic"}],
		},
	}
	return {
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description": "Alarm on break-glass access, from the records that the CloudWatch agent "
			"sends. Replace: the parameter AlertMail. Made by tools/siem/generate.",
		"Parameters": {"AlertMail": {"Type": "String", "Default": "oncall@example.org",
			"Description": "Who is told; confirms the subscription once"}},
		"Resources": resources,
	}


def files(events):
	return {
		"contrib/aws/cloudwatch-agent.json": json.dumps(_agent(), indent=2) + "\n",
		"contrib/aws/alarm.json": json.dumps(_stack(events), indent=2) + "\n",
	}

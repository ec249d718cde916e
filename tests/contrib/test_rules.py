#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of contrib/ against records as they reach syslog: each must fire for what alerts, once,
and for nothing else. And the files that no vendor's package describes against schemas."""
import json
import re
import subprocess
import sys
import unittest
from collections import namedtuple

import jsonschema
import yaml

from contriblib import CONTRIB, changed, load
from schemas import CLOUDWATCH_AGENT, OPS_AGENT, SIGMA

Sample = namedtuple("Sample", "name alerts severity text")
HEADS = (  # classic and RFC 3339 stamps, as Debian's rsyslog writes either
	"Nov 21 02:13:40 db1 pam_breakglass[917]: ",
	"2026-11-21T02:13:40.123456+00:00 db1 bg-unlock[12]: ",
	"2026-11-21T02:13:40.123456+00:00 db1 breakglass-watchdog: ",
)


def samples():
	"""Records of every event, with strangers' words in them."""
	out = subprocess.run([sys.argv[1], "--samples"], check=True, capture_output=True, text=True)
	for line in out.stdout.splitlines():
		name, alerts, severity, text = line.split("\t")
		yield Sample(name, alerts == "1", int(severity), text)


def sigma_rules():
	"""[(path, rule)]"""
	return [(path.name, yaml.safe_load(path.read_text(encoding="utf-8")))
		for path in sorted((CONTRIB / "sigma").glob("*.yml"))]


def sigma_fires(rule, line):
	"""Search identifiers: a list is any of its words, a map with |re a pattern."""
	found = {}
	for name, what in rule["detection"].items():
		if name == "condition":
			continue
		if isinstance(what, list):
			found[name] = any(word.lower() in line.lower() for word in what)
		else:
			found[name] = all(re.search(pattern, line) for pattern in what.values())
	condition = rule["detection"]["condition"]
	assert re.fullmatch(r"\w+( and (not )?\w+)*", condition), condition
	return all(found[word.removeprefix("not ")] != word.startswith("not ")
		for word in condition.split(" and "))


def cloudwatch_fires(pattern, line):
	"""Filter patterns of unstructured events: "all", ?"any", -"none"."""
	terms = re.findall(r'([?-]?)"([^"]*)"', pattern)
	kinds = {kind for kind, _ in terms}
	assert kinds == {"?"} or "?" not in kinds, f"{pattern}: ? goes with nothing else"
	if "?" in kinds:
		return any(term in line for _, term in terms)
	return all((term in line) != (kind == "-") for kind, term in terms)


def google_fires(query, fields):
	"""The one form of query that the policy has."""
	form = (r'log_id\("breakglass"\) AND jsonPayload\.text=~"(.*)" AND NOT '
		r'\(jsonPayload\.text=~"(.*)" AND jsonPayload\.text=~"(.*)"\)')
	match = re.fullmatch(form, query)
	is_event, is_attempt, repeated = (
		re.search(part.replace('\\"', '"').replace("\\\\", "\\"), fields["text"])
		for part in match.groups())
	return bool(is_event) and not (is_attempt and repeated)


def kql_fires(query, text):
	"""Its patterns, taken out of the query."""
	names = json.loads(re.search(r"dynamic\((.*)\)", query)[1])
	name = re.search(re.search(r'Event = extract\(@"([^"]*)"', query)[1], text)
	repeated = re.search(r'regex @"( count=(?:[^"]|"")*)"', query)[1].replace('""', '"')
	event = name[1] if name else ""
	return event in names and not (event == "ATTEMPT" and re.search(repeated, text))


class Fires(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.samples = list(samples())

	def test_samples_are_worth_it(self):
		attempts = [s for s in self.samples if s.name == "ATTEMPT"]
		self.assertEqual({s.alerts for s in attempts}, {True, False})
		self.assertTrue(any("count=7" in s.text and s.alerts for s in attempts))

	def test_sigma(self):
		rules = sigma_rules()
		for sample in self.samples:
			for head in HEADS:
				fired = [rule for _, rule in rules if sigma_fires(rule, head + sample.text)]
				mine = [rule for rule in fired if rule["title"].endswith(f" {sample.name}")]
				self.assertEqual(len(mine), sample.alerts, sample)
				if mine:
					self.assertEqual(mine[0]["level"], ["critical", "high"][sample.severity])

	def test_sigma_knows_a_session_beside_healthy_ways(self):
		rule = dict(sigma_rules())["breakglass_while_healthy.yml"]
		fired = [s for s in self.samples if sigma_fires(rule, HEADS[2] + s.text)]
		self.assertEqual({s.name for s in fired}, {"SESSION_CONTEXT"})
		self.assertEqual(len(fired), len([s for s in self.samples if " normal=healthy" in
			s.text.replace("x normal=healthy", "")]))
		self.assertGreater(len([s for s in self.samples if s.name == "SESSION_CONTEXT"]), len(fired))

	def test_cloudwatch(self):
		patterns = [resource["Properties"]["FilterPattern"]
			for resource in load("aws/alarm.json")["Resources"].values()
			if resource["Type"] == "AWS::Logs::MetricFilter"]
		agent = load("aws/cloudwatch-agent.json")["logs"]["logs_collected"]["files"]
		(keep,) = agent["collect_list"][0]["filters"]
		for sample in self.samples:
			if "GRANTED host=a" in sample.text and not sample.alerts:
				continue  # words of an alert in another one's reason: fires, and may
			if sample.name == "ATTEMPT" and not re.search(r" count=\d+( chain=.{60,})?$", sample.text):
				continue  # no count: the module always sets one; then no stranger's words hide it
			line = HEADS[0] + sample.text
			self.assertTrue(re.search(keep["expression"], line), line)
			fired = any(cloudwatch_fires(pattern, line) for pattern in patterns)
			self.assertEqual(fired, sample.alerts, sample)
		self.assertFalse(re.search(keep["expression"], "Nov 21 02:13:40 db1 sshd[7]: hello"))

	def test_google(self):
		query = load("google/alert-policy.json")["conditions"][0]["conditionMatchedLog"]["filter"]
		agent = yaml.safe_load((CONTRIB / "google/ops-agent.yaml").read_text(encoding="utf-8"))
		processors = agent["logging"]["processors"]
		parse = re.compile(processors["breakglass_fields"]["regex"].replace("(?<", "(?P<"))
		(drop,) = processors["breakglass_only"]["match_any"]
		keep = re.fullmatch(r'NOT jsonPayload\.program =~ "(.*)"', drop)[1]
		for sample in self.samples:
			for head in HEADS:
				fields = parse.match(head + sample.text).groupdict()
				self.assertEqual((fields["machine"], fields["text"]), ("db1", sample.text))
				self.assertTrue(re.search(keep, fields["program"]), fields)
				self.assertEqual(google_fires(query, fields), sample.alerts, sample)
		self.assertFalse(re.search(keep, parse.match("Nov  1 02:13:40 db1 sshd[7]: hi")["program"]))

	def test_kql(self):
		query = (CONTRIB / "azure/syslog.kql").read_text(encoding="utf-8")
		program = re.search(r'ProcessName matches regex @"([^"]*)"', query)[1]
		fields = {m[1]: m[2].replace('""', '"') for m in re.finditer(
			r'(\w+) = trim\(@"""", extract\(@"((?:[^"]|"")*)"', query)}
		for name in ("pam_breakglass", "bg-unlock", "breakglass-watchdog"):
			self.assertTrue(re.search(program, name))
		self.assertFalse(re.search(program, "sshd"))
		for sample in self.samples:
			self.assertEqual(bool(kql_fires(query, sample.text)), sample.alerts, sample)
			if "Ops on call" in sample.text:
				self.assertEqual(re.search(fields["Holder"], sample.text)[1], '"Ops on call"')
				self.assertEqual(re.search(fields["Host"], sample.text)[1], "db1.example")
				self.assertEqual(re.search(fields["Custodians"], sample.text)[1], '"audit, dba"')
		forged = 'ATTEMPT host=db1 account=breakglass origin="x holder=me" result="a \\" reason=b"'
		self.assertIsNone(re.search(fields["Holder"], forged))
		self.assertIsNone(re.search(fields["Reason"], forged))
		self.assertEqual(re.search(fields["Result"], forged)[1], '"a \\" reason=b"')

	def test_a_rule_less_is_noticed(self):
		rules = [rule for name, rule in sigma_rules() if name != "breakglass_granted.yml"]
		lost = [s for s in self.samples if s.alerts and s.name == "GRANTED" and not any(
			sigma_fires(rule, HEADS[0] + s.text) for rule in rules)]
		self.assertTrue(lost)


class Schemas(unittest.TestCase):
	def valid(self, value, schema, *broken):
		validator = jsonschema.Draft202012Validator(schema)
		validator.check_schema(schema)
		self.assertEqual([error.message for error in validator.iter_errors(value)], [])
		for steps, to in broken:
			self.assertFalse(validator.is_valid(changed(value, *steps, to=to)), f"{steps} = {to}")

	def test_sigma(self):
		rules = sigma_rules()
		for name, rule in rules:
			with self.subTest(name):
				self.valid(rule, SIGMA, (("level",), "urgent"), (("title",), None),
					(("id",), "1"), (("tags",), ["Attack"]), (("detection", "condition"), None),
					(("detection", "event"), []), (("date",), "21.11.2026"),
					(("severity",), "high"))
		ids = [rule["id"] for _, rule in rules]
		self.assertEqual(len(ids), len(set(ids)))

	def test_sigma_condition_names_what_there_is(self):
		for name, rule in sigma_rules():
			words = set(re.findall(r"\w+", rule["detection"]["condition"])) - {"and", "not"}
			self.assertEqual(words, set(rule["detection"]) - {"condition"}, name)

	def test_cloudwatch_agent(self):
		first = ("logs", "logs_collected", "files", "collect_list", 0)
		self.valid(load("aws/cloudwatch-agent.json"), CLOUDWATCH_AGENT,
			((*first, "file_path"), None), ((*first, "filters", 0, "type"), "keep"),
			((*first, "log_group_name"), "a b"), ((*first, "file"), "x"))

	def test_ops_agent(self):
		config = yaml.safe_load((CONTRIB / "google/ops-agent.yaml").read_text(encoding="utf-8"))
		logging = config["logging"]
		self.valid(config, OPS_AGENT,
			(("logging", "receivers", "breakglass", "type"), "file"),
			(("logging", "receivers", "breakglass", "include_paths"), None),
			(("logging", "processors", "breakglass_only", "match_any"), []),
			(("logging", "service", "pipelines", "breakglass", "receiver"), "x"),
			(("logging", "pipelines"), {}))
		for pipeline in logging["service"]["pipelines"].values():
			self.assertLessEqual(set(pipeline["receivers"]), set(logging["receivers"]))
			self.assertLessEqual(set(pipeline["processors"]), set(logging["processors"]))


if __name__ == "__main__":
	unittest.main(argv=[sys.argv[0]])

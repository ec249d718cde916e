# SPDX-License-Identifier: BSD-2-Clause
"""JSON schemas for what no package describes: written here after the documents named at each, and
stricter than those where we use less."""


def _map(required, optional=()):
	both = {**required, **dict(optional)}
	return {"type": "object", "properties": both, "required": sorted(required),
		"additionalProperties": False}


def _list(items, at_least=1):
	return {"type": "array", "items": items, "minItems": at_least, "uniqueItems": True}


TEXT = {"type": "string", "minLength": 1}
UUID = {"type": "string",
	"pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}

# Sigma specification 2.0: sigma-rules-specification, its appendix of tags and modifiers.
SIGMA = _map({
	"title": {"type": "string", "maxLength": 256},
	"id": UUID,
	"status": {"enum": ["stable", "test", "experimental", "deprecated", "unsupported"]},
	"description": TEXT,
	"author": TEXT,
	"date": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])$"},
	"tags": _list({"type": "string", "pattern": r"^[a-z0-9_-]+\.[a-z0-9._-]+$"}),
	"logsource": _map({"product": TEXT, "service": TEXT}),
	"detection": {
		"type": "object",
		"required": ["condition"],
		"properties": {"condition": TEXT},
		"additionalProperties": {"anyOf": [
			_list(TEXT),
			{"type": "object", "minProperties": 1, "additionalProperties": TEXT,
				"propertyNames": {"pattern": r"^\|re$"}},
		]},
	},
	"falsepositives": _list(TEXT),
	"level": {"enum": ["informational", "low", "medium", "high", "critical"]},
}, {"references": _list(TEXT)})

# CloudWatch agent, "Manually create or edit the CloudWatch agent configuration file", logs section.
CLOUDWATCH_AGENT = _map({"logs": _map({"logs_collected": _map({"files": _map({
	"collect_list": _list(_map({"file_path": TEXT}, {
		"log_group_name": {"type": "string", "pattern": "^[A-Za-z0-9_/.#-]{1,512}$"},
		"log_stream_name": TEXT,
		"filters": _list(_map({"type": {"enum": ["include", "exclude"]}, "expression": TEXT})),
	})),
})})})})

# Ops Agent, "Configure the Ops Agent": logging receivers, processors and pipelines.
_ID = {"pattern": "^(?!lib:)[A-Za-z0-9_-]+$"}
OPS_AGENT = _map({"logging": _map({
	"receivers": {"type": "object", "propertyNames": _ID, "additionalProperties":
		_map({"type": {"const": "files"}, "include_paths": _list(TEXT)},
			{"exclude_paths": _list(TEXT)})},
	"processors": {"type": "object", "propertyNames": _ID, "additionalProperties": {"anyOf": [
		_map({"type": {"const": "parse_regex"}, "regex": TEXT},
			{"field": TEXT, "time_key": TEXT, "time_format": TEXT}),
		_map({"type": {"const": "exclude_logs"}, "match_any": _list(TEXT)}),
	]}},
	"service": _map({"pipelines": {"type": "object", "propertyNames": _ID,
		"additionalProperties": _map({"receivers": _list(TEXT)}, {"processors": _list(TEXT)})}}),
})})

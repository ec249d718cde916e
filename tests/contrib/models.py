# SPDX-License-Identifier: BSD-2-Clause
"""Does a value fit a vendor's own model? One walk over three kinds of models: TypeScript's
declarations (Azure), CloudFormation's resource specification, protocol buffers as JSON (Google).

Each model answers fields(type): {name: (type, is_required)}, or None when the type has no fields;
and scalar(type, value): an error or None. Types are strings; "[T]" is a list, "{T}" a map.
"""
import json
import re


def misfits(model, kind, value, where=""):
	"""One line for each thing in `value` that type `kind` of `model` does not allow."""
	if kind.startswith("["):
		if not isinstance(value, list):
			yield f"{where}: is no list"
			return
		for i, item in enumerate(value):
			yield from misfits(model, kind[1:-1], item, f"{where}[{i}]")
		return
	if kind.startswith("{"):
		if not isinstance(value, dict):
			yield f"{where}: is no map"
			return
		for name, item in value.items():
			yield from misfits(model, kind[1:-1], item, f"{where}.{name}")
		return
	fields = model.fields(kind)
	if fields is None:
		error = model.scalar(kind, value)
		if error:
			yield f"{where}: {error}"
		return
	if not isinstance(value, dict):
		yield f"{where}: is no {kind}"
		return
	for name, item in value.items():
		if name not in fields:
			yield f"{where}.{name}: {kind} has no such field"
		else:
			yield from misfits(model, fields[name][0], item, f"{where}.{name}")
	for name, (_, is_required) in fields.items():
		if is_required and name not in value:
			yield f"{where}.{name}: is missing"


def plain(kind, value):
	"""Is `value` a string, number or boolean, as `kind` says?"""
	types = {"string": str, "number": (int, float), "boolean": bool}
	if kind not in types:
		return f"model {kind} is not known here"
	if not isinstance(value, types[kind]) or (kind == "number" and isinstance(value, bool)):
		return f"{value!r} is no {kind}"
	return None


class TypeScript:
	"""Interfaces, enumerations and aliases of declaration files."""

	def __init__(self, *files):
		text = "\n".join(file.read_text(encoding="utf-8") for file in files)
		text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
		self.interfaces = {m[1]: (m[2] or "", m[3]) for m in re.finditer(
			r"interface (\w+)(?: extends ([\w, ]+?))? \{(.*?)\n\}", text, re.S)}
		self.enums = {m[1]: re.findall(r'= "?([^",\n]+)"?', m[2]) for m in re.finditer(
			r"enum (\w+) \{(.*?)\n\}", text, re.S)}
		self.aliases = {m[1]: m[2].strip() for m in re.finditer(
			r"type (\w+) = ([^;]*);", text)}

	def _kind(self, text):
		text = text.strip()
		inner = re.fullmatch(r"\{\s*\[propertyName: string\]: ([^;]*);\s*\}", text)
		inner = inner or re.fullmatch(r"Record<string, (.*)>", text)
		if inner:
			return "{" + self._kind(inner[1]) + "}"
		return "[" + self._kind(text[:-2]) + "]" if text.endswith("[]") else text

	def fields(self, kind):
		if kind not in self.interfaces:
			return None
		parents, body = self.interfaces[kind]
		found = {}
		for parent in filter(None, re.split(r",\s*", parents)):
			found.update(self.fields(parent) or {})
		for m in re.finditer(r"^    (readonly )?(\w+)(\?)?: (\{.*?\n    \}|.*?);$", body, re.M | re.S):
			if not m[1]:
				found[m[2]] = (self._kind(m[4]), not m[3])
		return found

	def scalar(self, kind, value):
		# Microsoft's enumerations are open: the alias is a string, and KnownALIAS has the values.
		values = self.enums.get("Known" + kind)
		if values:
			return None if str(value) in values else f"{value!r} is none of {', '.join(values)}"
		if kind.startswith('"'):
			values = re.findall(r'"([^"]*)"', kind)
			return None if value in values else f"{value!r} is none of {', '.join(values)}"
		if kind in self.aliases:
			return self.scalar(self.aliases[kind], value)
		return plain(kind, value)


class CloudFormation:
	"""The resource specification of AWS."""

	def __init__(self, file):
		text = json.loads(file.read_text(encoding="utf-8"))
		self.types = {**text["PropertyTypes"], **text["ResourceTypes"]}

	def _kind(self, owner, row):
		def name(item, primitive):
			if row.get(primitive):
				return row[primitive]
			full = f"{owner.split('.')[0]}.{row[item]}"
			return full if full in self.types else row[item]
		if row.get("Type") == "List":
			return "[" + name("ItemType", "PrimitiveItemType") + "]"
		if row.get("Type") == "Map":
			return "{" + name("ItemType", "PrimitiveItemType") + "}"
		return name("Type", "PrimitiveType")

	def fields(self, kind):
		if kind not in self.types:
			return None
		return {name: (self._kind(kind, row), row.get("Required", False))
			for name, row in self.types[kind]["Properties"].items()}

	def scalar(self, kind, value):
		if isinstance(value, dict) and list(value) == ["Ref"]:
			return None  # resolved by the caller
		kinds = {"String": "string", "Integer": "number", "Double": "number", "Boolean": "boolean",
			"Long": "number"}
		return plain(kinds.get(kind, kind), value)


class Proto:
	"""Messages of protobuf.js' JSON, from the package `root` on."""

	SCALARS = {"string": "string", "int32": "number", "int64": "number", "bool": "boolean",
		"double": "number", "google.protobuf.BoolValue": "boolean",
		"google.protobuf.Duration": "duration"}

	def __init__(self, file, root):
		node = json.loads(file.read_text(encoding="utf-8"))
		self.root = node
		self.package = root.split(".")

	def _find(self, path):
		node = self.root
		for part in path:
			node = node.get("nested", {}).get(part)
			if node is None:
				return None
		return node

	def _resolve(self, owner, name):
		"""The full name of a type that `owner` calls `name`."""
		scope = owner.split(".")
		while scope:
			full = scope + name.split(".")
			if self._find(full):
				return ".".join(full)
			scope.pop()
		return name

	def fields(self, kind):
		if kind in self.SCALARS:
			return None
		node = self._find(kind.split("."))
		if node is None or "fields" not in node:
			return None
		found = {}
		for name, row in node["fields"].items():
			inner = row["type"] if row["type"] in self.SCALARS else self._resolve(kind, row["type"])
			if "keyType" in row:
				inner = "{" + inner + "}"
			elif row.get("rule") == "repeated":
				inner = "[" + inner + "]"
			found[name] = (inner, False)
		return found

	def scalar(self, kind, value):
		node = self._find(kind.split("."))
		if node and "values" in node:
			return None if value in node["values"] else f"{value!r} is none of {list(node['values'])}"
		kind = self.SCALARS.get(kind, kind)
		if kind == "duration":
			return None if re.fullmatch(r"\d+s", str(value)) else f"{value!r} is no duration"
		return plain(kind, value)

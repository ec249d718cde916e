# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of contrib/ share."""
import copy
import json
import os
from pathlib import Path

import fetch

TREE = Path(__file__).resolve().parents[2]
CONTRIB = TREE / "contrib"
VENDORS = Path(os.environ.get("BG_VENDORS") or TREE / "build" / "vendors")


def vendor(name):
	"""The folder of a package of packages.txt."""
	return fetch.folder_of(VENDORS, name)


def load(path):
	"""A JSON file of contrib/."""
	return json.loads((CONTRIB / path).read_text(encoding="utf-8"))


def changed(value, *steps, to=None):
	"""A copy of `value` in which what `steps` lead to is `to`; None: it is gone."""
	value = copy.deepcopy(value)
	inner = value
	for step in steps[:-1]:
		inner = inner[step]
	if to is None:
		del inner[steps[-1]]
	else:
		inner[steps[-1]] = to
	return value

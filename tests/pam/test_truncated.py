#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""RULES P18: a module cut off anywhere is an error of dlopen(3), which module_unknown=ignore takes;
it does not kill the process that loads it, which would be everybody's sshd, login, su and sudo."""
import ctypes
import os
import tempfile
import unittest
from pathlib import Path

MODULE = Path(os.environ["BG_BUILD_DIR"], "pam_breakglass/pam_breakglass.so")
LOADED, REFUSED = 0, 7


def load(path):
	"""In a child, since it may be killed: LOADED, REFUSED, or minus the signal."""
	pid = os.fork()
	if pid == 0:
		try:
			ctypes.CDLL(str(path), mode=os.RTLD_NOW)
		except OSError:
			os._exit(REFUSED)
		os._exit(LOADED)
	return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Truncated(unittest.TestCase):
	def test_P18_whole_module_loads(self):
		self.assertEqual(load(MODULE), LOADED)

	def test_P18_truncated_anywhere_is_refused_by_dlopen(self):
		whole = MODULE.read_bytes()
		sizes = {0, 1, 63, 64, 831, 832, 833, len(whole) - 1, *range(0, len(whole), 1021)}
		with tempfile.TemporaryDirectory() as folder:
			for size in sorted(sizes):
				path = Path(folder, f"{size}.so")
				path.write_bytes(whole[:size])
				self.assertEqual(load(path), REFUSED, f"cut off at {size}")
				path.unlink()

	def test_P18_end_of_zeroes_is_refused_by_dlopen(self):
		"""What some filesystems leave after a power cut."""
		whole = MODULE.read_bytes()
		with tempfile.TemporaryDirectory() as folder:
			for kept in range(0, len(whole) - 4096, 40009):
				path = Path(folder, f"{kept}.so")
				path.write_bytes(whole[:kept] + bytes(len(whole) - kept))
				self.assertEqual(load(path), REFUSED, f"zeroes from {kept}")
				path.unlink()


if __name__ == "__main__":
	unittest.main(verbosity=2)

# SPDX-License-Identifier: BSD-2-Clause
"""Reads a QR code back off a screen of half blocks (ISO/IEC 18004), as far as bg-qr draws them:
level L, alphanumeric or byte mode, no errors to correct."""

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
QUIET = 2
# Level L, versions 1 to 20: (blocks, data codewords) of each group of blocks.
BLOCKS = {1: [(1, 19)], 2: [(1, 34)], 3: [(1, 55)], 4: [(1, 80)], 5: [(1, 108)], 6: [(2, 68)],
	7: [(2, 78)], 8: [(2, 97)], 9: [(2, 116)], 10: [(2, 68), (2, 69)], 11: [(4, 81)],
	12: [(2, 92), (2, 93)], 13: [(4, 107)], 14: [(3, 115), (1, 116)], 15: [(5, 87), (1, 88)],
	16: [(5, 98), (1, 99)], 17: [(1, 107), (5, 108)], 18: [(5, 120), (1, 121)],
	19: [(3, 113), (4, 114)], 20: [(3, 107), (5, 108)]}
# Centres of the alignment patterns.
ALIGN = {1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38],
	8: [6, 24, 42], 9: [6, 26, 46], 10: [6, 28, 50], 11: [6, 30, 54], 12: [6, 32, 58],
	13: [6, 34, 62], 14: [6, 26, 46, 66], 15: [6, 26, 48, 70], 16: [6, 26, 50, 74],
	17: [6, 30, 54, 78], 18: [6, 30, 56, 82], 19: [6, 30, 58, 86], 20: [6, 34, 62, 90]}
MASKS = (lambda r, c: (r + c) % 2, lambda r, c: r % 2, lambda r, c: c % 3,
	lambda r, c: (r + c) % 3, lambda r, c: (r // 2 + c // 3) % 2,
	lambda r, c: r * c % 2 + r * c % 3, lambda r, c: (r * c % 2 + r * c % 3) % 2,
	lambda r, c: ((r + c) % 2 + r * c % 3) % 2)


def modules(lines):
	"""Rows of True (dark) without the quiet zone, from rows of half blocks: light ones are drawn."""
	light = []
	for line in lines:
		light.append([glyph in "\u2580\u2588" for glyph in line])
		light.append([glyph in "\u2584\u2588" for glyph in line])
	size = len(lines[0]) - 2 * QUIET
	return [[not light[r + QUIET][c + QUIET] for c in range(size)] for r in range(size)]


def reserved(size, version):
	"""Where no data is."""
	taken = [[False] * size for _ in range(size)]

	def take(rows, columns):
		for r in rows:
			for c in columns:
				taken[r][c] = True
	take(range(9), range(9))
	take(range(9), range(size - 8, size))
	take(range(size - 8, size), range(9))
	take([6], range(size))
	take(range(size), [6])
	if version >= 7:
		take(range(6), range(size - 11, size - 8))
		take(range(size - 11, size - 8), range(6))
	for r in ALIGN[version]:
		for c in ALIGN[version]:
			if (r, c) not in ((6, 6), (6, size - 7), (size - 7, 6)):
				take(range(r - 2, r + 3), range(c - 2, c + 3))
	return taken


def codewords(code, version):
	size = len(code)
	taken = reserved(size, version)
	# format: three bits of mask, read beside the upper left finder
	mask = MASKS[(code[8][2] << 2 | code[8][3] << 1 | code[8][4]) ^ 0b101]
	bits, upwards = [], True
	column = size - 1
	while column > 0:
		column -= column == 6
		for i in range(size):
			row = size - 1 - i if upwards else i
			for c in (column, column - 1):
				if not taken[row][c]:
					bits.append(code[row][c] ^ (mask(row, c) == 0))
		upwards = not upwards
		column -= 2
	return [sum(b << 7 - j for j, b in enumerate(bits[i:i + 8])) for i in range(0, len(bits) - 7, 8)]


def data_of(words, version):
	"""The data codewords, block by block, out of their interleaving."""
	lengths = [data for blocks, data in BLOCKS[version] for _ in range(blocks)]
	parts, at = [[] for _ in lengths], 0
	for i in range(max(lengths)):
		for part, length in zip(parts, lengths):
			if i < length:
				part.append(words[at])
				at += 1
	return bytes(byte for part in parts for byte in part)


def read(code):
	"""The text in it."""
	version = (len(code) - 17) // 4
	bits = "".join(f"{byte:08b}" for byte in data_of(codewords(code, version), version))
	at, text = 0, ""

	def take(count):
		nonlocal at
		at += count
		return int(bits[at - count:at] or "0", 2)
	while at + 4 <= len(bits):
		mode = take(4)
		if mode == 0:
			break
		if mode == 2:
			count = take(9 if version < 10 else 11)
			for _ in range(count // 2):
				pair = take(11)
				text += ALPHANUMERIC[pair // 45] + ALPHANUMERIC[pair % 45]
			if count % 2:
				text += ALPHANUMERIC[take(6)]
		elif mode == 4:
			for _ in range(take(8 if version < 10 else 16)):
				text += chr(take(8))
		else:
			raise AssertionError(f"mode {mode}")
	return text

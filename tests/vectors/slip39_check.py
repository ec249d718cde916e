#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SLIP-39 a second time, from the specification and with Python's library alone.

  slip39_check.py             recompute every vector, official and own: 0 if all agree
  slip39_check.py --generate  write slip39-own.json anew (the same bytes each time)

A vector is [name, [mnemonic, ...], secret in hex or "", error]; the official ones have a
fourth field that does not matter here. The passphrase is TREZOR throughout. The error is the
name of an enum bg_err without its BG_ERR_. As DESIGN says, one check differs from the
specification: more shares than a threshold are accepted if all lie on one polynomial.
"""

import hashlib
import hmac
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORDS = (HERE.parent.parent / "data" / "slip39-words.txt").read_text(encoding="ascii").split()
NUMBER = {word: number for number, word in enumerate(WORDS)}
PASSPHRASE = b"TREZOR"
SECRET, DIGEST = 255, 254


class Refused(Exception):
    """Its text is the error's name."""


# The field, by logarithms to the base 3: unlike the library's shifts and masks.
EXP = [1]
while len(EXP) < 255:
    last = EXP[-1]
    EXP.append(last ^ (last << 1) ^ (0x11B if last & 0x80 else 0))
LOG = {value: power for power, value in enumerate(EXP)}


def interpolate(points, x):
    """The value at x of the polynomials through points, {x: bytes}."""
    if x in points:
        return points[x]
    result = bytes(len(next(iter(points.values()))))
    for xi, yi in points.items():
        log = sum(LOG[x ^ xj] - LOG[xi ^ xj] for xj in points if xj != xi)
        result = bytes(r ^ (EXP[(LOG[y] + log) % 255] if y else 0) for r, y in zip(result, yi))
    return result


def polymod(values):
    generator = [0xE0E040, 0x1C1C080, 0x3838100, 0x7070200, 0xE0E0009,
                 0x1C0C2412, 0x38086C24, 0x3090FC48, 0x21B1F890, 0x3F3F120]
    check = 1
    for value in values:
        top = check >> 20
        check = (check & 0xFFFFF) << 10 ^ value
        for bit in range(10):
            if top >> bit & 1:
                check ^= generator[bit]
    return check


def label(extendable):
    return b"shamir_extendable" if extendable else b"shamir"


class Share:
    def __init__(self, identifier, extendable, exponent, group, member, value, padding=0):
        self.identifier, self.extendable, self.exponent = identifier, extendable, exponent
        self.group, self.group_threshold, self.groups = group
        self.member, self.threshold = member
        self.value, self.padding = value, padding

    def mnemonic(self):
        bits = len(self.value) * 8
        words = -(-bits // 10)
        number = self.identifier
        for part, width in ((self.extendable, 1), (self.exponent, 4), (self.group, 4),
                            (self.group_threshold - 1, 4), (self.groups - 1, 4),
                            (self.member, 4), (self.threshold - 1, 4),
                            (self.padding, words * 10 - bits)):
            number = number << width | part
        number = number << bits | int.from_bytes(self.value, "big")
        data = [number >> 10 * i & 1023 for i in reversed(range(4 + words))]
        check = polymod(list(label(self.extendable)) + data + [0, 0, 0]) ^ 1
        data += [check >> 20, check >> 10 & 1023, check & 1023]
        return " ".join(WORDS[number] for number in data)

    @classmethod
    def read(cls, mnemonic):
        try:
            data = [NUMBER[word] for word in mnemonic.split()]
        except KeyError as error:
            raise Refused("WORD") from error
        if len(data) not in (20, 33):
            raise Refused("RANGE")
        if polymod(list(label(data[1] >> 4 & 1)) + data) != 1:
            raise Refused("CHECKSUM")
        number = 0
        for word in data[:-3]:
            number = number << 10 | word
        bits = (len(data) - 7) * 10
        value_bits = bits // 16 * 16
        head = number >> bits
        share = cls(head >> 25, head >> 24 & 1, head >> 20 & 15,
                    (head >> 16 & 15, (head >> 12 & 15) + 1, (head >> 8 & 15) + 1),
                    (head >> 4 & 15, (head & 15) + 1),
                    (number & (1 << value_bits) - 1).to_bytes(value_bits // 8, "big"))
        if share.group_threshold > share.groups:
            raise Refused("RANGE")
        if number >> value_bits & (1 << bits - value_bits) - 1:
            raise Refused("PADDING")
        return share


def feistel(share, text, order):
    half = len(text) // 2
    left, right = text[:half], text[half:]
    salt = b"" if share.extendable else b"shamir" + share.identifier.to_bytes(2, "big")
    for number in order:
        key = hashlib.pbkdf2_hmac("sha256", bytes([number]) + PASSPHRASE, salt + right,
                                  2500 << share.exponent, half)
        left, right = right, bytes(a ^ b for a, b in zip(left, key))
    return right + left


def recover(points, threshold):
    basis = dict(list(points.items())[:threshold])
    secret = interpolate(basis, SECRET)
    good = True
    if threshold > 1:
        digest = interpolate(basis, DIGEST)
        good = hmac.new(digest[4:], secret, "sha256").digest()[:4] == digest[:4]
    further = [interpolate(basis, x) == y for x, y in points.items() if x not in basis]
    if not good:
        raise Refused("DIGEST")
    if not all(further):
        raise Refused("POLYNOMIAL")
    return secret


def combine(mnemonics):
    shares = [Share.read(mnemonic) for mnemonic in mnemonics]
    if any(share.exponent > 4 for share in shares):
        raise Refused("EXPONENT")
    if len({(s.identifier, s.extendable, s.exponent, s.group_threshold, s.groups, len(s.value))
            for s in shares}) != 1:
        raise Refused("MISMATCH")
    groups, thresholds = {}, {}
    for share in shares:
        if thresholds.setdefault(share.group, share.threshold) != share.threshold:
            raise Refused("MISMATCH")
    for share in shares:
        members = groups.setdefault(share.group, {})
        if share.member in members:
            raise Refused("DUPLICATE")
        members[share.member] = share.value
    if len(groups) < shares[0].group_threshold:
        raise Refused("TOO_FEW")
    if any(len(members) < thresholds[group] for group, members in groups.items()):
        raise Refused("TOO_FEW")
    points = {group: recover(members, thresholds[group]) for group, members in groups.items()}
    return feistel(shares[0], recover(points, shares[0].group_threshold), (3, 2, 1, 0))


# Own vectors ------------------------------------------------------------------------------

class Stream:
    """Bytes that are the same at each run."""

    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def take(self, length):
        self.count += 1
        return hashlib.shake_256(f"{self.seed}/{self.count}".encode()).digest(length)


def split(stream, secret, threshold, count):
    if threshold == 1:
        return {x: secret for x in range(count)}
    points = {x: stream.take(len(secret)) for x in range(threshold - 2)}
    key = stream.take(len(secret) - 4)
    points[DIGEST] = hmac.new(key, secret, "sha256").digest()[:4] + key
    points[SECRET] = secret
    return {x: interpolate(points, x) for x in range(count)}


def deal(seed, master, plan, group_threshold=1, extendable=1, exponent=0):
    """plan: (threshold, count) a group; gives a list of shares a group."""
    stream = Stream(seed)
    identifier = int.from_bytes(stream.take(2), "big") & 0x7FFF
    head = Share(identifier, extendable, exponent, (0, 1, 1), (0, 1), b"")
    encrypted = feistel(head, master, (0, 1, 2, 3))
    groups = split(stream, encrypted, group_threshold, len(plan))
    return [[Share(identifier, extendable, exponent, (g, group_threshold, len(plan)),
                   (member, threshold), value)
             for member, value in split(stream, groups[g], threshold, count).items()]
            for g, (threshold, count) in enumerate(plan)]


def changed(share, **fields):
    copy = Share.__new__(Share)
    copy.__dict__.update(share.__dict__, **fields)
    return copy


def generate():
    vectors = []

    def add(name, shares, secret, error=""):
        vectors.append([f"{len(vectors) + 1}. {name}", [s.mnemonic() for s in shares],
                        secret.hex() if secret else "", error])

    for length in (16, 32):
        bits = f"({8 * length} bits)"
        masters = {"usual": Stream("master").take(length), "all zeros": bytes(length),
                   "all 0xff": b"\xff" * length,
                   "leading zeros": bytes(length // 2) + Stream("tail").take(length // 2),
                   "trailing zeros": Stream("head").take(length // 2) + bytes(length // 2)}
        usual = masters["usual"]
        for name, master in masters.items():
            two = deal(f"{name} {length}", master, [(2, 3)])[0]
            add(f"2 of 3, secret {name} {bits}", [two[0], two[2]], master)
            add(f"2 of 3, other pair, secret {name} {bits}", [two[2], two[1]], master)
            add(f"1 of 1, secret {name} {bits}",
                deal(f"single {name} {length}", master, [(1, 1)])[0], master)
        full = deal(f"16 of 16 {length}", usual, [(16, 16)])[0]
        add(f"16 of 16 {bits}", full[::-1], usual)
        add(f"15 given of 16 of 16 {bits}", full[1:], None, "TOO_FEW")
        most = deal(f"15 of 16 {length}", usual, [(15, 16)])[0]
        for left_out in (0, 7, 15):
            add(f"15 of 16 without {left_out} {bits}",
                most[:left_out] + most[left_out + 1:], usual)
        add(f"15 of 16, all 16 given {bits}", most, usual)
        add(f"14 given of 15 of 16 {bits}", most[2:], None, "TOO_FEW")

        plan = [(2, 3), (3, 5), (1, 1), (5, 5)]
        for extendable in (0, 1):
            groups = deal(f"groups {length}", usual, plan, 2, extendable, 1)
            add(f"groups 0 and 1, extendable {extendable} {bits}",
                groups[0][1:] + groups[1][:3], usual)
            add(f"groups 2 and 3, extendable {extendable} {bits}", groups[3] + groups[2], usual)
        add(f"three groups of two {bits}", groups[0][:2] + groups[1][2:] + groups[2], usual)
        add(f"groups with a further member {bits}", groups[0] + groups[1], usual)
        add(f"one group of two {bits}", groups[0], None, "TOO_FEW")
        add(f"second group short {bits}", groups[0][:2] + groups[1][:2], None, "TOO_FEW")
        add(f"third group short {bits}", groups[0][:2] + groups[2] + groups[1][:2], None,
            "TOO_FEW")
        all_groups = deal(f"16 groups {length}", usual, [(1, 1)] * 16, 16)
        add(f"16 of 16 groups {bits}", [group[0] for group in all_groups], usual)
        for exponent in (0, 4):
            for extendable in (0, 1):
                pair = deal(f"exponent {length}", usual, [(2, 2)], 1, extendable, exponent)[0]
                add(f"exponent {exponent}, extendable {extendable} {bits}", pair, usual)

        good = deal(f"good {length}", usual, [(2, 3)])[0]
        other = deal(f"other {length}", usual, [(2, 3)])[0]
        wide = deal(f"good {length}", usual, [(2, 3), (2, 3)])
        add(f"different identifiers {bits}", [good[0], other[1]], None, "MISMATCH")
        for field, value in (("extendable", 0), ("exponent", 1), ("groups", 2),
                             ("threshold", 3)):
            add(f"different {field} {bits}", [good[0], changed(good[1], **{field: value})], None,
                "MISMATCH")
        add(f"different group threshold {bits}",
            [wide[0][0], changed(wide[0][1], group_threshold=2)], None, "MISMATCH")
        add(f"group threshold above groups {bits}",
            [changed(share, group_threshold=2) for share in good[:2]], None, "RANGE")
        add(f"same share twice {bits}", [good[0], good[0]], None, "DUPLICATE")
        add(f"same index, other value {bits}",
            [good[0], good[1], changed(good[0], value=good[2].value)], None, "DUPLICATE")
        wrong = changed(good[1], value=other[1].value)
        add(f"wrong share of the same identifier {bits}", [good[0], wrong], None, "DIGEST")
        add(f"further share off the polynomial {bits}",
            [good[0], good[1], changed(good[2], value=other[2].value)], None, "POLYNOMIAL")
        add(f"padding not zero {bits}", [good[0], changed(good[1], padding=1)], None, "PADDING")
        for exponent in (5, 15):
            add(f"exponent {exponent} {bits}",
                [changed(share, exponent=exponent) for share in good[:2]], None, "EXPONENT")
        mixed = deal(f"mixed {length}", usual[:16] if length == 32 else usual * 2, [(2, 3)])[0]
        add(f"another length {bits}",
            [good[0], changed(mixed[1], identifier=good[0].identifier)], None, "MISMATCH")
        cross = vectors[-1][1][0].split()
        cross[7], cross[8] = cross[8], cross[7]
        vectors.append([f"{len(vectors) + 1}. two words swapped {bits}",
                        [" ".join(cross), good[1].mnemonic()], "", "CHECKSUM"])
        vectors.append([f"{len(vectors) + 1}. last word missing {bits}",
                        [" ".join(cross[:-1]), good[1].mnemonic()], "", "RANGE"])
    return vectors


def check(path):
    vectors = json.loads(path.read_text(encoding="ascii"))
    wrong = 0
    for vector in vectors:
        name, mnemonics, secret = vector[:3]
        try:
            got, error = combine(mnemonics).hex(), ""
        except Refused as refused:
            got, error = "", str(refused)
        want = vector[3] if path.name == "slip39-own.json" else error
        if got != secret or error != want:
            print(f"{path.name}: {name}: got {got or error}, want {secret or want}")
            wrong += 1
    print(f"{path.name}: {len(vectors) - wrong} of {len(vectors)} agree")
    return wrong == 0 and len(vectors) > 0


def main():
    own = HERE / "slip39-own.json"
    if sys.argv[1:] == ["--generate"]:
        own.write_text(json.dumps(generate(), indent=1) + "\n", encoding="ascii")
    elif sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    fresh = json.dumps(generate(), indent=1) + "\n" == own.read_text(encoding="ascii")
    if not fresh:
        print("slip39-own.json is not what --generate writes")
    return 0 if all([check(HERE / "slip39.json"), check(own), fresh]) else 1


if __name__ == "__main__":
    sys.exit(main())

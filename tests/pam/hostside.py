# SPDX-License-Identifier: BSD-2-Clause
"""A host's side of approve, combine and touch, from the seal's text alone: request challenges, and
whether what comes back verifies."""

import configparser
import hashlib
import os

import codelib

FIELDS = {"purpose": "emergency", "host_label": "db1", "account": "breakglass", "uid": 1001,
          "key": "a", "holder": "oncall", "reason": "INC-1234 directory is down",
          "session_seconds": 14400, "service": "sshd", "origin": "192.0.2.7"}


class Host:
    """A host that has the seal of this text (bytes) in force."""

    def __init__(self, text):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read_string(text.decode())
        head = ini["seal"]
        self.quorum = bytes.fromhex(head["quorum-key"])
        self.people = {}
        for name in ini.sections():
            if name.startswith("custodian "):
                self.people[name[10:]] = (int(ini[name]["index"]),
                                          bytes.fromhex(ini[name]["public-key"]))
        self.base = FIELDS | {
            "seal_digest": hashlib.sha256(text).digest(), "set": bytes.fromhex(head["set"]),
            "epoch": int(head["epoch"]), "strength": int(head["strength"]),
            "slip39_id": int(head["slip39-id"]), "threshold": int(head["threshold"]),
            "custodians": [(index, codelib.sha256(pub)[:2])
                           for index, pub in self.people.values()]}

    def request(self, **fields):
        return self.base | {"nonce": os.urandom(16)} | fields

    def verifies(self, request, name, text, wanted=codelib.APPROVAL):
        """Is text name's approval of this request? wanted: or another kind, his refusal."""
        kind, body = codelib.decode(chunks(text))
        word = codelib.protocol.READERS[wanted](body)
        digest = codelib.request_digest(request)
        index, pub = self.people[name]
        context = {codelib.APPROVAL: "approval", codelib.REFUSAL: "refusal"}[wanted]
        return (kind == wanted and word["tag"] == digest[:4]
                and word["index"] == index and word["epoch"] == request["epoch"]
                and codelib.ed25519_verifies(pub, word["signature"],
                                             codelib.frame(context, digest)))

    def refuses(self, request, name, text):
        """Is text name's refusal of this request?"""
        return self.verifies(request, name, text, codelib.REFUSAL)

    def answers(self, request, names, text):
        """Is text the quorum's response to this request, of these custodians' shares?"""
        kind, body = codelib.decode(chunks(text))
        response = codelib.read_response(body)
        digest = codelib.request_digest(request)
        exposed = sum(1 << self.people[name][0] for name in names)
        return (kind == codelib.RESPONSE and response["tag"] == digest[:4]
                and response["exposed"] == exposed and response["epoch"] == request["epoch"]
                and codelib.ed25519_verifies(self.quorum, response["signature"],
                                             codelib.frame("response", digest, exposed.to_bytes(4, "big"))))


def chunks(text):
    text = "".join(text.split())
    return [text[i:i + 32] for i in range(0, len(text), 32)]


def lines(request):
    """The challenge as the host shows it: groups of four."""
    plain = codelib.encode(codelib.REQUEST_CHALLENGE, codelib.write_request_challenge(request))
    return [" ".join(li[i:i + 4] for i in range(0, 32, 4)) for li in plain]


def short_id(request):
    return codelib.short_id(codelib.request_digest(request))

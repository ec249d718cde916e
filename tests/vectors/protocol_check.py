#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Derives tests/vectors/{keys,seals,codes,chain,refused}.json again (protocol.py).

  protocol_check.py [PROGRAM]             with PROGRAM (protocol_vectors): what it prints must be them
  protocol_check.py --generate PROGRAM    write them anew from the library
"""
import json
import pathlib
import subprocess
import sys

import protocol as p
import slip39_check as slip39

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pam"))
import codelib  # noqa: E402
SUBJECTS = ("keys", "seals", "codes", "chain", "refused")
checks = 0


def same(what, got, want):
    global checks
    checks += 1
    if isinstance(got, bytes):
        got = got.hex()
    if isinstance(want, bytes):
        want = want.hex()
    if got != want:
        sys.exit(f"protocol_check: {what}: {got} is not {want}")


def unhex(v, *names):
    """A copy of v with those fields as bytes."""
    return {**v, **{name: bytes.fromhex(v[name]) for name in names}}


def refusal(call, *arguments):
    """The error's name, "" for none."""
    try:
        call(*arguments)
    except p.Refused as refused:
        return str(refused)
    return ""


# keys.json ---------------------------------------------------------------------------------


def check_frame(v):
    fields = [bytes.fromhex(f["bytes"]) if "bytes" in f else f.get("text", f.get("number"))
              for f in v["fields"]]
    same(f"frame of {v['context']}", p.frame(v["context"], *fields), v["frame"])


def check_custodian(v, the_set):
    what = f"custodian {v['name']} of epoch {the_set['epoch']}"
    share = slip39.Share.read(v["words"])
    same(f"{what}: value", share.value, v["value"])
    same(f"{what}: identifier", share.identifier, the_set["slip39_id"])
    same(f"{what}: numbers", [share.extendable, share.exponent, share.groups, share.member,
                              share.threshold], [1, 0, 1, v["index"], the_set["threshold"]])
    same(f"{what}: words again", share.mnemonic(), v["words"])
    same(f"{what}: compact", p.compact(share.member, share.value), v["compact"])
    same(f"{what}: from compact", p.read_compact(v["compact"]), (v["index"], share.value))
    seed = p.custodian_seed(share.value, bytes.fromhex(the_set["set"]), the_set["epoch"],
                            share.member)
    same(f"{what}: seed", seed, v["seed"])
    same(f"{what}: key", p.ed25519_public(seed), v["public"])
    same(f"{what}: key hash", p.sha256(p.ed25519_public(seed))[:2], v["key_hash"])


def combine(words, passphrase=b""):
    """SLIP-39's vectors have a passphrase, a set has none."""
    kept, slip39.PASSPHRASE = slip39.PASSPHRASE, passphrase
    try:
        return slip39.combine(words)
    finally:
        slip39.PASSPHRASE = kept


def check_set(v):
    set_id, secret, epoch = bytes.fromhex(v["set"]), bytes.fromhex(v["secret"]), v["epoch"]
    words = [custodian["words"] for custodian in v["custodians"]]
    for some in (words, words[:2], words[1:], [words[2], words[0]]):
        same("secret", combine(some), secret)
    same("strength", 8 * len(secret), v["strength"])
    same("short id of a set", p.short_id(set_id), v["short_id"])
    seed, scalar = p.quorum_seed(secret, set_id, epoch), p.envelope_scalar(secret, set_id, epoch)
    same("quorum's seed", seed, v["sign_seed"])
    same("quorum's key", p.ed25519_public(seed), v["sign_public"])
    same("envelope's scalar", scalar, v["envelope"])
    same("envelope's key", p.x25519_public(scalar), v["envelope_public"])
    same("recipient", p.age_recipient(p.x25519_public(scalar)), v["recipient"])
    same("identity", p.age_identity(scalar), v["identity"])
    for custodian in v["custodians"]:
        check_custodian(custodian, v)


def check_keys(v):
    contexts = [frame["context"] for frame in v["frames"]]
    same("contexts", len(set(contexts)), 13)
    for frame in v["frames"]:
        check_frame(frame)
    for one in v["sets"]:
        check_set(one)
    same("strengths", [one["strength"] for one in v["sets"]], [128, 256])


# seals.json --------------------------------------------------------------------------------


def check_seal(v, the_set):
    """The body and the sections."""
    text = "".join(line + "\n" for line in v["text"])
    data, sections = text.encode(), p.read_ini(text)
    same("seal's digest", p.sha256(data), v["digest"])
    same("seal's body", data.index(b"[signature]\n"), v["body_len"])
    body = data[: v["body_len"]]
    message = p.frame("seal", p.sha256(body))
    seed = bytes.fromhex(the_set["sign_seed"])
    same("seal's signature", p.ed25519_sign(seed, message), sections["signature"]["quorum"])
    same("quorum's key", the_set["sign_public"], sections["seal"]["quorum-key"])
    same("recipient", the_set["recipient"], sections["seal"]["recipient"])
    same("relying party", "breakglass:" + sections["seal"]["zone"], sections["seal"]["rp-id"])
    for custodian in the_set["custodians"]:
        section = sections["custodian " + custodian["name"]]
        same("custodian's key", section["public-key"], custodian["public"])
        same("custodian's index", int(section["index"]), custodian["index"])
    return body, sections


def check_succession(v, sets):
    _, old = check_seal(v["seal"], sets[0])
    body, new = check_seal(v["successor"], sets[1])
    same("predecessor", new["seal"]["predecessor"], v["seal"]["digest"])
    same("epoch", int(new["seal"]["epoch"]), int(old["seal"]["epoch"]) + 1)
    signature = new["signature"]
    message = p.frame("succession-quorum", p.sha256(body))
    same("endorsement by the quorum", signature["predecessor-quorum"],
         p.ed25519_sign(bytes.fromhex(sets[0]["sign_seed"]), message))
    key = old["key " + signature["predecessor-key"]]
    digest = p.sha256(p.frame("succession-key", p.sha256(body)))
    assertion = {"algorithm": key["algorithm"], "public": bytes.fromhex(key["public-key"]),
                 "rp_id": old["seal"]["rp-id"], "credential": b"", "named": b"",
                 "authdata": bytes.fromhex(signature["predecessor-authdata"]),
                 "signature": bytes.fromhex(signature["predecessor-signature"])}
    same("endorsement by the key", refusal(p.check_assertion, assertion, digest), "")
    retired = ":".join((new["retired 1"]["custodians"].split(" ")[0]).split(":")[2:])
    same("retired custodian", retired, sets[0]["custodians"][0]["public"])
    lines = [old["key " + name]["ssh"] for name in ("b", "a")]
    same("ssh keys in the seal", [ssh["line"] for ssh in v["ssh"]], lines)


def check_seals(v):
    check_succession(v, load("keys")["sets"])
    enrol = v["enrol"]
    same("enrolment", p.sha256(p.frame("enrol", bytes.fromhex(enrol["nonce"]), enrol["account"],
                                       enrol["zone"])), enrol["digest"])
    for ssh in v["ssh"]:
        line, blob = p.ssh_line(bytes.fromhex(ssh["public"]), ssh["application"])
        same("ssh blob", blob, ssh["blob"])
        same("ssh line", line, ssh["line"])


# codes.json --------------------------------------------------------------------------------


def check_written(what, kind, body):
    """What the tests' codelib.py writes of these fields is this body."""
    v = {**p.READERS[kind](body)}
    if kind == p.TOUCH_CHALLENGE:
        written = codelib.write_touch_challenge(v)
    elif kind == p.REQUEST_CHALLENGE:
        written = codelib.write_request_challenge(codelib.read_request_challenge(body))
    else:
        write = {p.TOUCH_ANSWER: codelib.write_touch_answer, p.APPROVAL: codelib.write_approval,
                 p.RESPONSE: codelib.write_response, p.REFUSAL: codelib.write_refusal}[kind]
        written = write(*v.values())
    same(f"{what}: written again", written, body)


def check_lines(what, v, kind):
    """The body, after lines were made, read in any order, and each bit of them flipped."""
    body = bytes.fromhex(v["body"])
    same(f"{what}: kind", v["kind"], kind)
    same(f"{what}: lines", p.code_lines(kind, body), v["lines"])
    same(f"{what}: grouped", [p.grouped(v["lines"][0])], v["first_line_grouped"])
    same(f"{what}: body", p.read_code(v["lines"][::-1]), (kind, body))
    check_written(what, kind, body)
    for line in v["lines"]:
        data = p.unmodhex(line)
        for bit in range(128):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            same(f"{what}: bit {bit}", refusal(p.read_line, p.modhex(flipped)), "CHECKSUM")
    return body


def check_touch(v):
    v = unhex(v, "nonce", "seal_digest", "credential", "public", "authdata", "signature")
    fields = p.read_touch_challenge(check_lines("touch challenge", v["challenge"],
                                                p.TOUCH_CHALLENGE))
    for name, value in fields.items():
        same(f"touch challenge: {name}", value, v[name])
    same("relying party", "breakglass:" + fields["zone"], v["rp_id"])
    digest = p.touch_digest(fields)
    same("touch digest", digest, v["digest"])
    same("assertion", refusal(p.check_assertion, {**v, "named": v["credential"]}, digest), "")
    answer = p.read_touch_answer(check_lines("touch answer", v["answer"], p.TOUCH_ANSWER))
    same("answer's tag", answer["tag"], digest[:4])
    same("answer's tag", answer["tag"], v["tag"])
    same("credential hash", answer["credential_hash"], p.sha256(v["credential"])[:4])
    same("credential hash", answer["credential_hash"], v["credential_hash"])
    same("answer's signature", answer["signature"], v["signature"])
    same("authenticatorData", p.answer_authdata(answer, v["rp_id"]), v["authdata"])


def flips_refused(what, public, signature, message):
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        same(f"{what}: bit {bit}", p.ed25519_verifies(public, bytes(flipped), message), False)


def check_word(v, kind, what, request, digest, the_set):
    """One custodian's approval or refusal."""
    custodian = next(c for c in the_set["custodians"] if c["name"] == v["custodian"])
    body = p.READERS[kind](check_lines(what, v["code"], kind))
    # from the words on, as bg-unlock approve goes
    share = slip39.Share.read(custodian["words"])
    seed = p.custodian_seed(share.value, request["set"], request["epoch"], share.member)
    same("key hash", p.sha256(p.ed25519_public(seed))[:2], request["custodians"][share.member])
    signature = p.ed25519_sign(seed, p.frame(what, digest))
    same(what, signature, v["signature"])
    same(f"{what}'s body", body, {"tag": digest[:4], "index": share.member,
                                  "epoch": the_set["epoch"], "signature": signature})
    flips_refused(what, p.ed25519_public(seed), signature, p.frame(what, digest))


def check_response(v, request, digest, the_set):
    body = p.read_response(check_lines("response", v["code"], p.RESPONSE))
    who = [c for c in the_set["custodians"] if v["exposed"] >> c["index"] & 1]
    secret = combine([custodian["words"] for custodian in who])
    seed = p.quorum_seed(secret, request["set"], request["epoch"])
    message = p.frame("response", digest, v["exposed"])
    signature = p.ed25519_sign(seed, message)
    same("response", signature, v["signature"])
    same("response's body", body, {"tag": digest[:4], "epoch": the_set["epoch"],
                                   "exposed": v["exposed"], "signature": signature})
    flips_refused("response", p.ed25519_public(seed), signature, message)


def check_request(v, sets):
    v, the_set = unhex(v, "nonce", "seal_digest"), sets[v["set_number"]]
    fields = p.read_request_challenge(check_lines("request challenge", v["challenge"],
                                                  p.REQUEST_CHALLENGE))
    for name, value in fields.items():
        if name in v:
            same(f"request challenge: {name}", value, v[name])
    same("fields", len([name for name in fields if name in v]), 12)
    same("set", fields["set"], the_set["set"])
    for name in ("epoch", "strength", "slip39_id", "threshold"):
        same(name, fields[name], the_set[name])
    same("custodians", {i: h.hex() for i, h in fields["custodians"].items()},
         {c["index"]: c["key_hash"] for c in the_set["custodians"]})
    digest = p.request_digest(fields)
    same("request digest", digest, v["digest"])
    same("short id of a request", p.short_id(digest), v["short_id"])
    for approval in v["approvals"]:
        check_word(approval, p.APPROVAL, "approval", fields, digest, the_set)
    for word in v["refusals"]:
        check_word(word, p.REFUSAL, "refusal", fields, digest, the_set)
    same("as many refusals as approvals", len(v["refusals"]), len(v["approvals"]))
    for response in v["responses"]:
        check_response(response, fields, digest, the_set)


def check_codes(v):
    sets = load("keys")["sets"]
    for touch in v["touches"]:
        check_touch(touch)
    same("algorithms", [touch["algorithm"] for touch in v["touches"]], ["eddsa", "es256"])
    for request in v["requests"]:
        check_request(request, sets)
    same("purposes", [request["purpose"] for request in v["requests"]], ["emergency", "drill"])


# chain.json --------------------------------------------------------------------------------


def check_chain(v):
    before = bytes(32)
    for number, record in enumerate(v["records"], 1):
        line = bytes.fromhex(record["line"])
        fields = json.loads(line)
        same("record's number", (fields["seq"], record["seq"]), (number, number))
        same("record's link", fields["prev"], before)
        before = p.sha256(line)
        same("record's hash", before, record["hash"])


# refused.json ------------------------------------------------------------------------------


def check_signature(v):
    digest = bytes.fromhex(v["digest"])
    exposed = [v["exposed"]] if "exposed" in v else []
    verifies = p.ed25519_verifies(bytes.fromhex(v["public"]), bytes.fromhex(v["signature"]),
                                  p.frame(v["context"], digest, *exposed))
    same(v["what"], verifies, False)


def check_refused(v):
    for one in v["signatures"]:
        check_signature(one)
    for one in v["assertions"]:
        one = unhex(one, "public", "credential", "named", "authdata", "signature", "digest")
        same(one["what"], refusal(p.check_assertion, one, one["digest"]), one["refusal"])
    for one in v["lines"]:
        same(one["what"], refusal(p.read_code, one["lines"]), one["refusal"])
    for one in v["compact"]:
        same(one["what"], refusal(p.read_compact, one["modhex"]), one["refusal"])
    for one in v["bodies"]:
        same(one["what"], refusal(p.READERS[one["kind"]], bytes.fromhex(one["body"])),
             one["refusal"])
    for subject, least in (("signatures", 65), ("assertions", 30), ("lines", 15), ("bodies", 50)):
        same(f"near misses of {subject}", len(v[subject]) >= least, True)


# -------------------------------------------------------------------------------------------


def load(subject):
    return json.loads((HERE / f"{subject}.json").read_text(encoding="utf-8"))


def printed(program, subject):
    return subprocess.run([program, subject], check=True, capture_output=True, text=True,
                          timeout=30, encoding="utf-8").stdout


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--generate"]:
        for subject in SUBJECTS:
            (HERE / f"{subject}.json").write_text(printed(arguments[1], subject), encoding="utf-8")
        return
    for subject in SUBJECTS:
        if arguments:
            committed = (HERE / f"{subject}.json").read_text(encoding="utf-8")
            same(f"{subject}.json", printed(arguments[0], subject) == committed, True)
        globals()[f"check_{subject}"](load(subject))
    print(f"{checks} checks")


if __name__ == "__main__":
    main()

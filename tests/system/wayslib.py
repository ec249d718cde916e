# SPDX-License-Identifier: BSD-2-Clause
"""The ways in, as data: how the key is proved, how the quorum is given, through which door. What they
record is told from them, too."""
from collections import namedtuple

from doorlib import CUSTODIANS, REASON
from test_doors import OPEN, TRIED

# How one piece of the quorum is given, and by whom.
Give = namedtuple("Give", "how who")


def typed(name):
	return Give("typed", (name,))


def approval(name):
	return Give("approval", (name,))


def response(*names):
	return Give("response", names)


QUORUMS = {
	"two typed shares": (typed("audit"), typed("dba")),
	"two approvals": (approval("audit"), approval("dba")),
	"a typed share and an approval": (typed("audit"), approval("dba")),
	"an approval and a typed share": (approval("audit"), typed("dba")),
	"a response": (response("audit", "dba"),),
}
KEYS = ("here", "touch", "ssh")
DOORS = ("ssh", "login", "own sshd", "own console")
KEY_DOORS = {"here": DOORS, "touch": DOORS, "ssh": ("ssh", "own sshd")}
SERVICE = {"ssh": "sshd", "login": "login", "own sshd": "breakglass-sshd",
	"own console": "breakglass-sshd"}


def protect(box, debs, **policy):
	"""Packages, a key that is a security key of ssh's, too, ceremony, install, the own doors."""
	box.install_packages(*debs)
	box.add_key("a")
	box.add_ssh_key("a")
	box.shares = box.init(policy=policy)
	box.key_is("here")
	box.install(more="--door sshd")


def opened(box, door, key="here"):
	"""Somebody at a door, the key being in the host or away."""
	box.key_is("here" if key == "here" else "away")
	if key == "ssh":
		return {"ssh": box.ssh_door, "own sshd": box.own_sshd_door}[door](security_key="a")
	return {"ssh": box.ssh_door, "login": box.console_door, "own sshd": box.own_sshd_door,
		"own console": box.own_console_door}[door]()


def prove(person, key, laptop):
	if key == "here":
		person.pin()
	elif key == "touch":
		person.relays(laptop)
	else:
		person.client_key()


def code(person, give, laptop):
	"""What is pasted: made elsewhere, from the challenge on the screen."""
	challenge, shares = person.challenge(), person.box.shares
	if give.how == "approval":
		return laptop.approve(challenge, shares[give.who[0]])
	return laptop.combine(challenge, [shares[name] for name in give.who])


def give_one(person, give, laptop):
	person.sees(r"Share \d+ of \d+ [^\n]*: $")
	if give.how == "typed":
		person.types(" ".join(word[:4] for word in person.box.shares[give.who[0]].split()))
	else:
		person.pastes(code(person, give, laptop))


def satisfy(person, key, gives, laptop):
	"""All that is asked for."""
	prove(person, key, laptop)
	person.reason(REASON)
	for give in gives:
		give_one(person, give, laptop)


def goes_in(person, key, gives, laptop):
	"""The same, and to the shell's prompt."""
	satisfy(person, key, gives, laptop)
	person.shell()


def proved(key, is_again=False):
	"""The events of a proved key, of one that takes its request up again."""
	how = {"here": "key proved{}", "ssh": "key proved{} by ssh",
		"touch": r"key proved{} elsewhere \(touch\)"}[key]
	again = how.format(" again") + ", request taken up"
	return TRIED + [("REQUEST_OPENED", f"^{again if is_again else how.format('')}$")]


def recorded(give):
	"""The event of a piece and the pattern of its result."""
	if give.how == "typed":
		return ("SHARE_ACCEPTED", f"^{give.who[0]} typed here$")
	if give.how == "approval":
		return ("APPROVAL_ACCEPTED", f"^{give.who[0]} approved elsewhere$")
	names = ", ".join(name for name in CUSTODIANS if name in give.who)
	return ("APPROVAL_ACCEPTED",
		f"^response of the quorum; the combining machine has seen {names}$")


def records_of(key, gives):
	return proved(key) + [recorded(give) for give in gives] + [granted(gives)] + OPEN[1:]


def exposed(gives, how):
	"""Whose shares a machine has seen: "typed", this host; "response", the one that combined."""
	return [name for name in CUSTODIANS
		if any(give.how == how and name in give.who for give in gives)]


def granted(gives):
	"""GRANTED, with the shares that this host, or a laptop, has seen."""
	here, there = ", ".join(exposed(gives, "typed")), ", ".join(exposed(gives, "response"))
	return ("GRANTED", "^key and quorum" + (f"; typed here: {here}" if here else "") +
		(f"; seen by the combining machine: {there}" if there else "") + "$")

# SPDX-License-Identifier: BSD-2-Clause
"""The demo beside the doors: who hears of it, what check says, a drill; the ends of sessions; the log,
the report, the review and the reseal."""
import contextlib
import re
import time

import alertlib
import doorlib
from boxlib import wait_until
from laptoplib import Laptop
from storylib import Stage
from wayslib import approval, satisfy

SECOND = "breakglass2"  # the account whose sessions are short
SECONDS = 62  # one minute is announced
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STUBBORN = "setsid -f sh -c \"trap '' HUP TERM; exec sleep {}\""


def short_id(digest):
	"""A request as screens, custodians and commands call it: its first 20 bits."""
	bits = int(digest[:5], 16)
	return "".join(CROCKFORD[bits >> shift & 31] for shift in (15, 10, 5, 0))


class Watch(Stage):
	def __init__(self, box, tee):
		super().__init__(box, tee)
		self.told = set()  # what check has said already
		self.guest = None  # who is in the short session
		self.opened_at = 0
		self.old = {}  # shares that a reseal retired

	# check

	def check(self, worst):
		"""What it says, but lines that all is well with, and those that it said before."""
		def shown(lines):
			bad = [line for line in lines[1:] if line.startswith(("WARNING", "CRITICAL"))]
			new = [line for line in bad if line not in self.told]
			self.told.update(bad)
			same = len(bad) - len(new)
			return lines[:1] + new + ([f"... and {same} of the lines before"] if same else [])
		return self.runs("bg-unlock check", {"OK": 0, "WARNING": 1, "CRITICAL": 2}[worst], shown)

	def before(self):
		with self.step("check before: nothing is critical; what could be better, and what to do"):
			self.check("WARNING")

	def meanwhile(self):
		with self.step("check during: it wants reviews, and a reseal: two shares are known to machines"):
			said = self.check("CRITICAL")
			self.expect("nothing else is critical", set(re.findall(r"(?m)^CRITICAL (\S+):", said))
				== {"breakglass/reviews"}, said)

	def after(self):
		with self.step("check after: all is reviewed, no share is known to a machine"):
			said = self.check("WARNING")
			self.expect("every use is reviewed", said.count("reviews: every use is reviewed") == 2, said)

	# Alerts

	def hears(self):
		with self.step("Who hears of it: a mail server and a webhook; a test to both"):
			alertlib.arrange(self.box, "mail", "webhook")
			wait_until("both of them", lambda: self.box.run(
				"ss -Hltn | grep -c -e ':8080 ' -e ':2525 '", check=False).out.strip() == "2")
			said = self.runs("bg-unlock check --alerts")
			self.expect("both took it", len(re.findall(r"(mail|webhook): taken", said)) == 2, said)

	def heard(self, since):
		"""Since the first way in: what its alerts said, and when."""
		with self.step("Mail and webhook have heard of way a, and of what looked healthy beside it"):
			opened = f"SESSION_OPENED host=db1 account={doorlib.ACCOUNT} "
			mail = wait_until("the mail", lambda: alertlib.mails(self.box, opened))[0]
			for line in (mail.envelope + "\n" + mail.headers).splitlines():
				if re.match("RCPT|From|To|Subject|X-Priority", line):
					self.say(line, more="   ")
			self.say(mail.body.splitlines()[0], more="   ")
			hook = wait_until("the post", lambda: alertlib.hooks(self.box, opened))[0]
			self.say(f"POST /hook: id {hook['alert']['id']}, {hook['text'][:140]} ...", more="   ")
			record = self.box.wait_event("SESSION_OPENED", since)
			self.expect("it holds the record of the log as it stands", hook["alert"]["record"] == record)
			self.expect("host, account, holder, reason and custodians in the first 140 characters", all(
				word in hook["text"][:140] for word in ("db1", doorlib.ACCOUNT, "oncall", "INC-1234",
				"dba, audit")), hook["text"])

			beside = wait_until("what it began beside", lambda: alertlib.mails(self.box,
				opened.replace("OPENED", "CONTEXT")), 30)[0]
			self.say("Mail: " + beside.subject, more="   ")
			self.expect("the normal ways looked healthy, so the alert is there to be asked about",
				"normal=healthy" in beside.body, beside.body)

	def latencies(self):
		"""Milliseconds from each event to the start of a handler."""
		told = (re.search(r"after (\d+) ms", e["result"]) for e in self.box.events()
			if e["event"] == "ALERT_DELIVERED")
		return sorted(int(match[1]) for match in told if match)

	def all_heard(self):
		"""For the end: nothing waits, nothing was refused."""
		wait_until("an empty spool", lambda: self.box.run("cd /var/lib/breakglass/spool; "
			"find new deferred told -type f | wc -l", check=False).out.strip() == "0", 30)
		times = self.latencies()
		self.expect("no alert waits, none failed", "ALERT_FAILED" not in self.box.event_names())
		self.proved.append(f"{len(times)} alerts taken by mail or webhook, begun after "
			f"{times[len(times) // 2]} ms (median), {times[-1]} ms at most")

	# A drill

	def drill(self):
		laptop = Laptop(self.box)
		with self.step("A drill, offline: the door's whole way with no network and no directory, timed; "
				"nothing is opened"):
			self.say("# bg-unlock drill --id spring --offline")
			with self.box.drill("--id", "spring", "--offline") as person:
				satisfy(person, "here", (approval("audit"), approval("dba")), laptop)
				person.sees(r"\nDRILL spring[^\n]*\n")
				table = person.sees(r"PASSED[^\n]*\n|FAILED[^\n]*\n")
			for line in table.strip("\n").splitlines():
				print("   " + line)
			self.expect("passed", "PASSED" in table)
			self.proved.append("an offline drill, in" + re.search(r"in all +(\d+ s of \d+)", table)[1]
				.join((" ", "")))
			mail = wait_until("the drill's mail", lambda: alertlib.mails(self.box, "DRILL_STARTED"))[0]
			self.say("Mail: " + mail.subject, more="   ")
			self.expect("its alert says that it is a drill", '"drill":true' in mail.body)
			code = re.search(r"confirm=(\w+)", mail.subject)[1]
			self.runs(f"bg-unlock drill --confirm {code}")

	# Ends

	def short_session(self):
		with self.step(f"A second account, whose sessions end after {SECONDS} seconds; a job that ignores "
				"hangup and TERM is left in one"):
			box = self.box
			box.key_is("here")
			shares, kept = box.init("second", account=SECOND, zone="second", policy={
				"session-seconds": SECONDS}), box.shares
			box.install("/root/second.seal")
			box.shares = shares
			laptop = Laptop(box)
			self.guest = box.ssh_door(account=SECOND)
			satisfy(self.guest, "here", (approval("ops"), approval("audit")), laptop)
			self.opened_at = time.monotonic()
			box.shares = kept
			self.say(self.guest.shell().strip())
			self.guest.runs(STUBBORN.format("4001"))
			self.say(f"{SECOND}@db1:/$ {STUBBORN.format('4001')}")
			told = self.guest.sees(r"ends in 1 minute[^.]*outlive it\.").split(f"{SECOND}: ")[-1]
			self.say("on its terminal: " + re.sub(r"\s+", " ", told), more="   ")
			self.expect("the job runs", box.run("pgrep -f 'sleep 4001'", check=False).rc == 0)
			self.say("It runs on meanwhile; what became of it is told at the end.")

	def limit(self):
		with self.step("The minute is over: shell and stubborn job end, nobody had to do anything"):
			left = SECONDS - int(time.monotonic() - self.opened_at)
			if left > 1:
				self.say(f"(it has {left} seconds left)")
			self.guest.sees("Connection to [^\n]* closed", SECONDS + 20)
			self.say("on its terminal: " + self.guest.screen.splitlines()[-1])
			took = time.monotonic() - self.opened_at
			self.gone("sleep 4001")
			uid = self.box.run(f"id -u {SECOND}").out.strip()
			self.expect("no process of the account is left",
				self.box.run(["pgrep", "-u", uid], check=False).rc == 1)
			record = self.box.wait_event("SESSION_EXPIRED")
			self.expect(f"recorded: SESSION_EXPIRED, {record['result']}", record["account"] == SECOND)
			self.proved.append(f"a session ended by its limit of {SECONDS} s after {took:.0f} s, with a "
				"job that ignores signals")

	@contextlib.contextmanager
	def ended(self, number, by):
		"""A session with a stubborn job is opened, and then ended by whatever the caller does."""
		since = self.box.mark()
		self.box.key_is("here")
		with self.box.ssh_door() as person:
			satisfy(person, "here", (approval("ops"), approval("dba")), Laptop(self.box))
			self.say(person.shell().strip())
			person.runs(STUBBORN.format(number))
			self.say(f"breakglass@db1:/$ {STUBBORN.format(number)}")
			self.expect("the job runs", self.box.run(f"pgrep -f 'sleep {number}'", check=False).rc
				== 0)
			yield person, short_id(self.box.wait_event("GRANTED", since)["request"])
			start = time.monotonic()
			person.sees("closed")
			self.gone(f"sleep {number}")
			took = time.monotonic() - start
		self.expect("session and job are gone", took < 10, f"after {took:.1f} s")
		result = self.box.wait_event("REVOKED", since)["result"]
		self.expect(f"recorded: REVOKED, {result}", by in result)
		self.proved.append(f"a session ended at once, {result}")

	def revocation(self):
		with self.step("Revoked: root ends a session now, with what it left behind"):
			with self.ended("4002", "by root") as (_, request):
				self.runs(f"bg-unlock revoke {request}")

	def refusal(self):
		with self.step("Refused afterwards: a custodian who was not asked says no, and the session ends"):
			with self.ended("4003", "audit") as (person, _):
				code = self.laptop.refuse(person.challenge(), self.box.shares["audit"])
				self.runs("bg-unlock revoke --code --stdin", answer=code + "\n")

	def lock(self):
		since = self.box.mark()
		with self.step("Locked: nothing that began before goes on; a new request with a quorum of the "
				"new set opens, and lifts it"):
			self.runs("bg-unlock revoke --lock breakglass")
			with self.ssh() as person:
				satisfy(person, "here", (approval("ops"), approval("audit")), self.laptop)
				person.shell()
				person.leaves_shell()
			self.expect("it said so before it asked for the shares", "Locked" in person.screen)
			self.has_event(since, "LOCKED")
			self.has_event(since, "UNLOCKED")
			wait_until("the lock's file to go", lambda: self.box.run(
				"test -e /etc/breakglass/accounts/breakglass/locked", check=False).rc == 1)

	# Afterwards

	def uses(self, account=None):
		"""The short ids of the requests that were opened, in order, but a drill's."""
		return list(dict.fromkeys(short_id(e["request"]) for e in self.box.events()
			if e["event"] == "GRANTED" and not e["result"].startswith("drill")
			and account in (None, e["account"])))

	def story(self):
		with self.step("The story of way d, as bg-unlock log show tells it"):
			said = self.runs(f"bg-unlock log show {self.uses(doorlib.ACCOUNT)[3]}", is_page=True)
			self.expect("told: the line dropped, the request was taken up",
				re.search(r"request\s+taken up", said) and "became root" in said)

	def report(self):
		with self.step("All of it in one file for the auditor, with hashes"):
			request = self.uses(doorlib.ACCOUNT)[3]
			self.runs(f"bg-unlock log report {request} -o /root/report.tar")
			parts = self.box.run("cd /root && tar xf report.tar && cd breakglass-report-* && "
				"sha256sum -c SHA256SUMS").out.splitlines()
			self.say(", ".join(part.split(":")[0] for part in parts))
			self.expect(f"its {len(parts)} parts have the hashes that it says", len(parts) > 8 and all(
				part.endswith(": OK") for part in parts))

	def review(self):
		first, *others = self.uses()
		with self.step("Each use owes a review, by somebody else than the holder"):
			review = "bg-unlock review {} --class emergency --by {} --cause 'directory down' --finding '{}'"
			self.runs(review.format(first, "oncall", "nothing"), status=1)
			self.runs(review.format(first, "security", "as told"))
			for request in others:
				self.box.run(review.format(request, "security", "as told"))
			self.expect(f"{1 + len(others)} uses are reviewed", self.box.event_names().count("REVIEWED")
				== 1 + len(others))

	def reseal(self):
		with self.step("Reseal: this host and a laptop have seen shares, so a new set is dealt; "
				"the old one retires"):
			self.old = dict(self.box.shares)
			self.box.shares = self.box.reseal()
			self.runs("bg-unlock install /root/breakglass.seal.2",
				shown=lambda lines: [li for li in lines if not li.startswith("did: ")])
			self.expect("epoch 2 is in force",
				"epoch = 2" in self.box.read("/etc/breakglass/accounts/breakglass/host"))

	def everywhere(self):
		box = self.box
		with self.step("The log is whole, and in the journal and in syslog each record once"):
			self.all_heard()
			self.runs("bg-unlock log verify")
			records = box.chain()
			box.everywhere_once(*records)
			granted = next(e for e in records if e["event"] == "GRANTED" and e["service"] == "login")
			for line in box.wait_syslog(f"chain={granted['seq']}:")[:1]:
				self.say(line, more="   ")
			self.expect(f"{len(records)} records, each once in chain, journal and syslog", True)
			self.proved.append(f"{len(records)} records, each once in chain, journal and syslog; the "
				"chain is whole")

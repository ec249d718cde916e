# SPDX-License-Identifier: BSD-2-Clause
"""Somebody who hears of it: a mail server and an HTTP server in the box (receivers.py), and the
settings with which the shipped handlers reach them.

	alertlib.arrange(box, "mail", "webhook")
	mail = wait_until("a mail", lambda: alertlib.mails(box, "SESSION_OPENED"))[0]
"""
import base64
import json
import re
from collections import namedtuple
from pathlib import Path

HANDLERS = "/etc/breakglass/alert.d"
SHIPPED = "/usr/share/breakglass/alert"
CONF = """
mail_to = security@example.org oncall@example.org
mail_from = breakglass@db1.example.org
webhook_url = http://127.0.0.1:8080/hook
webhook_header = Authorization: Bearer s3cret
webhook_body = {"text": "%MESSAGE%", "alert": %ALERT%}
sms_url = http://127.0.0.1:8080/sms
sms_to = +15550100 +15550101
sms_body = {"to": "%TO%", "body": "%MESSAGE%"}
"""

Mail = namedtuple("Mail", "envelope headers subject body")


def arrange(box, *handlers):
	"""Starts the receivers, at each boot; puts these shipped handlers into force."""
	box.push(Path(__file__).parent / "receivers.py", "/usr/local/bin/receivers")
	box.write("/etc/systemd/system/receivers.service",
		"[Service]\nExecStart=/usr/bin/python3 /usr/local/bin/receivers\n"
		"[Install]\nWantedBy=multi-user.target\n")
	box.write("/etc/msmtprc", "account default\nhost 127.0.0.1\nport 2525\n"
		"from breakglass@db1.example.org\n")
	box.write("/etc/breakglass/alert.conf", CONF, 0o600)
	box.run("systemctl daemon-reload; systemctl enable -q --now receivers; "
		+ " ".join(f"cp {SHIPPED}/{name} {HANDLERS}/;" for name in handlers))


def received(box, kind):
	"""What came by "http" (head, empty line, body) or "mail", in order of arrival."""
	out = box.run(f"cd /run/received/{kind}; for f in $(ls); do echo @@@@; cat $f; echo; done",
		check=False).out
	return [part for part in out.split("@@@@\n") if part]


def mails(box, text):
	"""The mails with `text` in subject or body, taken apart."""
	found = []
	for mail in received(box, "mail"):
		envelope, headers, body = mail.split("\n\n", 2)
		body = base64.b64decode(body).decode()
		subject = re.search(r"(?ms)^Subject: (.*?)\n(?! )", headers + "\n")[1]
		if text in subject + body:
			found.append(Mail(envelope, headers, subject, body))
	return found


def hooks(box, text):
	"""The bodies that were posted to the webhook and have `text`, read as JSON."""
	return [json.loads(post.split("\n\n", 1)[1]) for post in received(box, "http")
		if post.startswith("POST /hook") and text in post]

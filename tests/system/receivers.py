#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inside the box: an HTTP server on 127.0.0.1:8080 and a mail server on 127.0.0.1:2525 that keep what
they get in /run/received/{http,mail}, a file each, numbered in order of arrival. While
/run/received/refuse is there they answer 503 and 451. (python3-minimal has no http.server.)"""
import os
import socket
import sys
import threading

FOLDER = "/run/received"
LOCK = threading.Lock()


def refusing():
	return os.path.exists(f"{FOLDER}/refuse")


def keep(kind, text):
	with LOCK:
		count = len(os.listdir(f"{FOLDER}/{kind}"))
		part = f"{FOLDER}/{kind}.part"
		with open(part, "w", encoding="utf-8") as file:
			file.write(text)
		os.rename(part, f"{FOLDER}/{kind}/{count + 1:04}")


def http(conn):
	with conn, conn.makefile("rwb") as file:
		head = []
		while line := file.readline().decode().strip():
			head.append(line)
		lengths = [int(li.split(":")[1]) for li in head if li.lower().startswith("content-length:")]
		body = file.read(lengths[0] if lengths else 0).decode()
		if refusing():
			file.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
			return
		keep("http", "\n".join(head) + "\n\n" + body)
		file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def mail(conn):
	with conn, conn.makefile("rwb") as file:
		def say(text):
			file.write(text.encode() + b"\r\n")
			file.flush()
		say("220 test")
		envelope = []
		while line := file.readline().decode().strip():
			verb = line.split()[0].upper()
			if verb in ("MAIL", "RCPT"):
				envelope.append(line)
				say("451 later" if refusing() else "250 ok")
			elif verb == "DATA":
				say("354 go on")
				lines = []
				while (text := file.readline().decode().rstrip("\r\n")) != ".":
					lines.append(text)
				keep("mail", "\n".join(envelope + [""] + lines))
				say("250 kept")
			elif verb == "QUIT":
				say("221 bye")
				return
			else:
				say("250 test")


def serve(port, handler):
	server = socket.socket()
	server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	server.bind(("127.0.0.1", port))
	server.listen(64)
	while True:
		conn, _ = server.accept()
		threading.Thread(target=handler, args=(conn,), daemon=True).start()


for name in ("http", "mail"):
	os.makedirs(f"{FOLDER}/{name}", exist_ok=True)
threading.Thread(target=serve, args=(2525, mail), daemon=True).start()
print("ready", flush=True)
sys.exit(serve(8080, http))

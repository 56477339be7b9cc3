"""Receivers of alerts on loopback ports: an SMTP server (RFC 5321, with STARTTLS and AUTH PLAIN) and an HTTP sink. Both can be down."""

import base64
import email
import json
import socketserver
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server; `tls` is what it encrypts with: from the beginning where `implicit`, else when asked to."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []
        self.refusal = ""  #: what it says to a message, such as `452 full`; "": it takes it
        self.parting = "221 bye"  #: what it says to QUIT
        self.tls, self.implicit = tls, implicit
        super().__init__(("127.0.0.1", port), _Conversation)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        if self.server.implicit:
            self._encrypt()
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if verb == "QUIT":
                return self._say(self.server.parting)
            getattr(self, f"on_{verb.lower()}", self.on_other)(rest)
        return None

    def on_ehlo(self, _: str) -> None:
        can_encrypt = self.server.tls and not isinstance(self.connection, ssl.SSLSocket)
        self._say("250-here\r\n" + ("250-STARTTLS\r\n" if can_encrypt else "") + "250 AUTH PLAIN")

    def on_starttls(self, _: str) -> None:
        self._say("220 go ahead")
        self._encrypt()

    def on_auth(self, said: str) -> None:
        _, user, password = base64.b64decode(said.split()[1]).decode().split("\0")
        self.server.logins.append((user, password))
        self._say("235 welcome" if password == "right" else "535 no")

    def on_data(self, _: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if not self.server.refusal:
            self.server.mails.append(email.message_from_bytes(b"".join(lines), policy=policy.default))
        self._say(self.server.refusal or "250 kept")

    def on_other(self, _: str) -> None:
        self._say("250 well")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def _encrypt(self) -> None:
        assert self.server.tls
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)


class Sink(ThreadingHTTPServer):
    """Keeps what is sent to it by POST, and answers with `status`."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status = 204
        super().__init__(("127.0.0.1", port), _Post)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Post(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.status < 300:
            self.server.bodies.append(body)
            self.server.keys.append(self.headers["idempotency-key"])
        self.send_response(self.server.status)
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on stderr."""


Server = TypeVar("Server", Mailbox, Sink)


@contextmanager
def up(server: Server) -> Iterator[Server]:
    """A receiver that answers until the end of the block; its port is free afterwards."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sendmail(folder: Path, code: int = 0) -> dict[str, str]:
    """An environment whose sendmail appends arguments and mail to folder/sent, and ends with this status."""
    command = folder / "bin" / "sendmail"
    command.parent.mkdir(exist_ok=True)
    command.write_text(
        f'#!/bin/sh\n[ {code} = 0 ] || {{ echo "queue is full" >&2; exit {code}; }}\n(echo "$@"; cat) >> {folder}/sent\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{command.parent}:/usr/bin:/bin"}

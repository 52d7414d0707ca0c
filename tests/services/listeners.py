"""Servers that a notice really arrives at: a mail server that speaks SMTP, a web server that keeps what was posted."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class MailBox:
    """A running mail server. `refuse` is the reply to the next messages instead of taking them."""

    port: int
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: str = ""


@dataclass
class Hook:
    """A running web server. `status` is what it answers, `location` where it redirects to; `drip` how many header lines
    it sends, one every 50 ms.
    """

    url: str
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    location: str = ""
    drip: int = 0


@contextmanager
def mail_box() -> Iterator[MailBox]:
    """The few words of SMTP (RFC 5321) that a client needs to hand in a mail."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            while line := self.rfile.readline().strip():
                word = line[:4].upper()
                if word == b"RCPT":
                    box.recipients.append(line.decode())
                if word == b"QUIT":
                    return self._say("221 bye")
                if word == b"DATA":
                    self._take()
                else:
                    self._say("250 ok")
            return None

        def _take(self) -> None:
            self._say("354 go on")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            if box.refuse:
                return self._say(box.refuse)
            box.mails.append(message_from_bytes(b"".join(lines), policy=default))
            return self._say("250 taken")

        def _say(self, reply: str) -> None:
            self.wfile.write(f"{reply}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    server.daemon_threads = True
    box = MailBox(server.server_address[1])
    with _serving(server):
        yield box


@contextmanager
def hook() -> Iterator[Hook]:
    """Keeps headers and bodies of what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((dict(self.headers), body))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            with suppress(OSError):  # the client need not wait for all of them
                for number in range(found.drip):
                    self.send_header(f"Drip-{number}", "x")
                    self.flush_headers()
                    gone.wait(0.05)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Tests read `posts`."""

    gone = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Hook(f"http://127.0.0.1:{server.server_address[1]}/hook")
    with _serving(server):
        try:
            yield found
        finally:
            gone.set()


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

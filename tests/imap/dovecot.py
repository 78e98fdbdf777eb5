"""A private Dovecot on loopback, and a proxy in front of it that cuts connections."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imapclient import IMAPClient

PASSWORD = "contraseña:@/secreta"
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_failure_delay = 0
mail_fsync = never
mail_location = maildir:{base}/mail/%u
ssl = {ssl}
{tls}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
{extra}
"""


class Dovecot:
    """A server with one mail folder for each user name; every user has PASSWORD."""

    def __init__(self, base: Path, port: int, tls_port: int, certificate: Path | None) -> None:
        self.base, self.port, self.tls_port, self.certificate = base, port, tls_port, certificate

    def url(self, user: str, folder: str = "INBOX", port: int | None = None) -> str:
        """The address of a folder, without the password."""
        return f"imap://{user}@127.0.0.1:{port or self.port}/{folder}"

    def client(self, user: str, folder: str = "INBOX") -> IMAPClient:
        """Log in, as another mail program does, and open a folder for writing."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        client.plain_login(user, PASSWORD)
        client.select_folder(folder)
        return client

    def deliver(self, user: str, *messages: bytes, seen: bool = False) -> None:
        """Put messages into a user's INBOX, in this order of their UIDs."""
        client = self.client(user)
        for message in messages:
            client.append("INBOX", message, [b"\\Seen"] if seen else [])
        client.logout()

    def fill(self, user: str, messages: list[bytes]) -> None:
        """Put many messages into the INBOX of a user who has not logged in yet: files in a Maildir, which are quicker."""
        for folder in ("cur", "new", "tmp"):
            (self.base / "mail" / user / folder).mkdir(parents=True)
        for number, message in enumerate(messages):
            (self.base / "mail" / user / "new" / f"{1_700_000_000 + number}.M{number}P1.host").write_bytes(message)
        owner = (self.base / "mail").stat()
        for path in (self.base / "mail" / user, *(self.base / "mail" / user).rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)

    def flags(self, user: str) -> dict[int, set[str]]:
        """The flags of every message, without \\Recent."""
        client = self.client(user)
        found = client.get_flags(client.search("ALL"))
        client.logout()
        return {uid: {flag.decode() for flag in flags} - {"\\Recent"} for uid, flags in sorted(found.items())}


@contextmanager
def serve(extra: str = "", *, certificate: Path | None = None) -> Iterator[Dovecot]:
    """Run a Dovecot until the block ends. Its folder has a short path: those of sockets are bounded."""
    base = Path(tempfile.mkdtemp(prefix="rc"))
    base.chmod(0o755)
    port, tls_port = free_port(), free_port()
    about = pwd.getpwuid(os.getuid())
    is_root = about.pw_uid == 0  # then Dovecot insists on its own users for its parts, and on one that is not root for mail
    owner = pwd.getpwnam("nobody") if is_root else about
    for folder in ("mail", "home"):
        (base / folder).mkdir()
        os.chown(base / folder, owner.pw_uid, owner.pw_gid)
    tls = f"ssl_cert = <{certificate}\nssl_key = <{certificate.with_suffix('.key')}" if certificate else ""
    (base / "dovecot.conf").write_text(
        CONFIG.format(
            base=base, user="dovecot" if is_root else about.pw_name, login_user="dovenull" if is_root else about.pw_name,
            group="dovecot" if is_root else grp.getgrgid(about.pw_gid).gr_name, uid=owner.pw_uid, gid=owner.pw_gid, port=port,
            ssl="yes" if certificate else "no", tls=tls, tls_port=tls_port if certificate else 0, password=PASSWORD, extra=extra,
        ),
        encoding="utf-8",
    )  # fmt: skip
    process = subprocess.Popen(["dovecot", "-F", "-c", str(base / "dovecot.conf")], stderr=subprocess.PIPE, start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None or is_open(port))
        if process.poll() is not None:
            raise RuntimeError(f"dovecot did not start: {((process.stderr and process.stderr.read()) or b'').decode()}{log_of(base)}")
        yield Dovecot(base, port, tls_port, certificate)
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()
        shutil.rmtree(base, ignore_errors=True)


def log_of(base: Path) -> str:
    """What the server logged."""
    return (base / "log").read_text() if (base / "log").exists() else ""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether somebody listens on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)


class CuttingProxy:
    """Pass bytes on to a server, and cut the connection each time that a number of bytes came back from it.

    Attributes:
        cuts: bytes counted over all connections, in order; at each the connection is cut.
        connections: how many were made.
    """

    def __init__(self, target: int, cuts: list[int]) -> None:
        self.target, self.cuts, self.passed, self.connections = target, list(cuts), 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.sockets: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
        for thread in self.threads:
            thread.join(5)

    def leave(self) -> None:
        """Cut every connection and take no more."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread that waits
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection now."""
        for end in self.sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.sockets = []

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self.connections += 1
            self.sockets += [near, far]
            for source, sink, counted in ((near, far, False), (far, near, True)):
                self.threads.append(threading.Thread(target=self._pass, args=(source, sink, counted), daemon=True))
                self.threads[-1].start()

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if counted:
                    self.passed += len(data)
                    if self.cuts and self.passed >= self.cuts[0]:
                        self.cuts.pop(0)
                        sink.sendall(data[: len(data) // 2])  # in the middle of an answer
                        self.cut()
                        return
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

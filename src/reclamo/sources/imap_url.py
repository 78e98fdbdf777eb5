"""The address of an IMAP folder, with the password kept out of whatever is shown."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from reclamo.errors import UsageError

PASSWORD_VARIABLE: Final = "RECLAMO_IMAP_PASSWORD"
PORTS: Final = {"imaps": 993, "imap": 143}
FORM: Final = "imaps://USER@HOST[:PORT]/FOLDER"
_FOLDER_SAFE: Final = "/!$'()*+,&=:@~"  # what RFC 5092 leaves as it is in the name of a mailbox


@dataclass(frozen=True, kw_only=True)
class ImapUrl:
    """Where a folder is. `str()` gives the address without the password (RFC 5092).

    Attributes:
        encrypted: TLS from the first byte (`imaps`); else STARTTLS, or none.
        folder: decoded; `INBOX` where the address names none.
    """

    host: str
    port: int
    encrypted: bool
    user: str
    folder: str = "INBOX"
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        scheme = "imaps" if self.encrypted else "imap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{quote(self.user, safe='@')}@{host}:{self.port}/{self.quoted_folder}"

    @property
    def quoted_folder(self) -> str:
        """The folder as a URL has it. Example: Devoluciones 2026 -> Devoluciones%202026."""
        return quote(self.folder, safe=_FOLDER_SAFE)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def is_imap(source: str) -> bool:
    """Say whether a source is an IMAP address."""
    return source.partition("://")[0].lower() in PORTS and "://" in source


def parse_imap_url(source: str) -> ImapUrl:
    """Read an IMAP address; the password is that of the address, else of the environment (RECLAMO_IMAP_PASSWORD).

    Raises:
        UsageError: it is no such address, or there is no password. No message holds the password.
    """
    try:
        parts = urlsplit(source)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"the IMAP address has a wrong host or port; expected {FORM}") from None
    if parts.scheme not in PORTS or not host:
        raise UsageError(f"the IMAP address names no host; expected {FORM}")
    if parts.query or parts.fragment:
        raise UsageError(f"the IMAP address has a '?' or '#'; write them as %3F and %23, filters as options: {FORM}")
    user, folder = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    url = ImapUrl(host=host, port=port or PORTS[parts.scheme], encrypted=parts.scheme == "imaps", user=user, folder=folder or "INBOX")
    if not user:
        raise UsageError(f"{parts.scheme}://{host} names no user; expected {FORM}")
    password = unquote(parts.password or "") or os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        raise UsageError(f"{url}: there is no password; set the environment variable {PASSWORD_VARIABLE}")
    if any(ord(character) < 32 or ord(character) == 127 for character in user + password + url.folder):
        raise UsageError(f"{parts.scheme}://{host}: user, password or folder holds a control character; write the address anew")
    return replace(url, password=password)

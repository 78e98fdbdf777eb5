"""Mail: bytes in, what the writer wrote out."""

from reclamo.mail.automatic import Automatic
from reclamo.mail.clean import Cleaned, Removed, clean_body
from reclamo.mail.limits import Limits
from reclamo.mail.lines import Kind
from reclamo.mail.parse import ParsedMail, parse_mail, read_mail, read_oversized

__all__ = ["Automatic", "Cleaned", "Kind", "Limits", "ParsedMail", "Removed", "clean_body", "parse_mail", "read_mail", "read_oversized"]

"""The agent's own log: one JSON object a line on standard error, without secrets and without whole tax ids."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

from agents.plain_text import masked, plain

_FIELDS = "fields"


class JsonLines(logging.Formatter):
    """Renders a record as ``{"at", "level", "event", …fields, "error"}``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; foreign text in it is cleaned and masked."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": moment.replace("+00:00", "Z"), "level": record.levelname.lower()}
        line["event"] = masked(plain(record.getMessage()))
        for name, value in getattr(record, _FIELDS, {}).items():
            line[name] = masked(plain(value)) if isinstance(value, str) else value
        if record.exc_info:
            line["error"] = masked(plain(self.formatException(record.exc_info).replace("\n", " | "), 2000))
        return msgspec.json.encode(line).decode()


def start(level: int = logging.INFO) -> None:
    """Send the log of this process to standard error; a log that cannot be written never stops the work."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger("agents")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(level)
    logging.raiseExceptions = False


def fields(**values: object) -> dict[str, dict[str, object]]:
    """``extra`` for a logging call: named values beside the event's words."""
    return {_FIELDS: values}

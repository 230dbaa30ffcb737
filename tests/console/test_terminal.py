"""The console on a real pseudo-terminal: what reaches it is Textual's vocabulary and nothing from data."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.console.fleet import standard
from tests.console.hostile import poisoned
from tests.console.plane import TOKEN, Plane

MARKER = "c2VjcmV0"
PAYLOADS = (
    f"\x1b]52;c;{MARKER}\x07",
    f"\x1b]0;{MARKER}\x07",
    "\x1b[777;777H\x1b[38;5;199mX",
    "\x1b[?1049l\x1b[?25h\x1bc\x1b[5m",
    f"\x1bP+q{MARKER}\x1b\\",
    f"\x1b]8;;http://{MARKER}\x1b\\l\x1b]8;;\x1b\\",
    "\x9b777;777H\x9d52;c;eA==\x9c",
    "\u202eabc\u2066\u200b\u2028",
    "[@click=app.quit]c[/][/]",
    "\x07\x08\x0e\x05\x7f\ttab",
    "Z" + "\u0301" * 300,
    "\ud800\udfff",
)
ENTER, BACK = "\r", "\x1b"
LISTS = [key for noun in ("fp", "rz", "ag", "wl") for key in (f":{noun}\r", ENTER, BACK, BACK)]
KEYS = ["j", ENTER, BACK, "u", BACK, "a", BACK, *LISTS, "/x", BACK, "?", BACK, "\x0c"]

SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[ -/]*[0-~])", re.S)
PLACE = re.compile(rb"\x1b\[(\d+);(\d+)H\Z")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m\Z")


class Terminal:
    """A console on a pseudo-terminal of 120 x 36."""

    def __init__(self, plane: Plane, folder: Path) -> None:
        token = folder / "token"
        token.write_text(TOKEN)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.master = master
        self.output = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", "--url", plane.url, "--token-file", str(token)],
            stdin=slave, stdout=slave, stderr=slave, close_fds=True, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
        )  # fmt: skip
        os.close(slave)

    def read(self, quiet: float, longest: float = 5.0) -> None:
        """Take what comes until nothing came for a while."""
        until = time.monotonic() + longest
        while time.monotonic() < until and select.select([self.master], [], [], quiet)[0]:
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                return

    def wait_for(self, words: str) -> None:
        """Take what comes until these words came."""
        until = time.monotonic() + 20
        while words.encode() not in self.output:
            assert time.monotonic() < until, self.output[-2000:]
            self.read(0.05, 0.2)

    def press(self, keys: str) -> None:
        """Send keys and take the answer."""
        os.write(self.master, keys.encode())
        self.read(0.12, 1.0)

    def close(self) -> int:
        """Leave by ``q``; the exit code."""
        for _ in range(5):
            self.press("\x1b")
        self.press("q")
        until = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < until:
            self.read(0.05, 0.2)
        self.process.kill()
        os.close(self.master)
        return self.process.wait()


def session(plane: Plane, folder: Path) -> bytes:
    """All that one session writes to its terminal."""
    plane.start()
    terminal = Terminal(plane, folder)
    terminal.wait_for("实时")
    terminal.read(0.3)
    for keys in KEYS:
        terminal.press(keys)
    code = terminal.close()
    plane.stop()
    assert code == 0, terminal.output[-3000:]
    return terminal.output


def vocabulary(output: bytes) -> set[bytes]:
    """Every control sequence that is neither a colour nor a place on the screen, and every bare control."""
    rest = SEQUENCE.sub(lambda found: b"", output)
    found = {sequence for sequence in SEQUENCE.findall(output) if not (PLACE.match(sequence) or COLOUR.match(sequence))}
    return found | {bytes([byte]) for byte in rest if byte < 0x20 or byte == 0x7F}


@pytest.fixture(scope="module")
def own_words(tmp_path_factory: pytest.TempPathFactory) -> set[bytes]:
    """The vocabulary of a session over harmless data."""
    return vocabulary(session(standard(), tmp_path_factory.mktemp("own")))


def test_no_control_sequence_from_data_reaches_the_terminal(own_words: set[bytes], tmp_path: Path) -> None:
    plane = standard()
    plane.me = {"name": PAYLOADS[0], "role": PAYLOADS[1]}
    for noun, records in plane.records.items():
        template = next(iter(records.values()))
        more = [poisoned({**template, "id": f"{noun}-{place}"}, words) for place, words in enumerate(PAYLOADS)]
        for place, record in enumerate(more):
            record["tax_server_id"] = f"tax-servers-{place % 3}"
            record["health"] = {"verdict": "stopped", "cause": PAYLOADS[place], "text": PAYLOADS[place],
                                "remedy": PAYLOADS[place], "runbook": PAYLOADS[place]}  # fmt: skip
        plane.fill(noun, more)
    output = session(plane, tmp_path)
    text = output.decode("utf-8")
    assert MARKER in text, "the payloads were on the screen"
    assert vocabulary(output) <= own_words
    assert all(int(row) <= 36 and int(column) <= 121 for row, column in re.findall(rb"\x1b\[(\d+);(\d+)H", output))
    assert b"\x1b[38;5;199m" not in output and b"\x1b[5m" not in output
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ud800-\udfff]", text)
    assert not re.search("\u0301{6}", text)

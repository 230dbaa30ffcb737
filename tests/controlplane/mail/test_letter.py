"""Letters: nothing in their data makes a header, an address or a line of its own."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from controlplane.mail.letter import Letter, LetterInvalid, compose

BREAKS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0")


def sent(letter: Letter) -> tuple[bytes, dict[str, str], str]:
    """The letter as it goes over the line, and as a reader takes it apart: headers and text."""
    raw = compose(letter, "taxplane@example.com", "id-1").as_bytes(policy=policy.SMTP)
    read = message_from_bytes(raw, policy=policy.default)
    return raw, {name: str(value) for name, value in read.items()}, read.get_content()


@pytest.mark.parametrize("line_break", BREAKS, ids=repr)
def test_a_subject_stays_one_header(line_break: str) -> None:
    subject = f"局端{line_break}Bcc: all@example.com{line_break}{line_break}<b>"
    _, headers, _ = sent(Letter("a@example.com", subject, "text"))
    assert set(headers) == {
        "Subject", "From", "To", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert "Bcc: all@example.com" in headers["Subject"] and headers["To"] == "a@example.com"


@pytest.mark.parametrize("line_break", BREAKS, ids=repr)
def test_a_line_of_text_stays_text(line_break: str) -> None:
    raw, headers, text = sent(Letter("a@example.com", "s", f"局端{line_break}.{line_break}QUIT{line_break}Bcc: x"))
    assert "Bcc" not in headers and text.startswith("局端")
    assert b"\r\n.\r\n" not in raw


def test_chinese_goes_through_whole() -> None:
    subject, text = (
        "[taxplane] 局端网络: 3 条异常, 1 条恢复",
        "北京 upload_gm: 异常 (环节 tls)\n上海 🧾: 恢复正常\n" * 40,
    )
    raw, headers, read = sent(Letter("运维 <ops@example.com>".partition("<")[2][:-1], subject, text))
    assert (headers["Subject"], read.replace("\r\n", "\n")) == (subject, text)
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998


def test_the_same_letter_carries_the_same_id() -> None:
    first, again = (compose(Letter("a@example.com", "s", "t"), "b@example.com", "id-1")["Message-ID"] for _ in range(2))
    other = compose(Letter("a@example.com", "s", "t"), "b@example.com", "id-2")["Message-ID"]
    assert first == again != other


@pytest.mark.parametrize(
    "recipient",
    ["", "x", "a@", "@b", "a b@x", "<a@b>", "a@b, c@d", "a@b\r\nBcc: c@d", "a@b\nx", "张三@example.com", "a@b\x00",
     "a@b@c"],
)  # fmt: skip
def test_what_is_no_address_is_told(recipient: str) -> None:
    with pytest.raises(LetterInvalid):
        compose(Letter(recipient, "s", "t"), "b@example.com", "id-1")

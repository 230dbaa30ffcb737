"""What a console session is started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["zh", "en"]

DEFAULT_URL: Final = "http://127.0.0.1:8620"
THEMES: Final = ("night", "day", "mono")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the control plane is, who is asking, and how the console should look."""

    url: str = DEFAULT_URL
    token: str = ""
    language: Language = "zh"
    theme: str = "night"
    read_only: bool = False

"""Colours: one table per theme, calm, safe for colour-blind eyes; every verdict also has a sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rich.style import Style
from textual.theme import Theme

Tone = Literal["plain", "dim", "strong", "accent", "ok", "warn", "stopped", "unknown", "head", "alarm"]

Verdict = Literal["ok", "warn", "stopped", "unknown"]

SIGNS: Final[dict[Verdict, str]] = {"ok": "●", "warn": "▲", "stopped": "■", "unknown": "?"}
"""A verdict is told by shape first and by colour second."""

SEVERITY: Final[dict[Verdict, int]] = {"stopped": 0, "unknown": 1, "warn": 2, "ok": 3}
"""Sort key of verdicts, worst first."""


@dataclass(frozen=True, slots=True)
class Palette:
    """What each tone looks like, and the grounds of bars and of the row under the cursor."""

    tones: dict[Tone, Style]
    ground: Style
    bar: Style
    cursor: Style


_NIGHT: Final[dict[str, str]] = {
    "ground": "#14171c",
    "bar": "#1d222a",
    "cursor": "#2c3a4d",
    "plain": "#c3cad3",
    "dim": "#7f8894",
    "strong": "#f0f3f6",
    "accent": "#6cb2eb",
    "ok": "#6fae9b",
    "warn": "#e6b450",
    "stopped": "#ff8362",
    "unknown": "#c5a3e0",
    "alarm": "#8f2f1c",
}
_DAY: Final[dict[str, str]] = {
    "ground": "#fbfaf7",
    "bar": "#ecebe6",
    "cursor": "#d3e3f3",
    "plain": "#2b3038",
    "dim": "#6d747d",
    "strong": "#000000",
    "accent": "#0b5c9e",
    "ok": "#1f6f5c",
    "warn": "#8a5a00",
    "stopped": "#b0330e",
    "unknown": "#6b3fa0",
    "alarm": "#b0330e",
}
_COLOURS: Final = {"night": _NIGHT, "day": _DAY}


def _coloured(colours: dict[str, str]) -> Palette:
    def tone(name: str, bold: bool = False) -> Style:
        return Style(color=colours[name], bold=bold)

    return Palette(
        {
            "plain": tone("plain"),
            "dim": tone("dim"),
            "strong": tone("strong", True),
            "accent": tone("accent"),
            "ok": tone("ok"),
            "warn": tone("warn"),
            "stopped": tone("stopped", True),
            "unknown": tone("unknown"),
            "head": tone("dim", True),
            "alarm": Style(color="#ffffff", bgcolor=colours["alarm"], bold=True),
        },
        Style(bgcolor=colours["ground"]),
        Style(bgcolor=colours["bar"]),
        Style(bgcolor=colours["cursor"]),
    )


def _mono() -> Palette:
    return Palette(
        {
            "plain": Style(),
            "dim": Style(),
            "strong": Style(bold=True),
            "accent": Style(underline=True),
            "ok": Style(),
            "warn": Style(bold=True),
            "stopped": Style(bold=True, underline=True),
            "unknown": Style(italic=True),
            "head": Style(bold=True),
            "alarm": Style(reverse=True, bold=True),
        },
        Style(),
        Style(),
        Style(reverse=True),
    )


PALETTES: Final[dict[str, Palette]] = {"night": _coloured(_NIGHT), "day": _coloured(_DAY), "mono": _mono()}


def palette(theme_name: str) -> Palette:
    """The palette of a theme by its Textual name (``taxplane-night``); the night one when the name is not ours."""
    return PALETTES.get(theme_name.removeprefix("taxplane-"), PALETTES["night"])


def themes() -> list[Theme]:
    """The themes as Textual wants them."""
    found = []
    for name, colours in (*_COLOURS.items(), ("mono", _MONO_COLOURS)):
        found.append(
            Theme(
                name=f"taxplane-{name}",
                primary=colours["accent"],
                secondary=colours["accent"],
                warning=colours["warn"],
                error=colours["stopped"],
                success=colours["ok"],
                accent=colours["accent"],
                foreground=colours["plain"],
                background=colours["ground"],
                surface=colours["ground"],
                panel=colours["bar"],
                dark=name != "day",
            )
        )
    return found


_MONO_COLOURS: Final[dict[str, str]] = {
    **dict.fromkeys(_NIGHT, "#d0d0d0"),
    "ground": "#000000",
    "bar": "#000000",
    "cursor": "#303030",
}

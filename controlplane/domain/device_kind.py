"""Device kinds, custody and medium: three separate words, and the vendor codes that mix them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from controlplane.domain.dated import Row

Custody = Literal["hosted", "tax_server", "local"]
"""Hosted (托管), on a tax server, or at the customer's PC, which is reached by its own outbound calls only."""

Medium = Literal["golden_disk", "tax_disk", "ukey", "server_board", "none"]
"""What holds the keys."""

NEW_TAX_SERVER: Final = "new_tax_server"


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One of the eight kinds. ``media`` are those it can hold; abilities of several media follow the one inside."""

    code: str
    name: str
    name_en: str
    custodies: frozenset[Custody]
    media: frozenset[Medium]
    clock_settable: bool
    """False: a clock that only the tax hall can set."""
    reserved: bool
    """True for a kind that has a name but no driver."""
    all_kinds_first: frozenset[Medium] = frozenset()
    """Media with which every invoice kind has to be reported before any clears; with others it goes kind by kind."""


def _kind(code: str, names: tuple[str, str], custodies: str, media: str, flags: str = "") -> DeviceKind:
    return DeviceKind(
        code,
        names[0],
        names[1],
        frozenset(cast(Custody, one) for one in custodies.split()),
        frozenset(cast(Medium, one) for one in media.split()),
        clock_settable="clock" in flags,
        reserved="reserved" in flags,
        all_kinds_first=frozenset({"golden_disk"}) if "all_first" in flags else frozenset(),
    )


KINDS: Final = {
    kind.code: kind
    for kind in (
        _kind("golden_disk_c48", ("金税盘 C48", "golden disk C48"), "hosted local", "golden_disk", "all_first"),
        _kind("golden_disk_a9", ("金税盘 A9", "golden disk A9"), "hosted", "golden_disk", "all_first"),
        _kind("tax_disk", ("税控盘", "tax disk"), "hosted local", "tax_disk"),
        _kind("tax_ukey", ("税务UKey", "tax UKey"), "hosted local", "ukey"),
        _kind(NEW_TAX_SERVER, ("新税控服务器", "new tax server"), "tax_server", "server_board", "clock"),
        _kind("old_tax_server", ("老税控服务器", "old tax server"), "tax_server", "tax_disk"),
        _kind("u180", ("U180", "U180"), "hosted", "golden_disk ukey", "all_first"),
        _kind("digital", ("数电 / 乐企 (预留)", "digital / leqi (reserved)"), "hosted", "none", "reserved"),
    )
}
"""By code; the codes are the keys of the agents' driver catalog."""


def reports_all_first(device_kind: str, medium: str) -> bool:
    """Whether all kinds of such a device have to be reported before any of them clears."""
    return medium in KINDS[device_kind].all_kinds_first


@dataclass(frozen=True, slots=True)
class VendorCode:
    """A device code of one vendor's order system, taken apart. ``device_kind`` empty: nothing configured."""

    code: str
    name: str
    device_kind: str
    custody: Custody | None
    medium: Medium | None


def load_vendor_codes(rows: Iterable[Row]) -> dict[str, VendorCode]:
    """Vendor codes from rows with code, name, device_kind, custody, medium; ValueError for a word nobody knows."""
    found: dict[str, VendorCode] = {}
    for row in rows:
        kind, custody, medium = row["device_kind"], row["custody"] or None, row["medium"] or None
        if kind and kind not in KINDS:
            raise ValueError(f"{row['code']}: no device kind {kind}")
        if custody not in (None, *get_args(Custody)) or medium not in (None, *get_args(Medium)):
            raise ValueError(f"{row['code']}: no custody {custody} or medium {medium}")
        found[row["code"]] = VendorCode(
            row["code"], row["name"], kind, cast("Custody | None", custody), cast("Medium | None", medium)
        )
    return found

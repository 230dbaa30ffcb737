"""The bureaus' address book (税局地址): versions of addresses, and what the book lacks."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, flag, text
from console.screens.noun import Relation
from console.screens.plainly import Show, plain_noun
from console.theme import Verdict

_LACKS: dict[str, Verdict] = {"missing": "stopped", "duplicate": "warn", "raw_ip_omitted": "unknown"}


def _verdict(record: Record) -> Verdict:
    return "unknown" if flag(record, "enabled") is False and text(record, "standing") == "current" else "ok"


def _cell_verdict(record: Record) -> Verdict:
    return _LACKS.get(text(record, "status"), "ok")


def _of_place(record: Record) -> Sequence[Relation]:
    place = tuple((key, text(record, key)) for key in ("area_code", "service"))
    return (Relation("bureau-addresses", place),)


def _depends(record: Record) -> Sequence[Relation]:
    return (*_of_place(record), Relation("lines", (("target", text(record, "target")),)))


NOUN = plain_noun(
    "bureau-addresses",
    ("addresses", "bureau-addresses", "税局地址", "地址", "sjdz", "dz"),
    (
        Show("area_code", column=6),
        Show("region", column=8),
        Show("service", "bureau_service", column=16),
        Show("address", path="target", column=28, strong=True, grow=1),
        Show("address_standing", "address_standing", path="standing", column=6),
        Show("state", "state", column=6, rank=1),
        Show("carrier", "carrier", column=8, rank=2),
        Show("valid_from", column=24, rank=3),
        Show("valid_to", column=24, rank=3),
        Show("note"),
        Show("source"),
        Show("id"),
    ),
    verdict=_verdict,
    order=lambda record: (text(record, "area_code"), text(record, "service"), text(record, "valid_from")),
    depends=_depends,
)

COMPLETENESS = plain_noun(
    "bureau-addresses/completeness",
    ("completeness", "地址完整性", "完整性", "dzwz"),
    (
        Show("area_code", column=6, strong=True),
        Show("region", column=8),
        Show("service", "bureau_service", column=16),
        Show("status", "completeness", column=16),
        Show("enabled", "flag", column=4, rank=1),
        Show("targets", "list", column=20, grow=1),
    ),
    verdict=_cell_verdict,
    name=lambda record: f"{text(record, 'region')} {text(record, 'service')}".strip(),
    depends=_of_place,
    has_page=False,
    watched=frozenset({"bureau-addresses"}),
)

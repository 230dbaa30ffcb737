"""Bureau addresses: versions that take effect by the clock, what the book lacks, and its sheet."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from controlplane.domain.refusals import Refusal
from controlplane.operations import bureau_address_sheet, bureau_addresses, first_start
from controlplane.operations.acts import Act, Viewer
from controlplane.store import lines
from controlplane.store.times import utc_text
from tests.controlplane.operations.scene import ADMIN, RULES, Scene

BOOK = Path(__file__).resolve().parents[3] / "controlplane/data/bureaus.csv"


def register(scene: Scene, **changes: Any) -> str:
    values = {"area_code": "4400", "region": "广东", "service": "upload_gm", "target": "tcp://127.0.0.1:7001",
              "carrier": None, "starts_at": None, "note": None, "source": None}  # fmt: skip
    return scene.ledger.write_now(lambda tx: bureau_addresses.register(tx, ADMIN, {**values, **changes}))


def row(scene: Scene, address_id: str) -> dict[str, Any]:
    return scene.one("SELECT * FROM bureau_endpoints WHERE id = :id", id=address_id)


def act(scene: Scene, address_id: str, verb: str, **given: Any) -> None:
    arguments = {"note": None, "source": None, **given} if verb == "change" else given
    wanted = Act(ADMIN, verb, address_id, row(scene, address_id)["version"], "for the test", arguments)
    scene.ledger.write_now(lambda tx: bureau_addresses.act(tx, wanted))


def refused(scene: Scene, do: Any) -> Refusal:
    before = scene.dump()
    with pytest.raises(Refusal) as caught:
        do()
    assert scene.dump() == before
    return caught.value


def probed(scene: Scene) -> list[str]:
    """Targets the watch would probe now."""
    now = utc_text(scene.ledger.clock())
    return [one["target"] for one in scene.ledger.read_now(lambda hand: lines.enabled(hand, now))]


def shown(scene: Scene, address_id: str) -> dict[str, Any]:
    return bureau_addresses.view(row(scene, address_id), Viewer(ADMIN, scene.ledger.clock(), RULES))


def following(scene: Scene, address_id: str) -> str:
    valid_to = row(scene, address_id)["valid_to"]
    return str(scene.one("SELECT id FROM bureau_endpoints WHERE valid_from = :at", at=valid_to)["id"])


def test_a_switch_over_needs_nobodys_act(scene: Scene, clock: Any) -> None:
    first = register(scene)
    assert probed(scene) == [], "registered disabled"
    act(scene, first, "enable")
    act(scene, first, "change", target="tcp://127.0.0.1:7002", starts_at="2026-11-22T12:00")
    second = following(scene, first)
    assert row(scene, second)["valid_from"] == "2026-11-22T04:00:00.000Z", "device time"
    assert (shown(scene, first)["standing"], shown(scene, second)["standing"]) == ("current", "future")
    assert probed(scene) == ["tcp://127.0.0.1:7001"]
    clock.forward(minutes=59, seconds=59)
    assert probed(scene) == ["tcp://127.0.0.1:7001"]
    clock.forward(seconds=1)
    assert probed(scene) == ["tcp://127.0.0.1:7002"]
    assert (shown(scene, first)["standing"], shown(scene, second)["standing"]) == ("ended", "current")


def test_one_address_at_a_time(scene: Scene) -> None:
    first = register(scene)
    assert refused(scene, lambda: register(scene, target="tcp://127.0.0.1:9")).code == "address_overlaps"
    register(scene, target="tcp://127.0.0.1:9", carrier="telecom")
    act(scene, first, "change", target="tcp://127.0.0.1:7002", starts_at="2026-12-01")
    again = refused(scene, lambda: act(scene, first, "change", target="tcp://127.0.0.1:7003", starts_at="2026-12-02"))
    assert again.code == "address_superseded"
    second = following(scene, first)
    early = refused(scene, lambda: act(scene, second, "change", target="tcp://127.0.0.1:7003", starts_at="2026-11-30"))
    assert early.code == "address_starts_early"
    assert refused(scene, lambda: register(scene, service="verify", starts_at="2026-02-30")).code == "field_invalid"


def test_an_enabled_version_is_not_removed_and_a_future_one_gives_way(scene: Scene) -> None:
    first = register(scene)
    act(scene, first, "enable")
    assert refused(scene, lambda: act(scene, first, "remove")).code == "move_not_allowed"
    act(scene, first, "change", target="tcp://127.0.0.1:7002", starts_at="2026-12-01")
    second = following(scene, first)
    assert row(scene, second)["enabled"] == 1, "a version begins as the one before it stands"
    act(scene, second, "disable")
    act(scene, second, "remove")
    assert row(scene, first)["valid_to"] is None and shown(scene, second)["state"] == "removed"
    assert not any(one["enabled"] for one in shown(scene, second)["allowed"])
    act(scene, first, "disable")
    assert probed(scene) == []


def test_switching_reaches_the_versions_to_come(scene: Scene, clock: Any) -> None:
    first = register(scene)
    act(scene, first, "change", target="tcp://127.0.0.1:7002", starts_at="2026-12-01")
    act(scene, first, "enable")
    clock.forward(days=10)
    assert probed(scene) == ["tcp://127.0.0.1:7002"]
    late = refused(scene, lambda: act(scene, first, "disable"))
    assert late.code == "address_superseded"


def test_completeness_names_exactly_the_gaps_of_the_shipped_lists(scene: Scene) -> None:
    scene.ledger.write_now(first_start.furnish)
    now = utc_text(scene.ledger.clock())
    cells = scene.ledger.read_now(lambda hand: bureau_addresses.completeness(hand, ADMIN, now))
    with BOOK.open(encoding="utf-8") as file:
        book = {(line["area_code"], line["service"]) for line in csv.DictReader(file)}
    assert len(cells) == 36 * 5 == 180 and len(book) == 169
    assert {(one["area_code"], one["service"]) for one in cells if one["status"] == "ok"} == book
    omitted = {(one["area_code"], one["service"]) for one in cells if one["status"] == "raw_ip_omitted"}
    assert omitted == {
        ("1400", "upload_rsa"), ("1400", "upload_gm"), ("3502", "upload_rsa"), ("3700", "upload_rsa"),
        ("3700", "upload_gm"), ("5400", "upload_rsa"), ("5400", "upload_gm"), ("5400", "document_platform"),
        ("6200", "upload_rsa"), ("6400", "upload_rsa"), ("6500", "upload_rsa"),
    }  # fmt: skip
    assert sum(one["enabled"] for one in cells) == 0


def test_completeness_tells_missing_and_duplicate(scene: Scene) -> None:
    scene.ledger.write_now(first_start.furnish)
    scene.change("UPDATE bureau_endpoints SET removed_at = 'x' WHERE area_code = '1100' AND service = 'verify'")
    register(scene, area_code="1400", region="山西", service="upload_rsa")
    register(scene, area_code="3700", region="山东", service="verify", carrier="unicom")
    scene.change(
        "UPDATE bureau_endpoints SET area_code = '1200', service = 'verify' "
        "WHERE area_code = '1300' AND service = 'verify'"
    )
    now = utc_text(scene.ledger.clock())
    cells = scene.ledger.read_now(lambda hand: bureau_addresses.completeness(hand, ADMIN, now))
    found = {one["id"]: one["status"] for one in cells}
    assert (found["1100.verify"], found["1300.verify"]) == ("missing", "missing")
    assert found["1200.verify"] == "duplicate"
    assert (found["1400.upload_rsa"], found["3700.verify"]) == ("ok", "ok"), "an address fills a gap; a carrier is no twin"


# --- the sheet


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def take(scene: Scene, content: bytes) -> dict[str, Any]:
    book = bureau_address_sheet.read(encoded(content))
    found = scene.ledger.write_now(lambda tx: bureau_address_sheet.take(tx, ADMIN, book))
    return bureau_address_sheet.report(book, found, False)


def look(scene: Scene, content: bytes) -> dict[str, Any]:
    book = bureau_address_sheet.read(encoded(content))
    found = scene.ledger.read_now(lambda hand: bureau_address_sheet.look(hand, ADMIN, book))
    return bureau_address_sheet.report(book, found, True)


def export(scene: Scene, form: Any) -> bytes:
    return scene.ledger.read_now(lambda hand: bureau_address_sheet.write(hand, ADMIN, form))


def plain(scene: Scene) -> list[tuple[Any, ...]]:
    """The book without ids and times of writing."""
    names = [*bureau_address_sheet._IDENTITY, *bureau_address_sheet._CHANGEABLE]
    return sorted(tuple(str(one[name]) for name in names) for one in scene.rows("SELECT * FROM bureau_endpoints WHERE removed_at IS NULL"))


def furnished(scene: Scene) -> None:
    scene.ledger.write_now(first_start.furnish)
    first = register(scene, service="verify", carrier="mobile", note="=cmd|'/c calc'!A1", source="@SUM(1)")
    act(scene, first, "enable")
    act(scene, first, "change", target="tcp://127.0.0.1:7002", starts_at="2026-12-01T08:30")


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_what_was_exported_imports_as_it_was(scene: Scene, form: str) -> None:
    furnished(scene)
    content, before = export(scene, form), plain(scene)
    again = take(scene, content)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 171)
    assert plain(scene) == before
    scene.change("DELETE FROM line_watches")
    scene.change("DELETE FROM bureau_endpoints")
    fresh = take(scene, content)
    assert (fresh["added"], fresh["unchanged"]) == (171, 0) and plain(scene) == before
    assert take(scene, content)["added"] == 0, "the same file twice adds nothing"


def test_no_cell_of_an_export_is_a_formula(scene: Scene) -> None:
    furnished(scene)
    sheet = load_workbook(io.BytesIO(export(scene, "xlsx"))).active
    assert sheet is not None
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "inlineStr"}, "texts only"
    assert any(str(cell.value).startswith("=cmd") for line in sheet.iter_rows() for cell in line)
    text = export(scene, "csv").decode("utf-8-sig")
    assert not any(cell.startswith(("=", "@", "+", "-")) for line in csv.reader(io.StringIO(text)) for cell in line)


HEAD = "地区代码,地区,服务类别,运营商,地址,启用,启用时间,结束时间\n"


def test_every_fault_has_its_row_and_column_and_nothing_is_taken(scene: Scene) -> None:
    scene.ledger.write_now(first_start.furnish)
    lines_ = [
        "44,广东,查验,,tcp://127.0.0.1:1,是,,",
        "4401,广东,打印,,tcp://127.0.0.1:1,是,,",
        "4402,广东,查验,,ftp://127.0.0.1,是,,",
        "4404,广东,查验,,tcp://127.0.0.1:1,也许,,",
        "4405,广东,查验,,tcp://127.0.0.1:1,是,明天,",
        "4406,广东,查验,,tcp://127.0.0.1:1,是,2026-12-02,2026-12-01",
        "4407,广东,查验,,tcp://127.0.0.1:1,是,,",
        "4407,广东,查验,,tcp://127.0.0.1:1,是,,",
        "4400,广东,查验,,tcp://127.0.0.1:1,是,,",
        "4409,,查验,,tcp://127.0.0.1:1,是,,",
    ]
    content = (HEAD + "\n".join(lines_)).encode()
    before = scene.dump()
    found = {(one["line"], one["place"]) for one in look(scene, content)["faults"]}
    assert found == {
        (2, "A2"), (3, "C3"), (4, "E4"), (5, "F5"), (6, "G6"), (7, "H7"), (9, "E9"), (9, "G9"), (10, "G10"), (11, "B11"),
    }  # fmt: skip
    with pytest.raises(Refusal):
        take(scene, content)
    assert scene.dump() == before


def test_a_later_row_ends_the_one_on_record(scene: Scene, clock: Any) -> None:
    scene.ledger.write_now(first_start.furnish)
    told = take(scene, (HEAD + "4400,广东,查验,,tcp://127.0.0.1:1,是,2026-12-01,\n").encode())
    assert told["added"] == 1
    old = scene.one("SELECT * FROM bureau_endpoints WHERE area_code = '4400' AND service = 'verify' AND enabled = 0")
    assert old["valid_to"] == "2026-11-30T16:00:00.000Z"
    assert probed(scene) == []
    clock.forward(days=9)
    assert probed(scene) == ["tcp://127.0.0.1:1"]


def formula() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["地区代码", "地区", "服务类别", "地址", "启用"])
    sheet.append(["4400", "=1+1", "查验", "tcp://127.0.0.1:1", "是"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_hostile_files(scene: Scene) -> None:
    faults = look(scene, formula())["faults"]
    assert [(one["place"], "formula" in one["message"]) for one in faults] == [("B2", True)]
    for content in (b"", b"\x00" * 100, b"PK\x03\x04garbage", b"\xd0\xcf\x11\xe0old", b"a,b\n\xff\xfe\xfd", HEAD.encode()):
        with pytest.raises(Refusal) as caught:
            bureau_address_sheet.read(encoded(content))
        assert caught.value.code in ("sheet_refused", "sheet_empty"), content
    many = HEAD + "4400,广东,查验,,tcp://127.0.0.1:1,是,,\n" * 5001
    with pytest.raises(Refusal):
        bureau_address_sheet.read(encoded(many.encode()))
    assert bureau_address_sheet.read(encoded(b"nothing,of,this\n1,2,3\n")).faults

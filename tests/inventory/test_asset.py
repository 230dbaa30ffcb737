"""Assets move along one table, and their sheet is both template and export."""

import io
from datetime import date
from itertools import product
from typing import get_args

import pytest

from inventory.asset import COLUMNS, MOVES, Asset, Move, MoveRefused, State, allowed, from_row
from inventory.sheet import read_sheet
from inventory.sheet_writer import write_csv, write_xlsx

SERVER = Asset(
    asset_no="0001",
    name="=深圳一号机",
    kind="server",
    state="in_use",
    host_id="host-1",
    address="10.0.0.1",
    bought_on=date(2024, 2, 29),
    keeper="张三",
)


def test_the_life_of_an_asset():
    asset = SERVER.moved("send_to_repair")
    assert asset.state == "repair"
    asset = asset.moved("return_from_repair").moved("deploy").moved("take_back").moved("retire")
    assert asset.state == "retired"
    assert asset.host_id == SERVER.host_id and SERVER.state == "in_use"


@pytest.mark.parametrize(("state", "move"), list(product(get_args(State), get_args(Move))))
def test_every_other_move_is_refused_naming_those_allowed(state, move):
    asset = Asset(asset_no="1", name="a", kind="other", state=state)
    if (state, move) in MOVES:
        assert move in allowed(state)
        assert asset.moved(move).state == MOVES[state, move]
    else:
        with pytest.raises(MoveRefused) as caught:
            asset.moved(move)
        assert caught.value.allowed == allowed(state)
        assert move not in allowed(state)


def test_retired_is_final():
    assert allowed("retired") == ()


@pytest.mark.parametrize("write", [write_xlsx, write_csv])
def test_export_then_import_changes_nothing(write):
    out = io.BytesIO()
    write(out, COLUMNS, [SERVER.as_row()])
    sheet = read_sheet(out.getvalue(), COLUMNS)
    assert sheet.faults == ()
    assert from_row(sheet.rows[0]) == SERVER


def test_chinese_and_english_words_are_both_understood():
    chinese = "资产编号,名称,类别,状态\n001,一号机,服务器,在用\n"
    english = "Asset no.,Name,Kind,State\n001,一号机,server,in_use\n"
    assets = [from_row(read_sheet(text.encode(), COLUMNS).rows[0]) for text in (chinese, english)]
    assert assets[0] == assets[1]
    assert (assets[0].asset_no, assets[0].state) == ("001", "in_use")


def test_a_row_with_faults_makes_no_asset():
    from inventory.sheet import read_rows

    (row,) = read_rows("资产编号,名称,类别,状态\n001,一号机,飞机,在用\n".encode(), COLUMNS)
    assert [fault.code for fault in row.faults] == ["not_a_choice"]
    with pytest.raises(ValueError):
        from_row(row)

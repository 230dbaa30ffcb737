"""An asset: what it is, where it stands, and the four states it may be in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from inventory.sheet import Column, Row, Value

State = Literal["in_stock", "in_use", "repair", "retired"]
Move = Literal["deploy", "take_back", "send_to_repair", "return_from_repair", "retire"]
AssetKind = Literal["server", "tax_server", "tax_disk", "ukey", "disk_cabinet", "network", "other"]

MOVES: Mapping[tuple[State, Move], State] = MappingProxyType(
    {
        ("in_stock", "deploy"): "in_use",
        ("in_use", "take_back"): "in_stock",
        ("in_stock", "send_to_repair"): "repair",
        ("in_use", "send_to_repair"): "repair",
        ("repair", "return_from_repair"): "in_stock",
        ("in_stock", "retire"): "retired",
        ("in_use", "retire"): "retired",
        ("repair", "retire"): "retired",
    }
)
"""Every move there is; retired is final."""

STATE_WORDS: Mapping[str, str] = {"库存": "in_stock", "在用": "in_use", "维修": "repair", "报废": "retired"}
KIND_WORDS: Mapping[str, str] = {
    "服务器": "server",
    "税控服务器": "tax_server",
    "税控盘": "tax_disk",
    "税务UKey": "ukey",
    "盘柜": "disk_cabinet",
    "网络设备": "network",
    "其他": "other",
}

COLUMNS: tuple[Column, ...] = (
    Column("asset_no", ("资产编号", "Asset no."), "id", required=True, longest=64),
    Column("name", ("名称", "Name"), required=True, longest=100),
    Column("kind", ("类别", "Kind"), "choice", required=True, choices=KIND_WORDS),
    Column("state", ("状态", "State"), "choice", required=True, choices=STATE_WORDS),
    Column("host_id", ("主机标识", "Host id"), "id", longest=64),
    Column("address", ("地址", "Address"), "id", longest=253),
    Column("location", ("位置", "Location"), longest=100),
    Column("keeper", ("保管人", "Keeper"), longest=50),
    Column("serial_no", ("序列号", "Serial no."), "id", longest=64),
    Column("bought_on", ("购置日期", "Bought on"), "date"),
    Column("warranty_until", ("保修截止", "Warranty until"), "date"),
    Column("remark", ("备注", "Remark"), longest=500),
)
"""The sheet of the asset list: import template and export are the same."""


class MoveRefused(Exception):
    """The state does not allow this move; ``allowed`` names those it does."""

    def __init__(self, state: State, move: Move) -> None:
        super().__init__(f"{move} is not allowed in state {state}")
        self.allowed = allowed(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One thing we own. ``host_id`` never changes: it is the identity an agent on this machine enrols with."""

    asset_no: str
    name: str
    kind: AssetKind
    state: State
    host_id: str | None = None
    address: str | None = None
    location: str | None = None
    keeper: str | None = None
    serial_no: str | None = None
    bought_on: date | None = None
    warranty_until: date | None = None
    remark: str | None = None

    def moved(self, move: Move) -> Asset:
        """This asset after the move. Raises MoveRefused."""
        state = MOVES.get((self.state, move))
        if state is None:
            raise MoveRefused(self.state, move)
        return replace(self, state=state)

    def as_row(self) -> dict[str, Value]:
        """The asset as a row of its sheet."""
        return {column.name: cast(Value, getattr(self, column.name)) for column in COLUMNS}


def allowed(state: State) -> tuple[Move, ...]:
    """The moves a state allows, in the order of the table."""
    return tuple(move for move in get_args(Move) if (state, move) in MOVES)


def from_row(row: Row) -> Asset:
    """The asset in a sound row of a sheet read with COLUMNS. Raises ValueError for a row with faults."""
    if row.faults:
        raise ValueError(f"line {row.line} has faults")
    values: dict[str, Any] = dict(row.values)
    return Asset(**values)

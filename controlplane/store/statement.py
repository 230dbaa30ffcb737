"""SQL text written once with ``:name`` parameters, rendered for the driver in use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

_AT_ONCE = 16
"""Rows of one INSERT: each number of rows is a statement of its own to the driver, which remembers only so many."""
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")

Row = dict[str, Any]


class Cursor(Protocol):
    """What sqlite3 and psycopg cursors have in common."""

    description: Sequence[Sequence[Any]] | None
    rowcount: int

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        """Run one statement for each set of parameters."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def fetchone(self) -> Any:
        """The next row or None."""


class Statement:
    """One SQL text. ``for_update`` is added only where the database has row locks (SQLite has one writer instead)."""

    def __init__(self, text: str, for_update: bool = False) -> None:
        cleaned = " ".join(text.split())
        self.sqlite = cleaned
        self.postgresql = _PARAMETER.sub(r"%(\1)s", cleaned.replace("%", "%%")) + (" FOR UPDATE" if for_update else "")
        self._names: tuple[str, ...] | None = None

    def text(self, dialect: str) -> str:
        """The statement as the driver of ``dialect`` (``sqlite`` or ``postgresql``) wants it."""
        return self.sqlite if dialect == "sqlite" else self.postgresql


class Insert(Statement):
    """An INSERT of the named columns, of one row or of many at once."""

    def __init__(self, table: str, columns: Iterable[str], suffix: str = "") -> None:
        self.columns = tuple(columns)
        self._head, self._suffix = f"INSERT INTO {table} ({', '.join(self.columns)}) VALUES", suffix
        super().__init__(f"{self._head} ({', '.join(f':{name}' for name in self.columns)}) {suffix}")
        self._many: dict[tuple[str, int], str] = {}

    def many(self, dialect: str, count: int) -> str:
        """The statement for ``count`` rows, its parameters by place: row after row, in the order of the columns."""
        text = self._many.get((dialect, count))
        if text is None:
            row = f"({', '.join(['?' if dialect == 'sqlite' else '%s'] * len(self.columns))})"
            text = self._many[dialect, count] = f"{self._head} {', '.join([row] * count)} {self._suffix}"
        return text


FEW = 100
"""So many values of a list are parameters of their own; more travel as one JSON text, for drivers count parameters."""


def among(dialect: str, column: str, name: str, values: Sequence[str], parameters: dict[str, Any]) -> str:
    """A condition that a column holds one of ``values``, its parameters added to ``parameters`` under ``name``."""
    if not values:
        return "1 = 0"
    if len(values) > FEW:
        parameters[name] = json.dumps(list(values))
        source = f"json_each(:{name})" if dialect == "sqlite" else f"json_array_elements_text(CAST(:{name} AS json))"
        return f"{column} IN (SELECT value FROM {source})"
    names = [f"{name}{number}" for number in range(len(values))]
    parameters.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{one}' for one in names)})"


class Connection:
    """A thin hand on one driver connection: the same three calls on SQLite and PostgreSQL."""

    def __init__(self, cursor: Cursor, dialect: str) -> None:
        self._cursor = cursor
        self.dialect = dialect
        self.memo: dict[str, Any] = {}
        """What was read once for all operations of one database transaction."""

    def run(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> int:
        """Execute and return the number of rows changed."""
        self._cursor.execute(statement.text(self.dialect), parameters or {})
        return self._cursor.rowcount

    def insert(self, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert all rows.

        Many by one execution: SQLite lets go of Python's lock for every single one, and must queue for it again.
        """
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            values = [row[name] for row in some for name in statement.columns]
            self._cursor.execute(statement.many(self.dialect, len(some)), values)

    def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each set of parameters."""
        if rows:
            self._cursor.executemany(statement.text(self.dialect), rows)

    def rows(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """All rows as dictionaries."""
        self._cursor.execute(statement.text(self.dialect), parameters or {})
        names = [column[0] for column in self._cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def one(self, statement: Statement, parameters: Mapping[str, Any] | None = None) -> Row | None:
        """The first row or None."""
        self._cursor.execute(statement.text(self.dialect), parameters or {})
        row = self._cursor.fetchone()
        if row is None:
            return None
        return {column[0]: value for column, value in zip(self._cursor.description or (), row, strict=True)}

"""The one shape of every state machine: a frozen table of (state, move) → state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from controlplane.domain.refusals import Refusal, refuse


@dataclass(frozen=True, slots=True)
class Machine:
    """States and moves of one noun. A state that no move leaves is final."""

    noun: str
    initial: str
    table: Mapping[tuple[str, str], str]

    @property
    def states(self) -> frozenset[str]:
        """Every state the table knows."""
        return frozenset({self.initial, *(state for state, _ in self.table), *self.table.values()})

    @property
    def moves(self) -> frozenset[str]:
        """Every move the table knows."""
        return frozenset(move for _, move in self.table)

    def allowed(self, state: str) -> tuple[str, ...]:
        """Moves that may be made in this state, in the order of the table; empty when the state is final."""
        return tuple(move for at, move in self.table if at == state)

    def final(self, state: str) -> bool:
        """True when no move leaves the state."""
        return not self.allowed(state)

    def may(self, state: str, move: str) -> bool:
        """True when the move may be made in this state."""
        return (state, move) in self.table

    def after(self, state: str, move: str) -> str:
        """The state after the move; raises ``move_not_allowed`` naming the moves that are."""
        reached = self.table.get((state, move))
        if reached is None:
            raise self.not_allowed(state, move)
        return reached

    def not_allowed(self, state: str, move: str) -> Refusal:
        """The refusal that ``after`` raises."""
        allowed = ", ".join(self.allowed(state)) or "—"
        return refuse("move_not_allowed", noun=self.noun, state=state, move=move, allowed=allowed)


def machine(noun: str, initial: str, edges: Iterable[tuple[str, str, str]]) -> Machine:
    """A machine from (state, move, state reached) rows; ValueError when one (state, move) stands twice."""
    table: dict[tuple[str, str], str] = {}
    for state, move, reached in edges:
        if (state, move) in table:
            raise ValueError(f"{noun}: ({state}, {move}) stands twice")
        table[state, move] = reached
    return Machine(noun, initial, MappingProxyType(table))

"""One act on many marked records: what it would do, a typed count, progress, and who refused why."""

from __future__ import annotations

from collections.abc import Sequence

from console.desk import Desk
from console.link import Act, LinkDown, LinkProblem
from console.plain import plain
from console.records import Record, whole
from console.screens.act_form import ActForm
from console.screens.noun import Noun
from console.widgets.ink import Line, Part

_SHOWN = 6
"""Refusals named in the form; the operation log has them all."""


class ManyForm(ActForm):
    """The form of an act on several records, sent one after the other so that each has its own answer."""

    def __init__(self, desk: Desk, noun: Noun, records: Sequence[Record], name: str) -> None:
        super().__init__(desk, noun, records[0], name)
        self.records = list(records)
        self.refusals: list[str] = []
        self.taken = 0

    def heading(self) -> str:
        """The verb and how many it is for."""
        say = self.desk.say
        verb = say.word_of("verb", self.noun.path, self.name_of_verb)
        return f"{verb} · {say('list.marked', n=len(self.records))}"

    @property
    def confirmation(self) -> str:
        """How many records: typed before a dangerous act."""
        return str(len(self.records))

    async def send(self, act: Act) -> None:
        """Send it for each record; a lost line ends the go, because nothing is known of that record then."""
        for record in self.records:
            version = whole(record, "version") or 0
            try:
                one = Act(act.noun, record["id"], act.verb, act.reason, version, act.args)
                await self.desk.link.act(one)
                self.taken += 1
            except LinkProblem as problem:
                told = self.desk.say.told(problem.document).message or problem.message
                self.refusals.append(f"{plain(self.noun.name(record))}: {told}")
            except LinkDown as down:
                self.refusals.append(self.desk.say("act.lost", text=str(down)))
                break
            self._progress()
        self.sent(self.records[0], None)
        self._progress()

    def _progress(self) -> None:
        say = self.desk.say
        done = self.taken + len(self.refusals)
        count = say("act.progress", n=done, all=len(self.records), taken=self.taken, refused=len(self.refusals))
        lines = [Line((Part(_bar(done, len(self.records)), "accent"), Part("  " + count, "strong")), 2)]
        lines += [Line((Part(words, "warn"),), 2) for words in self.refusals[-_SHOWN:]]
        self.say(*lines)


def _bar(done: int, of: int, cells: int = 20) -> str:
    full = cells * done // max(1, of)
    return "█" * full + "░" * (cells - full)

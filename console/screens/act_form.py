"""The form of one act: arguments, reason, confirmation; then the job it began, live."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input

from console.desk import Desk
from console.feed import Batch
from console.link import Act, LinkDown, LinkError, LinkProblem
from console.plain import plain
from console.records import Record, rows, text, whole
from console.screens.noun import Noun
from console.screens.references import Known, known
from console.screens.suggestions import suggested
from console.screens.worker import guarded
from console.theme import Tone
from console.verbs import Field, verb, wrong
from console.widgets.bars import Bar
from console.widgets.ink import Line, Part
from console.widgets.pane import Pane
from console.widgets.trail import job_line, trail_lines

_OPEN = ("queued", "leased", "unknown")
_VERSION = "version_differs"
_ROOMY = 5
"""A form of more fields stands without empty lines, so that it fits a terminal of 24 lines."""
_OFFERED = 12
"""Choices named in an empty field."""


class ActForm(ModalScreen[None]):
    """One act on one record. Forms of other acts change what is sent and what is said of it."""

    wants_reason: ClassVar[bool] = True

    DEFAULT_CSS = """
    ActForm { align: center middle; }
    ActForm > Vertical { width: 90%; max-width: 90; height: auto; max-height: 95%; }
    ActForm > Vertical { border: round $accent; padding: 0 1; }
    ActForm Horizontal { height: 1; margin-top: 1; }
    ActForm Horizontal Bar { width: 36; }
    ActForm Input { height: 1; width: 1fr; border: none; padding: 0; background: $panel; }
    ActForm Input:focus { border: none; background: $surface-lighten-2; }
    ActForm Pane { height: 7; margin-top: 1; }
    ActForm.-tight > Vertical { overflow-y: auto; }
    ActForm.-tight Horizontal { margin-top: 0; }
    ActForm.-tight Pane { height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "key.close"),
        Binding("down", "app.focus_next", "key.next_field", show=False),
        Binding("up", "app.focus_previous", "key.previous_field", show=False),
    ]

    def __init__(self, desk: Desk, noun: Noun, record: Record, name: str) -> None:
        super().__init__()
        self.desk = desk
        self.noun = noun
        self.record = record
        self.name_of_verb = name
        self.verb = verb(noun.path, name)
        self.job: Record | None = None
        self.sending = False
        self.known: dict[str, Known] = {}
        """Field → the records it may mean."""
        self.pane = Pane(id="said")

    @property
    def confirmation(self) -> str:
        """What has to be typed before a dangerous act: the record's name where it can be typed, else the verb."""
        name = plain(self.noun.name(self.record))
        return name if name.isascii() and 0 < len(name) <= 32 and " " not in name else self.name_of_verb

    def compose(self) -> ComposeResult:
        """One line per field, what was said, and a hint."""
        with Vertical():
            yield Bar(id="title")
            for arg in self.verb.fields:
                yield from self._field(arg.name)
            if self.wants_reason:
                yield from self._field("reason")
            if self.verb.dangerous:
                yield from self._field("confirm")
            yield self.pane
            yield Bar(id="hint")

    def heading(self) -> str:
        """What is done, to what."""
        verb = self.desk.say.word_of("verb", self.noun.path, self.name_of_verb)
        return f"{verb} · {self.noun.name(self.record)}"

    def _field(self, name: str) -> ComposeResult:
        with Horizontal():
            yield Bar(id=f"label-{name}")
            yield Input(id=name, compact=True)

    def on_mount(self) -> None:
        """Label everything; then suggest what can be known."""
        say = self.desk.say
        self.query_one("#title", Bar).show([Part(self.heading(), "strong")])
        for arg in self.verb.fields:
            needed = "" if not arg.optional else " " + say("act.optional")
            self._label(arg.name, say.word_of("field", self.noun.path, arg.name) + needed, "dim")
            self._offer(arg.name, [(choice, say.word_of("choice", self.noun.path, choice)) for choice in arg.choices])
        if self.wants_reason:
            self._label("reason", say("act.reason"), "dim")
        if self.verb.dangerous:
            self._label("confirm", say("act.confirm", word=self.confirmation), "warn")
        self.query_one("#hint", Bar).show([Part(say("act.form_hint"), "dim")])
        self.set_class(len(self.query(Input)) > _ROOMY, "-tight")
        self.query(Input).first().focus()
        self.pane.can_focus = False
        if self.verb.fields:
            self.run_worker(guarded(self._suggest(), self.desk, self.said_plainly))
        self.set_interval(1.0, self._poll)

    async def _suggest(self) -> None:
        for name, value in (await suggested(self.desk.link, self.noun.path, self.record, self.name_of_verb)).items():
            field = self.query_one(f"#{name}", Input)
            if not field.value:
                field.value = plain(value)
        for arg in self.verb.fields:
            await self._refer(arg)

    async def _refer(self, arg: Field) -> None:
        """Offer the records a field may mean; the only one there is stands in it already."""
        found = self.known[arg.name] = await known(self.desk.link, arg.name, self.noun.path)
        self._offer(arg.name, [(number, "") for number in found])
        field = self.query_one(f"#{arg.name}", Input)
        if len(found) == 1 and not arg.optional and not field.value:
            field.value = next(iter(found))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Show what may be typed while a field is empty, and complete what is begun."""
        if choices:
            field = self.query_one(f"#{name}", Input)
            field.suggester = SuggestFromList([code for code, _ in choices], case_sensitive=False)
            shown = (code if word in ("", code) else f"{code} {word}" for code, word in choices[:_OFFERED])
            field.placeholder = " / ".join(shown)

    def _label(self, name: str, words: str, tone: Tone) -> None:
        self.query_one(f"#label-{name}", Bar).show([Part(words, tone)])

    def say(self, *lines: Line) -> None:
        """Show these lines under the fields."""
        self.pane.set_lines(lines)

    def said_plainly(self, words: str) -> None:
        """Say one thing as a warning."""
        self.say(Line((Part(words, "warn"),)))

    # --- sending

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter moves on; in the last field it sends."""
        fields = list(self.query(Input))
        place = fields.index(event.input)
        if place + 1 < len(fields):
            fields[place + 1].focus()
        elif self.job is None and not self.sending:
            act = self._checked()
            if act is not None:
                self.sending = True
                self.say(Line((Part(self.desk.say("act.sending"), "dim"),)))
                self.run_worker(guarded(self._send(act), self.desk, self._unsent))

    def _checked(self) -> Act | None:
        say = self.desk.say
        args: Record = {}
        for arg in self.verb.fields:
            typed = self.query_one(f"#{arg.name}", Input).value.strip()
            if not typed and arg.optional:
                continue
            value = arg.value(typed)
            if value is None:
                self._wrong(arg.name, wrong(arg, say))
                return None
            args[arg.name] = value
        reason = self.query_one("#reason", Input).value.strip() if self.wants_reason else ""
        if self.wants_reason and not reason:
            self._wrong("reason", say("act.reason_missing"))
            return None
        if self.verb.dangerous and self.query_one("#confirm", Input).value.strip() != self.confirmation:
            self._wrong("confirm", say("act.confirm_missing", word=self.confirmation))
            return None
        version = whole(self.record, "version") or 0
        return Act(self.noun.path, self.record["id"], self.name_of_verb, reason, version, args)

    def _wrong(self, field: str, words: str) -> None:
        self.said_plainly(words)
        self.query_one(f"#{field}", Input).focus()

    def _unsent(self, words: str) -> None:
        self.sending = False
        self.said_plainly(words)

    async def _send(self, act: Act) -> None:
        for arg in self.verb.fields:
            if arg.name in act.args and arg.name not in self.known:
                self.known[arg.name] = await known(self.desk.link, arg.name, self.noun.path)
        meant = {name: self.known.get(name, {}).get(str(value), value) for name, value in act.args.items()}
        await self.send(replace(act, args=meant))

    async def send(self, act: Act) -> None:
        """Send the act and follow its job."""
        try:
            accepted = await self.desk.link.act(act)
        except LinkProblem as problem:
            self.sending = False
            await self.refused(problem)
        except LinkDown as down:
            self.sending = False
            self.said_plainly(self.desk.say("act.lost", text=str(down)))
            await self._read_again()
        else:
            self.sent(accepted.record or self.record, accepted.job)
            self.show_job()

    def sent(self, record: Record, job: Record | None) -> None:
        """It was taken: the fields are closed, the job is followed."""
        self.sending = False
        self.record, self.job = record, job if job is not None else {}
        for field in self.query(Input):
            field.disabled = True
        self.query_one("#hint", Bar).show([Part(self.desk.say("act.sent_hint"), "dim")])

    async def refused(self, problem: LinkProblem) -> None:
        """Say why not, what to do, and what may be done instead."""
        say = self.desk.say
        told = say.told(problem.document)
        lines = [Line((Part(say("act.refused", text=told.message or problem.message), "stopped"),), 2)]
        if problem.remedy or told.remedy:
            lines.append(Line((Part(problem.remedy or told.remedy, "accent"),), 2))
        for error in problem.errors:
            lines.append(Line((Part(f"{text(error, 'field')}: {text(error, 'message')}", "warn"),), 2))
        if problem.allowed:
            verbs = "  ".join(say.word_of("verb", self.noun.path, name) for name in problem.allowed)
            lines.append(Line((Part(say("act.allowed_now", verbs=verbs)),), 2))
        self.say(*lines)
        if problem.code == _VERSION and self.wants_reason:
            await self._read_again()
            self.say(*lines, Line((Part(say("act.version_differs"), "accent"),), 2))

    async def _read_again(self) -> None:
        with suppress(LinkError):
            self.record = await self.desk.link.one(self.noun.path, self.record["id"])

    # --- what became of it

    def deliver(self, batch: Batch) -> None:
        """The job may have moved."""
        if self.job and self.job.get("id") in batch.changed.get("jobs", ()):
            self._poll()

    def _poll(self) -> None:
        if self.job and text(self.job, "state") in _OPEN:
            self.run_worker(self._follow, exclusive=True, group="job")  # type: ignore[arg-type]

    async def _follow(self) -> None:
        await guarded(self._read_job(), self.desk, lambda words: None)

    async def _read_job(self) -> None:
        if self.job:
            self.job = await self.desk.link.one("jobs", text(self.job, "id"))
            self.show_job()

    def show_job(self) -> None:
        """Say how far it is."""
        view = self.desk.view()
        head = Line((Part(self.desk.say("act.taken"), "ok"),))
        if not self.job:
            self.say(head, Line((Part(self.desk.say("act.done"), "ok"),)))
            return
        self.say(head, job_line(view, self.job), *trail_lines(view, self.job))
        if len(rows(self.job, "trail")) > 5:
            self.pane.action_edge(1)

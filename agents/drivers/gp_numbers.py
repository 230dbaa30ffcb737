"""Runs of numbers in replies of the GP dialect: segments on the device, grants and applications at the bureau."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agents.plain_text import plain
from controlplane.wire.evidence import ApplicationFacts, GrantFacts, SegmentFacts


class Segment(Struct):
    """A run of numbers on the device (LGXX)."""

    FPLXDM: str
    FPDM: str
    QSHM: str
    ZZHM: str
    DQHM: str
    SYFS: int
    LPBH: str = ""
    KPZDDM: str = ""
    LGRQ: str = ""

    def facts(self) -> SegmentFacts:
        """As reported to the control plane."""
        return SegmentFacts(
            kind=self.FPLXDM,
            invoice_code=self.FPDM,
            start_no=self.QSHM,
            end_no=self.ZZHM,
            next_no=self.DQHM,
            left=self.SYFS,
            terminal_code=self.KPZDDM or None,
            received_on=self.LGRQ[:8],
            grant_no=self.LPBH,
        )


_GRANT_STATES: tuple[Literal["granted", "written", "confirmed"], ...] = ("granted", "written", "confirmed")


class Grant(Struct):
    """A run of numbers granted by the bureau (LPXX). ``LPZT`` 0 granted, 1 written to the device, 2 confirmed."""

    LPBH: str
    LPZT: Annotated[int, Meta(ge=0, le=2)]
    FPLXDM: str = ""
    FPDM: str = ""
    QSHM: str = ""
    ZZHM: str = ""
    SLXH: str = ""

    def facts(self) -> GrantFacts:
        """As reported to the control plane."""
        return GrantFacts(
            grant_no=self.LPBH,
            kind=self.FPLXDM,
            invoice_code=self.FPDM,
            start_no=self.QSHM,
            end_no=self.ZZHM,
            status=_GRANT_STATES[self.LPZT],
            application_no=self.SLXH,
        )


_APPLICATION_STATES: tuple[Literal["waiting", "granted", "refused", "cancelled"], ...] = (
    "waiting",
    "granted",
    "refused",
    "cancelled",
)


class Application(Struct):
    """One application (SLXX). ``SLZT`` 0 undecided, 1 granted, 2 refused, 3 cancelled."""

    SLXH: str
    FPLXDM: str
    SLSL: int
    SLZT: Annotated[int, Meta(ge=0, le=3)]
    SLSM: str = ""

    def facts(self) -> ApplicationFacts:
        """As reported to the control plane."""
        return ApplicationFacts(
            application_no=self.SLXH,
            kind=self.FPLXDM,
            count=self.SLSL,
            status=_APPLICATION_STATES[self.SLZT],
            message=plain(self.SLSM, 200),
        )

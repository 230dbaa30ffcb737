"""Work beside a screen: the one loop of the console that lets nothing through, so that no error closes it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from console.desk import Desk
from console.link import LinkDown, LinkProblem


async def guarded(work: Coroutine[Any, Any, None], desk: Desk, failed: Callable[[str], None]) -> None:
    """Await the work; what goes wrong is told in the operator's words."""
    try:
        await work
    except LinkProblem as problem:
        told = desk.say.told(problem.document)
        failed(" · ".join(filter(None, (told.message or problem.message, told.remedy))))
    except LinkDown as down:
        failed(str(down))
    except Exception as error:
        failed(f"{type(error).__name__}: {error}")

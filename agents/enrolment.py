"""Joining a control plane: a one-use token against an identity, with a secret of the agent's own making."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from agents import identity, journal_file
from agents.identity import Identity
from agents.phrases import say
from agents.uplink import Away, Rejected, Revoked, Uplink
from controlplane.wire.agents import JoinRequest


class CannotJoin(Exception):
    """Says in the operator's language why not."""


def join(home: Path, url: str, token: str, *, name: str | None = None, host_id: str | None = None) -> Identity:
    """Make this home an agent of the control plane at ``url`` and prepare its journal.

    Raises:
        CannotJoin: joined already, wrong address, token not accepted, control plane not reached.
    """
    if identity.path_in(home).exists():
        raise CannotJoin(say("join.already", home=home))
    host = host_id or _named(platform.node())
    request_name = name or host
    try:
        identity.make_home(home)
        uplink = Uplink(url)
        request = JoinRequest(
            token=token, host_id=host, name=request_name, secret=identity.new_secret(home), version=version()
        )
        answer = uplink.join(request)
    except ValueError as error:
        raise CannotJoin(say("join.bad_url", url=error)) from error
    except Away as error:
        raise CannotJoin(say("join.away", url=url, why=error)) from error
    except (Revoked, Rejected) as error:
        raise CannotJoin(say("join.refused", why=error)) from error
    except (OSError, journal_file.JournalBroken) as error:
        raise CannotJoin(say("join.home", home=home, why=error)) from error
    joined = Identity(
        agent_id=answer.agent_id,
        secret=request.secret,
        url=url,
        instance_id=answer.instance_id,
        host_id=host,
        name=request_name,
    )
    uplink.close()
    identity.save(home, joined)
    return joined


def version() -> str:
    """Version of the installed program."""
    from importlib import metadata

    try:
        return metadata.version("taxplane")[:32]
    except metadata.PackageNotFoundError:
        return "unknown"


def _named(host: str) -> str:
    """The host's name in the characters the control plane allows."""
    return re.sub(r"[^A-Za-z0-9._:-]", "-", host)[:64] or "agent"

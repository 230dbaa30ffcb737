"""Bodies of acts as pydantic models, made from the registry: strict, no extra fields, no invisible characters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, create_model

from controlplane.domain.acts import LISTS, NUMBERS, PATTERNS, ActSpec
from controlplane.domain.acts import Field as FieldSpec
from controlplane.domain.foreign_text import first_hazard
from controlplane.wire.records import Move, Strict

_MOST_OF_FILE = 1_000_002
"""Characters of base64; the door takes bodies of a mebibyte."""


def _harmless(text: str) -> str:
    hazard = first_hazard(text)
    if hazard is not None:
        raise ValueError(f"character {hazard[1]} at position {hazard[0]} is invisible or moves text")
    return text


def _type_of(field: FieldSpec) -> Any:
    if field.shape in LISTS:
        one = Annotated[str, StringConstraints(pattern=f"^{PATTERNS[field.shape]}$")]
        return Annotated[list[one], Field(min_length=1, max_length=50)]
    if field.shape in NUMBERS:
        return Annotated[int, Field(ge=field.least, le=65535 if field.shape == "port" else field.most)]
    if field.shape == "flag":
        return bool
    if field.shape == "choice":
        return Literal[field.choices]
    if field.shape == "text":
        return Annotated[str, StringConstraints(min_length=1, max_length=field.most), AfterValidator(_harmless)]
    longest = _MOST_OF_FILE if field.shape == "file" else 254
    return Annotated[str, StringConstraints(pattern=f"^(?:{PATTERNS[field.shape]})$", max_length=longest)]


def body_of(spec: ActSpec) -> type[Strict]:
    """The model of an act's body; record acts carry reason and version besides their fields."""
    base = Move if spec.on == "record" else Strict
    fields: dict[str, Any] = {
        field.name: (_type_of(field) | None, None) if field.optional else (_type_of(field), ...)
        for field in spec.fields
    }
    name = "".join(part.capitalize() for part in f"{spec.verb}_{spec.noun}".replace("-", "_").split("_"))
    return create_model(name, __base__=base, __doc__=f"Body of {spec.verb} on {spec.noun}.", **fields)

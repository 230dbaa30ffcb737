"""The body door: hostile bodies stay outside with a named fault, their valid twins come in."""

from __future__ import annotations

import json
import math
import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.wire.body import MAX_DEPTH, BodyFault, load, read, shape


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


HOSTILE: dict[str, tuple[bytes, bytes, int, str, str]] = {
    # name: body, its valid twin, status, code, field
    "nan": (b'{"a": NaN}', b'{"a": 0}', 400, "number_not_finite", "a"),
    "infinity": (b'{"a": [1, -Infinity]}', b'{"a": [1, -1]}', 400, "number_not_finite", "a[1]"),
    "overflow": (b'{"a": 1e400}', b'{"a": 1e40}', 422, "number_out_of_range", "a"),
    "2^63": (b'{"a": 9223372036854775808}', b'{"a": 9223372036854775807}', 422, "number_out_of_range", "a"),
    "-2^63": (b'{"a": -9223372036854775808}', b'{"a": -9223372036854775807}', 422, "number_out_of_range", "a"),
    "5000 digits": (b'{"a": ' + b"1" * 5000 + b"}", b'{"a": 11111}', 422, "number_out_of_range", "a"),
    "5000 decimals": (b'{"a": 0.' + b"1" * 5000 + b"}", b'{"a": 0.11}', 422, "number_out_of_range", "a"),
    "lone surrogate": (b'{"a": "x\\ud800y"}', b'{"a": "x\\ud83d\\ude00y"}', 422, "text_not_allowed", "a"),
    "lone surrogate in a key": (b'{"x\\udfff": 1}', b'{"x": 1}', 422, "text_not_allowed", "x\\udfff"),
    "nul": (b'{"a": {"b": "x\\u0000"}}', b'{"a": {"b": "x\\u0001"}}', 422, "text_not_allowed", "a.b"),
    "raw control": (b'{"a": "x\x00y"}', b'{"a": "x y"}', 400, "body_not_json", ""),
    "too deep": (nested(MAX_DEPTH + 1), nested(MAX_DEPTH), 400, "body_too_deep", ""),
    "far too deep": (nested(100_000), nested(3), 400, "body_too_deep", ""),
    "duplicate key": (b'{"a": [{"b": 1, "b": 1}]}', b'{"a": [{"b": 1, "c": 1}]}', 400, "duplicate_key", "a[0]"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), b'{"a": 1}', 400, "body_not_utf8", ""),
    "utf-16 without mark": ('{"a": 1}'.encode("utf-16-le"), b'{"a": 1}', 400, "body_not_json", ""),
    "invalid utf-8": (b'{"a": "\xff"}', '{"a": "ÿ"}'.encode(), 400, "body_not_utf8", ""),
    "surrogate bytes": (b'{"a": "\xed\xa0\x80"}', '{"a": "\U00010000"}'.encode(), 400, "body_not_utf8", ""),
    "overlong": (b'{"a": "\xc0\x80"}', b'{"a": ""}', 400, "body_not_utf8", ""),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}', 400, "body_not_utf8", ""),
    "not NFC": ('{"a": ["e\u0301"]}'.encode(), '{"a": ["é"]}'.encode(), 422, "text_not_nfc", "a[0]"),
    "not NFC when unescaped": (b'{"a": "e\\u0301"}', b'{"a": "\\u00e9"}', 422, "text_not_nfc", "a"),
    "not NFC in a key": ('{"e\u0301": 1}'.encode(), '{"é": 1}'.encode(), 422, "text_not_nfc", "e\u0301"),
    "empty": (b"", b"{}", 400, "body_not_json", ""),
    "half": (b'{"a": ', b'{"a": 1}', 400, "body_not_json", ""),
    "two values": (b"{} {}", b"{}", 400, "body_not_json", ""),
    "trailing comma": (b'{"a": 1,}', b'{"a": 1}', 400, "body_not_json", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_stay_outside(name: str) -> None:
    body, _, status, code, field = HOSTILE[name]
    with pytest.raises(BodyFault) as caught:
        load(body)
    fault = caught.value
    assert (fault.status, fault.refusal.code, fault.field) == (status, code, field)
    answer = json.dumps(fault.refusal.as_dict(), ensure_ascii=False).encode("utf-8")
    assert json.loads(answer)["message"] == fault.message


@pytest.mark.parametrize("name", HOSTILE)
def test_their_valid_twins_come_in(name: str) -> None:
    twin = HOSTILE[name][1]
    assert load(twin) == json.loads(twin)


def test_a_body_over_the_limit_is_not_even_decoded() -> None:
    assert load(b'"12345678"', 10) == "12345678"
    with pytest.raises(BodyFault) as caught:
        load(b"\xff" * 11, 10)
    assert (caught.value.status, caught.value.refusal.code) == (413, "body_too_large")


def test_depth_counts_containers_not_brackets_in_texts() -> None:
    assert load(json.dumps({"a": "[{" * 500}).encode())
    wide = json.dumps([{"b": [i]} for i in range(500)]).encode()
    assert len(load(wide)) == 500


def test_of_two_duplicates_the_path_and_the_name_are_told() -> None:
    with pytest.raises(BodyFault) as caught:
        load(b'{"buyer": {"name": "x", "tax_id": "1", "name": "y"}}')
    assert caught.value.field == "buyer" and caught.value.refusal.details["name"] == "name"


def test_the_first_fault_in_reading_order_is_told() -> None:
    with pytest.raises(BodyFault) as caught:
        load(b'{"a": "\\u0000", "b": ["\\u0000"], "c": "\\u0000"}')
    assert caught.value.field == "a"


def test_hostile_keys_are_inert_in_the_answer() -> None:
    with pytest.raises(BodyFault) as caught:
        load(b'{"\\u001b]52;c;x\\u0007": "\\u0000"}')
    assert "\x1b" not in caught.value.field + caught.value.message


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def clean_value(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and unicodedata.is_normalized("NFC", value)
    if isinstance(value, dict):
        return all(clean_value(key) and clean_value(child) for key, child in value.items())
    return all(clean_value(child) for child in value) if isinstance(value, list) else True


@settings(deadline=None, database=None)
@given(JSON_VALUES, st.booleans())
def test_the_door_lets_in_exactly_clean_values(value: object, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped).encode()
    if clean_value(value):
        assert load(raw) == value
    else:
        with pytest.raises(BodyFault):
            load(raw)


@settings(deadline=None, database=None, max_examples=300)
@given(
    st.binary(max_size=60) | st.text('{}[]",:0123456789.eE+-\\ud8tfnulNaIy \ufeffé\u0301', max_size=40).map(str.encode)
)
def test_no_bytes_at_all_get_past_as_anything_but_a_value_or_a_fault(raw: bytes) -> None:
    try:
        value = load(raw)
    except BodyFault as fault:
        assert fault.status in (400, 422)
    else:
        assert not isinstance(value, float) or math.isfinite(value)


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    rate: str


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[Inner]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b'{"lines": [], "x": 1}', "unknown_field", "x"),
        (b'{"lines": [{"rate": "1", "x": 1}]}', "unknown_field", "lines[0].x"),
        (b'{"lines": [{"rate": "1"}, {}]}', "missing_field", "lines[1].rate"),
        (b"{}", "missing_field", "lines"),
        (b'{"lines": [{"rate": 1}]}', "field_invalid", "lines[0].rate"),
        (b'{"lines": null}', "field_invalid", "lines"),
        (b"[]", "field_invalid", ""),
    ],
)
def test_a_value_of_another_shape_is_refused_with_its_path(body: bytes, code: str, field: str) -> None:
    with pytest.raises(BodyFault) as caught:
        read(body, Outer)
    assert (caught.value.status, caught.value.refusal.code, caught.value.field) == (422, code, field)


def test_the_right_shape_comes_in() -> None:
    assert shape({"lines": [{"rate": "1"}]}, Outer) == Outer(lines=[Inner(rate="1")])

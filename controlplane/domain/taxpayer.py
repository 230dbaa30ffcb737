"""A taxpayer (纳税人): its states and acts, and its id (纳税人识别号) with characters and check digits."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.foreign_text import clean
from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

Level = Literal["warn", "error"]
"""What a failed check digit is: real codes exist that fail it, so it warns unless set to refuse."""

_VERBS = (
    "change", "move", "allow_issue", "stop_issue", "fetch", "apply", "discard", "set_flag", "end_flag",
    "add_contact", "remove_contact",
)  # fmt: skip

MACHINE: Final = machine(
    "taxpayer",
    "active",
    (*(("active", verb, "active") for verb in _VERBS), ("active", "retire", "retired")),
)
"""A retired taxpayer is kept for its invoices and takes no act any more."""

FETCH_MACHINE: Final = machine(
    "taxpayer_fetch",
    "fetching",
    (
        ("fetching", "differ", "pending"),
        ("fetching", "agree", "unchanged"),
        ("fetching", "fail", "failed"),
        ("pending", "apply", "applied"),
        ("pending", "discard", "discarded"),
        ("pending", "supersede", "superseded"),
    ),
)
"""A look at the bureau: what differs waits until somebody applies or discards it, or a later look takes its place."""

TREE_DEPTH: Final = 8
"""Levels of 集团 → 公司 → 分支; the same as row ``tree_depth`` of the shipped rules."""
KINDS: Final = ("general", "small", "converted")
FLAGS: Final = (
    "tdqy", "ncpqy", "dxqy", "xgmkjzpbs", "esjdcbz", "cpybs", "cpybmdbs", "xtqy", "jyqy", "jdcqy", "tlqy", "wtdkqy",
)  # fmt: skip
"""Native names of the flags a device keeps of its company."""
COMPARED: Final = ("name", "taxpayer_kind", "registration_seq", "tax_authority_code", "tax_authority_name", "may_issue")
"""Fields the bureau has a word on."""

_NOUN = "taxpayers"
_OURS = (
    Field("address_phone", "text", optional=True),
    Field("bank_account", "text", optional=True),
    Field("issuer", "text", 16, optional=True),
)
_AUTHORITY = (
    Field("registration_seq", "word", optional=True),
    Field("tax_authority_code", "word", optional=True),
    Field("tax_authority_name", "text", optional=True),
)
_FLAG = Field("flag", "choice", choices=FLAGS)

ACTS: Final = (
    ActSpec(
        _NOUN,
        "register",
        (
            Field("taxpayer_id", "taxpayer_id"),
            Field("name", "text"),
            Field("taxpayer_kind", "choice", choices=KINDS),
            Field("region", "area"),
            *_OURS,
            *_AUTHORITY,
            Field("parent_id", "taxpayer_id", optional=True),
        ),
        "fleet.change",
        "collection",
    ),
    ActSpec(
        _NOUN,
        "change",
        (
            Field("name", "text", optional=True),
            Field("taxpayer_kind", "choice", choices=KINDS, optional=True),
            Field("region", "area", optional=True),
            *_OURS,
            *_AUTHORITY,
        ),
        "fleet.change",
    ),
    ActSpec(_NOUN, "move", (Field("parent_id", "taxpayer_id", optional=True),), "fleet.change"),
    ActSpec(_NOUN, "allow_issue", permission="fleet.change"),
    ActSpec(_NOUN, "stop_issue", permission="fleet.change", dangerous=True),
    ActSpec(_NOUN, "fetch", (Field("tax_server_id", "id", optional=True),)),
    ActSpec(_NOUN, "apply", (Field("fetch_id", "id"), Field("fields", "words", optional=True)), dangerous=True),
    ActSpec(_NOUN, "discard", (Field("fetch_id", "id"),)),
    ActSpec(
        _NOUN,
        "set_flag",
        (
            _FLAG,
            Field("value", "word"),
            Field("valid_from", "day", optional=True),
            Field("valid_to", "day", optional=True),
        ),
        "fleet.change",
    ),
    ActSpec(_NOUN, "end_flag", (_FLAG, Field("last_day", "day")), "fleet.change", dangerous=True),
    ActSpec(
        _NOUN,
        "add_contact",
        (
            Field("name", "text", 40),
            Field("phone", "text", 40, optional=True),
            Field("mail", "mail", optional=True),
            Field("duty", "text", 40, optional=True),
        ),
        "fleet.change",
    ),
    ActSpec(_NOUN, "remove_contact", (Field("contact_id", "id"),), "fleet.change"),
    ActSpec(_NOUN, "retire", permission="fleet.change", dangerous=True),
)
"""What may be done with taxpayers."""

WORDS: Final[Words] = {
    "verb": {
        "register": ("登记", "register"),
        "change": ("修改", "change"),
        "move": ("改上级", "move in the tree"),
        "allow_issue": ("允许开票", "allow issuing"),
        "stop_issue": ("禁止开票", "stop issuing"),
        "fetch": ("从税局获取", "fetch from the bureau"),
        "apply": ("采用差异", "apply what was fetched"),
        "discard": ("放弃差异", "discard what was fetched"),
        "set_flag": ("设置标志", "set flag"),
        "end_flag": ("终止标志", "end flag"),
        "add_contact": ("新增联系人", "add contact"),
        "remove_contact": ("删除联系人", "remove contact"),
        "retire": ("退役", "retire"),
    },
    "field": {
        "taxpayer_id": ("纳税人识别号", "taxpayer id"),
        "tax_server_id": ("税控服务器", "tax server"),
        "name": ("名称", "name"),
        "region": ("地区代码", "area code"),
        "taxpayer_kind": ("纳税人类型", "taxpayer type"),
        "address_phone": ("地址电话", "address and phone"),
        "bank_account": ("开户行及账号", "bank and account"),
        "issuer": ("开票人", "issuer"),
        "registration_seq": ("登记序号", "registration number"),
        "tax_authority_code": ("主管税务机关代码", "tax authority code"),
        "tax_authority_name": ("主管税务机关", "tax authority"),
        "parent_id": ("上级纳税人", "parent taxpayer"),
        "fetch_id": ("获取记录", "fetch"),
        "fields": ("字段", "fields"),
        "flag": ("标志", "flag"),
        "value": ("值", "value"),
        "valid_from": ("有效期起", "valid from"),
        "valid_to": ("有效期止", "valid to"),
        "last_day": ("最后一日", "last day"),
        "phone": ("电话", "phone"),
        "mail": ("邮箱", "mail"),
        "duty": ("职责", "duty"),
        "contact_id": ("联系人", "contact"),
    },
    "choice": {
        "general": ("一般纳税人", "general"),
        "small": ("小规模纳税人", "small-scale"),
        "converted": ("转登记纳税人", "converted"),
        "tdqy": ("特定企业", "specific enterprise"),
        "ncpqy": ("农产品", "farm products"),
        "dxqy": ("电信", "telecommunications"),
        "xgmkjzpbs": ("小规模可开专票", "small-scale may issue special invoices"),
        "esjdcbz": ("二手机动车", "used vehicles"),
        "cpybs": ("成品油", "refined oil"),
        "cpybmdbs": ("成品油白名单", "refined oil white list"),
        "xtqy": ("稀土", "rare earths"),
        "jyqy": ("卷烟", "cigarettes"),
        "jdcqy": ("机动车", "motor vehicles"),
        "tlqy": ("铁路", "railway"),
        "wtdkqy": ("委托代开", "commissioned issuing"),
    },
}
"""Words for verbs, fields and choices."""

LABELS: Final = {"active": ("在用", "active"), "retired": ("已退役", "retired")}
"""State → (Chinese, English) as shown."""

LENGTHS: Final = (15, 17, 18, 20)

_ALPHABET_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and capitals without I, O, Z, S, V."""
_VALUES_31 = {symbol: value for value, symbol in enumerate(_ALPHABET_31)}
_WEIGHTS_32100 = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ALPHABET_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES_36 = {symbol: value for value, symbol in enumerate(_ALPHABET_36)}
_WEIGHTS_11714 = (3, 7, 9, 10, 5, 8, 4, 2)
_UNIFIED_LENGTH = 18


def canonical(tax_id: str) -> str:
    """The one form of an id: NFKC, upper case, without blanks and invisible characters. Only for comparing."""
    folded = unicodedata.normalize("NFKC", tax_id).upper()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def unified_check_digit(first_17: str) -> str:
    """GB 32100 check symbol of the first 17 symbols of an 18-character code."""
    weighted = sum(_VALUES_31[symbol] * weight for symbol, weight in zip(first_17, _WEIGHTS_32100, strict=True))
    return _ALPHABET_31[(31 - weighted % 31) % 31]


def organisation_check_digit(first_8: str) -> str:
    """GB 11714 check symbol of the 8 symbols at positions 9 to 16 of an 18-character code."""
    weighted = sum(_VALUES_36[symbol] * weight for symbol, weight in zip(first_8, _WEIGHTS_11714, strict=True))
    remainder = 11 - weighted % 11
    return {10: "X", 11: "0"}.get(remainder, str(remainder))


def faults(tax_id: str, field: str = "") -> list[Refusal]:
    """What is wrong for certain: twins of another spelling, length, characters. Each names its position from 1."""
    twin = _not_canonical(tax_id, field)
    if twin is not None:
        return [twin]
    if len(tax_id) not in LENGTHS:
        return [refuse("tax_id_length", field, length=len(tax_id))]
    alphabet = _ALPHABET_31 if len(tax_id) == _UNIFIED_LENGTH else _ALPHABET_36
    for position, character in enumerate(tax_id, 1):
        if character not in alphabet:
            return [refuse("tax_id_character", field, position=position, character=character)]
    return []


def doubts(tax_id: str, field: str = "") -> list[Refusal]:
    """Check digits that do not fit, of an 18-character id without faults; older forms have no usable check."""
    if len(tax_id) != _UNIFIED_LENGTH:
        return []
    found = []
    for position, expected in ((17, organisation_check_digit(tax_id[8:16])), (18, unified_check_digit(tax_id[:17]))):
        character = tax_id[position - 1]
        if character != expected:
            found.append(refuse("tax_id_check_digit", field, position=position, character=character, expected=expected))
    return found


def examine(tax_id: str, field: str, level: Level) -> tuple[list[Refusal], list[Refusal]]:
    """(errors, warnings) of an id; failed check digits are errors or warnings by ``level``."""
    errors = faults(tax_id, field)
    if errors:
        return errors, []
    doubtful = doubts(tax_id, field)
    return (doubtful, []) if level == "error" else ([], doubtful)


def _not_canonical(tax_id: str, field: str) -> Refusal | None:
    if tax_id == canonical(tax_id):
        return None
    for position, character in enumerate(tax_id, 1):
        if canonical(character) != character:
            shown = clean(character, "terminal").replace(" ", "␠")
            return refuse("tax_id_not_canonical", field, position=position, character=shown)
    # Only a sequence of characters folds together: a letter and a combining mark.
    return refuse("tax_id_not_canonical", field, position=1, character=clean(tax_id[:1], "terminal"))

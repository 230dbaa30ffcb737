"""The calls that bring seals into use: TP_YZ*. The private key is made here and never answered."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agents.simulated import release_calls, seal_memory
from agents.simulated.refusals import Refusal
from agents.simulated.seal_memory import APPLIED, DOWNLOADED, KEYED, UPLOADED, KeptSeal
from agents.simulated.tax_server import Ask, Call, Done

ALGORITHM = "SM3-ECDSA-P256"
"""Stands for SM2 with SM3: the digest is the real one, the curve is one that a well-kept library signs with."""
_STATUS = {"waiting": 0, "granted": 1, "refused": 2}


def _certified(ask: Ask) -> None:
    if not ask.server.facts.not_after:
        raise Refusal("200001", "税控服务器未制证")


def _seals(ask: Ask) -> list[KeptSeal]:
    return seal_memory.seals(ask.server.around.store.memory, ask.server.tax_server_no)


def _applied_for(ask: Ask, least: int, missing: str) -> KeptSeal:
    """The seal of the area and application named, if it has come far enough."""
    wanted = (ask.text("SF", 4), ask.text("SQBH", 64))
    for seal in _seals(ask):
        if (seal.area, seal.application_no) == wanted and seal.step >= least:
            return seal
    raise Refusal("200001", missing)


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return key.public_key().public_bytes(encoding, form).hex()


def _private(seal: KeptSeal) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(seal.private_key, "big"), ec.SECP256R1())


async def fetch_key(ask: Ask) -> Done:
    """TP_YZMY: a new key pair for an area; told are its index and its public half."""
    _certified(ask)
    area = ask.text("SF", 4)
    key = ec.generate_private_key(ec.SECP256R1())
    raw = key.private_numbers().private_value.to_bytes(32, "big")
    seal = KeptSeal(ask.server.tax_server_no, f"MY{len(_seals(ask)) + 1:04d}", area, raw)
    return Done({"MYSY": seal.key_index, "QMGY": _public(key)}, [seal.row()])


async def apply(ask: Ask) -> Done:
    """TP_YZSQ: apply to the bureau for the seal of a key; one that was refused may be applied for again."""
    area, index = ask.text("SF", 4), ask.text("MYSY", 64)
    seal = next((one for one in _seals(ask) if (one.area, one.key_index) == (area, index)), None)
    if seal is None or seal.step not in (KEYED, APPLIED):
        raise Refusal("200001", "未获取签名公钥")
    wish = {
        "request": ask.text("LSH"),
        "area": area,
        "name": ask.text("JZZMC"),
        "public_key": _public(_private(seal)),
        "handler": f"{ask.text('JBRXM')} {ask.text('JBRSJ')} {ask.text('ZJHM')}",
    }
    answer = await ask.server.line.call("POST", f"/servers/{ask.server.tax_server_no}/seals", wish)
    seal.application_no, seal.step = str(answer["application_no"]), APPLIED
    return Done({"SQBH": seal.application_no}, [seal.row()])


async def download(ask: Ask) -> Done:
    """TP_YZXZ: SQZT 0 while the bureau has not decided, 1 once the seal is here, 2 when it refused."""
    seal = _applied_for(ask, APPLIED, "未申请")
    told: dict[str, Any] = await ask.server.line.call("GET", f"/seals/{seal.application_no}")
    answer = {"SQZT": _STATUS[told["status"]], "MS": told["message"], "YXQZ": told["not_after"]}
    if told["status"] != "granted":
        return Done(answer)
    seal.step, seal.not_after = max(seal.step, DOWNLOADED), told["not_after"]
    return Done(answer, [seal.row()])


async def upload(ask: Ask) -> Done:
    """TP_YZSC: put the downloaded seal to use on the server."""
    seal = _applied_for(ask, DOWNLOADED, "未下载")
    seal.step = UPLOADED
    return Done({"SQZT": 1}, [seal.row()])


async def sign(ask: Ask) -> Done:
    """TP_YZQM: sign a document. Under the fault ``wrong_seal_signature`` the answer is signed by another key."""
    seal = _applied_for(ask, UPLOADED, "签章未上传")
    key = _private(seal)
    state = hashes.Hash(hashes.SM3())
    state.update(ask.text("NR", 10_000).encode())
    digest = state.finalize()
    wrong = ask.server.around.faults.take((ask.owner,), "TP_YZQM", ("wrong_seal_signature",))
    signing = ec.generate_private_key(ec.SECP256R1()) if wrong else key
    signature = signing.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SM3())))
    return Done({"ZY": digest.hex(), "QM": signature.hex(), "QMGY": _public(key), "QMSF": ALGORITHM})


CALLS: dict[str, Call] = {
    "TP_YZMY": Call(fetch_key, changing=True, for_server=True),
    "TP_YZSQ": Call(apply, changing=True, for_server=True),
    "TP_YZXZ": Call(download, changing=True, for_server=True),
    "TP_YZSC": Call(upload, changing=True, for_server=True),
    "TP_YZQM": Call(sign, changing=True, for_server=True),
    **release_calls.CALLS,
}

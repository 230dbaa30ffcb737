"""Checking the canary of a seal: its digest and signature, by the algorithm the evidence names.

The one place that knows algorithms: SM2, once a well-kept library has it, is one more entry of ``_ALGORITHMS``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from controlplane.domain.refusals import Refusal, refuse
from controlplane.wire.evidence import SealTested


@dataclass(frozen=True, slots=True)
class Algorithm:
    """``digest`` of a document; ``verify`` (public key, digest, signature) tells whether the signature is of this key.

    ``verify`` raises ValueError for what is no key or signature of this algorithm.
    """

    digest: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]


def _sm3(document: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(document)
    return state.finalize()


def _p256(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    try:
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SM3())))
    except InvalidSignature:
        return False
    return True


_ALGORITHMS: Final = {"SM3-ECDSA-P256": Algorithm(_sm3, _p256)}
"""Name as the device tells it → algorithm. Assumed: real devices sign with SM2 (OID 1.2.156.10197.1.501)."""


def fault(public_key: str, document: str, tested: SealTested) -> Refusal | None:
    """What is wrong with a signed canary, None when nothing is.

    It must be the document we made, signed under the key that was fetched (hex), by an algorithm we can check.
    """
    algorithm = _ALGORITHMS.get(tested.algorithm)
    if algorithm is None:
        return refuse("seal_algorithm_unknown", algorithm=tested.algorithm[:40])
    if not public_key or tested.public_key.lower() != public_key.lower():
        return refuse("seal_key_differs")
    try:
        digest = algorithm.digest(document.encode())
        if not hmac.compare_digest(digest, bytes.fromhex(tested.digest)):
            return refuse("seal_digest_differs")
        if algorithm.verify(bytes.fromhex(public_key), digest, bytes.fromhex(tested.signature)):
            return None
    except (ValueError, UnsupportedAlgorithm):
        pass  # no hex, or nothing this algorithm could have made
    return refuse("seal_signature_wrong")

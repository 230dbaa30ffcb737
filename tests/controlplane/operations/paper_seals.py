"""Seals, releases and proxies on paper: what a tax server in good health would answer, with a real key to sign with."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from controlplane.store import times
from controlplane.store.lines import BureauEndpointRow
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work
from tests.controlplane.operations.scene import Scene

ALGORITHM = "SM3-ECDSA-P256"
NOT_AFTER = "2027-11-22T15:59:59.000Z"
PUBLISHED = (
    evidence.ReleaseFacts(version="V4.2", released_on="2026-01-05", effective_on="2026-02-01", notes="first"),
    evidence.ReleaseFacts(version="V4.3", released_on="2026-09-01", effective_on="2027-01-01", notes="next"),
)
PROXY_PUBLISHED = (
    evidence.ReleaseFacts(version="P1", released_on="2026-01-05", effective_on="2026-02-01", notes="first"),
    evidence.ReleaseFacts(version="P2", released_on="2026-09-01", effective_on="2026-11-01", notes="next"),
)


def put_address(scene: Scene, area: str, service: str = "tax") -> None:
    """One enabled bureau address."""
    row = BureauEndpointRow(
        id=times.new_id(), region=area, area_code=area, service=service, target=f"tls://{area}.example.test:443",
        enabled=1, created_at="2026-11-01T00:00:00.000Z", updated_at="2026-11-01T00:00:00.000Z",
    )  # fmt: skip
    scene.ledger.write_now(lambda tx: tx.add(row))


def sm3(text: str) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(text.encode())
    return state.finalize()


@dataclass
class Desk:
    """The seals, versions and proxies of tax servers; keys are numbered over all of them."""

    keys: list[ec.EllipticCurvePrivateKey] = field(default_factory=list)
    status: str = "granted"
    wrong: str = ""
    """What the next canary gets wrong: digest, signature, key, algorithm."""
    upgraded: dict[tuple[str | None, str], str] = field(default_factory=dict)
    """What runs by tax server and product, where it is not the version everything began with."""
    self_test: str = "passed"
    connections: int = 1
    max_connections: int = 8

    def point(self, index: int = -1) -> str:
        key = self.keys[index].public_key()
        return key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        ).hex()

    def evidence(self, order: wire.Order) -> evidence.Evidence | None:
        """What comes back of this room's orders when they are done; None for the orders of others."""
        asked = order.work
        if isinstance(asked, work.SealKey):
            self.keys.append(ec.generate_private_key(ec.SECP256R1()))
            return evidence.SealFacts(step="key_fetched", key_index=str(len(self.keys)), public_key=self.point())
        if isinstance(asked, work.SealApply):
            return evidence.SealFacts(step="applied", application_no=f"YZ{len(self.keys)}", bureau_status="applied")
        if isinstance(asked, work.SealDownload):
            return self._downloaded()
        if isinstance(asked, work.SealUpload):
            return evidence.SealFacts(step="uploaded", bureau_status="granted")
        if isinstance(asked, work.SealTest):
            return self._signed(asked.document)
        return self._other(order, asked)

    def _downloaded(self) -> evidence.SealFacts:
        if self.status == "granted":
            return evidence.SealFacts(step="downloaded", bureau_status="granted", not_after=NOT_AFTER)
        return evidence.SealFacts(step="applied", bureau_status=self.status, message="审批意见")

    def _signed(self, document: str) -> evidence.SealTested:
        digest = sm3("another document") if self.wrong == "digest" else sm3(document)
        key = ec.generate_private_key(ec.SECP256R1()) if self.wrong == "signature" else self.keys[-1]
        signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SM3())))
        return evidence.SealTested(
            digest=digest.hex(),
            signature=signature.hex(),
            public_key="04" + "00" * 64 if self.wrong == "key" else self.point(),
            algorithm="ROT13" if self.wrong == "algorithm" else ALGORITHM,
        )

    def _running(self, order: wire.Order, product: str) -> str:
        begun = {"tax_server": "V4.2", "secure_proxy": "P1"}
        return self.upgraded.get((order.address.tax_server_no, product), begun[product])

    def _other(self, order: wire.Order, asked: work.Work) -> evidence.Evidence | None:
        if isinstance(asked, work.CheckRelease):
            published = PUBLISHED if asked.product == "tax_server" else PROXY_PUBLISHED
            return evidence.Releases(
                product=asked.product, current=self._running(order, asked.product), releases=list(published)
            )
        if isinstance(asked, work.UpgradeRelease):
            failed = self.self_test == "failed"
            if not failed:
                self.upgraded[order.address.tax_server_no, asked.product] = asked.version
            return evidence.Upgraded(
                product=asked.product,
                version=self._running(order, asked.product),
                self_test="failed" if failed else "passed",
                rolled_back=failed,
                message="自检失败" if failed else "",
            )
        if isinstance(asked, work.ConfigureProxy):
            self.max_connections = asked.max_connections
            return self._proxy(order, asked)
        return self._proxy(order, None) if isinstance(asked, work.ReadProxy) else None

    def _proxy(self, order: wire.Order, asked: work.ConfigureProxy | None) -> evidence.ProxyFacts:
        return evidence.ProxyFacts(
            version=self._running(order, "secure_proxy"),
            running=True,
            connections=self.connections,
            max_connections=self.max_connections,
            socket_connections=asked.socket_connections if asked else 4,
            offline_interval_hours=asked.offline_interval_hours if asked else 2,
            log_level=asked.log_level if asked else 1,
            use_platform_key=asked.use_platform_key if asked else False,
            areas=len(asked.areas) if asked else 0,
        )

"""Small transmissions: 10 KB, RSA-2048, signed with SHA-256, encrypted with AES-256-CBC, signed synchronous MDN.

    receive_per_s              one gateway process over HTTP on loopback, kept-alive connections: decrypt, verify,
                               durable commit (SQLite, synchronous=FULL), signed MDN
    receive_2_processes_per_s  two processes on the same database
    send_per_s                 seal in memory
    send_http_per_s            dispatch: seal, store, POST to another gateway process, judge its MDN, commit
    open_per_s                 decrypt, verify and make the MDN in memory: what pyas2lib's figure covers
    receive_per_cpu_s          receive_per_s by the CPU time of the server instead of the clock: user and system of the
                               whole process, HTTP included. It hardly depends on what else runs on the machine
    client_cpu_share           of one core, what the load generator itself takes while one process is measured: it runs
                               beside it on the same cores

The figures by the clock are what counts, on a machine that does nothing else; those by CPU time are for one that does.

Peers: pyas2lib (build; parse and MDN, both in memory), and the floor of RSA: one private decryption and one signature,
without which there is no receipt, as often as one core can do that.

Every message has a Message-ID of its own and was sealed beforehand. Ours and the peers take turns, several rounds.
"""

from __future__ import annotations

import io
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from benchmarks.load import Answer, post_all, request
from benchmarks.result import Result, Say, left_out, median_of
from benchmarks.sides import KEY, Served, Side, serving, two_sides
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.opened import Opened, OpenedReport
from edi_gateway.as2.outbound import Sealed, seal
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.settlement import judge
from edi_gateway.gateway.app import open_gateway
from edi_gateway.gateway.dispatch import dispatch, enqueue

PAYLOAD_BYTES = 10 * 1024
ROUNDS = 3
CONNECTIONS_EACH = 4
RECEIVED_A_ROUND = 400  # by one process; twice as many by two
SEALED_A_ROUND = 200
SENT_A_ROUND = 60
PEER_A_ROUND = 40
FLOOR_A_ROUND = 300
JUDGED_EACH = 10  # every so manieth MDN is verified, outside of the time that counts

Figures = dict[str, list[float]]


def run(arguments: Sequence[str], say: Say) -> Result:
    """Measure; takes no arguments."""
    with tempfile.TemporaryDirectory(prefix="as2-benchmark-") as folder:
        marketplace, vendor = two_sides(Path(folder))
        bench = _Bench(marketplace, vendor)
        with serving(marketplace, 2) as served, serving(vendor) as served_vendor:
            marketplace.agree(vendor, f"http://127.0.0.1:{served_vendor[0].port}/as2")
            post_all([one.port for one in served], bench.requests(40), CONNECTIONS_EACH)
            for number in range(ROUNDS):
                say(f"round {number + 1} of {ROUNDS}")
                bench.round(served)
        return bench.result()


def payload() -> bytes:
    """Text like an interchange's, always the same."""
    chosen = random.Random(4130)
    return bytes(chosen.choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 +:'", k=PAYLOAD_BYTES))


@dataclass(slots=True)
class _Bench:
    """The two sides, and the figures of all rounds."""

    marketplace: Side
    vendor: Side
    figures: dict[str, Figures] = field(default_factory=dict)
    number: int = 0  # of the last Message-ID
    payload: bytes = field(default_factory=payload)
    ours: Relationship = field(init=False)  # the marketplace's with the vendor
    theirs: Relationship = field(init=False)
    peer: Any = field(init=False)

    def __post_init__(self) -> None:
        self.ours = self.marketplace.relationship(self.vendor)
        self.theirs = self.vendor.relationship(self.marketplace)
        self.peer = _peer(self.vendor, self.marketplace)

    def round(self, served: Sequence[Served]) -> None:
        """Every figure once."""
        self._both("rsa_floor", "receive", self._floor(), FLOOR_A_ROUND)
        self._receive_by_one(served[0])
        self._note("ours", "receive_2_processes_per_s", self._receive([one.port for one in served]))
        self._note("ours", "send_per_s", _per_second(self._seal, SEALED_A_ROUND))
        self._note("ours", "open_per_s", self._open())
        self._note("ours", "send_http_per_s", self._send())
        if not isinstance(self.peer, Mapping):
            built = [self.peer.build(self.payload) for _ in range(PEER_A_ROUND)]
            waiting = iter(built)
            self._both("pyas2lib", "receive", lambda: self.peer.parse(next(waiting)), PEER_A_ROUND)
            self._note("pyas2lib", "send_per_s", _per_second(lambda: self.peer.build(self.payload), PEER_A_ROUND))

    def _note(self, who: str, figure: str, value: float) -> None:
        self.figures.setdefault(who, {}).setdefault(figure, []).append(value)

    def _both(self, who: str, what: str, work: Callable[[], object], times: int) -> None:
        """By the clock, and by the CPU time of this process."""
        begins = time.process_time()
        self._note(who, f"{what}_per_s", _per_second(work, times))
        self._note(who, f"{what}_per_cpu_s", times / (time.process_time() - begins))

    # --- ours ---------------------------------------------------------------------------------------------------

    def _seal(self) -> Sealed:
        """One message of the vendor."""
        self.number += 1
        return seal(
            io.BytesIO(self.payload),
            self.theirs,
            message_id=f"<{self.number}@vendor.example>",
            now=datetime.now(UTC),
            filename="orders.edi",
            spool=io.BytesIO,
        )

    def requests(self, count: int) -> list[bytes]:
        sealed = (self._seal() for _ in range(count))
        return [request("/as2", one.headers, one.body.read()) for one in sealed]

    def _receive_by_one(self, served: Served) -> None:
        before = served.cpu_seconds()
        self._note("ours", "receive_per_s", self._receive([served.port]))
        self._note("ours", "receive_per_cpu_s", RECEIVED_A_ROUND / (served.cpu_seconds() - before))

    def _receive(self, ports: Sequence[int]) -> float:
        sealed = [self._seal() for _ in range(RECEIVED_A_ROUND * len(ports))]
        requests = [request("/as2", one.headers, one.body.read()) for one in sealed]
        answered = post_all(ports, requests, CONNECTIONS_EACH)
        if len(ports) == 1:
            self._note("ours", "client_cpu_share", answered.cpu_seconds / answered.seconds)
        self._judge({one.sent.message_id: one for one in sealed}, answered.answers)
        return answered.per_second

    def _judge(self, sealed: Mapping[str, Sealed], answers: Sequence[Answer]) -> None:
        """All answered, and the MDNs are what a partner accepts: signed, positive, with the right MIC."""
        if len(answers) != len(sealed) or any(answer.status != 200 for answer in answers):
            raise RuntimeError(f"not every message was answered with 200: {answers[0]}")
        for answer in islice(answers, 0, None, JUDGED_EACH):
            head = Headers.parse(answer.head.partition(b"\r\n")[2] + b"\r\n\r\n")
            opened = open_report(head, io.BytesIO(answer.body), self.theirs, io.BytesIO, datetime.now(UTC))
            if not isinstance(opened, OpenedReport):
                raise RuntimeError(f"an answer is no MDN: {opened}")
            settlement = judge(opened, sealed[opened.report.original_message_id].sent)
            if not settlement.outcome.is_positive:
                raise RuntimeError(f"an MDN does not count: {settlement}")

    def _open(self) -> float:
        sealed = [self._seal() for _ in range(SEALED_A_ROUND)]
        waiting = iter([(one.headers, one.body.read()) for one in sealed])
        return _per_second(lambda: self._opened(*next(waiting)), SEALED_A_ROUND)

    def _opened(self, fields: tuple[tuple[str, str], ...], body: bytes) -> None:
        headers, now = Headers(fields), datetime.now(UTC)
        asked = read_request(headers)
        opened = open_transmission(asked, headers, io.BytesIO(body), self.ours, io.BytesIO, now)
        assert isinstance(opened, Opened), opened
        compose(asked, self.ours, opened.disposition, opened.mic, "", message_id="<mdn@marketplace.example>", now=now)

    def _send(self) -> float:
        """The marketplace sends to the vendor's process."""
        gateway = open_gateway(self.marketplace.config)
        name = self.vendor.as2_id.lower()
        partnership = gateway.partnerships.by_name(name)
        assert partnership is not None
        with gateway.database.write() as uow:
            for _ in range(SENT_A_ROUND):
                stored = gateway.payloads.put(io.BytesIO(self.payload))
                enqueue(uow, gateway, partnership, stored, "application/edifact", "orders.edi")
            uow.commit()
        figure = _per_second(lambda: dispatch(gateway, name), SENT_A_ROUND)
        gateway.close()
        return figure

    # --- the floor ----------------------------------------------------------------------------------------------

    def _floor(self) -> Callable[[], object]:
        key, scheme, digest = self.marketplace.key().key, padding.PKCS1v15(), hashes.SHA256()
        assert isinstance(key, rsa.RSAPrivateKey)
        wrapped = key.public_key().encrypt(bytes(32), scheme)
        return lambda: (key.decrypt(wrapped, scheme), key.sign(b"attributes", scheme, digest))

    # --- what came of it ----------------------------------------------------------------------------------------

    def result(self) -> Result:
        medians = {who: {f: median_of(values) for f, values in found.items()} for who, found in self.figures.items()}
        ours = medians.pop("ours")
        peers: dict[str, Mapping[str, Any]] = {"pyas2lib": self.peer} if isinstance(self.peer, Mapping) else {}
        return Result(
            benchmark="as2",
            input={
                "payload_bytes": PAYLOAD_BYTES,
                "key": KEY,
                "signature": "sha-256 pkcs1v15",
                "cipher": "aes-256-cbc",
                "mdn": "signed, synchronous",
                "database": "sqlite, WAL, synchronous=FULL",
                "connections_each": CONNECTIONS_EACH,
                "rounds": ROUNDS,
                "received_a_round": RECEIVED_A_ROUND,
            },
            ours=ours,
            peers=medians | peers,
            more_ratios={
                "receive_2_processes_per_s/receive_per_s": ours["receive_2_processes_per_s"] / ours["receive_per_s"]
            }
            | _open_ratio(ours, medians),
        )


def _open_ratio(ours: Mapping[str, float], peers: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """In memory against in memory."""
    parsed = peers.get("pyas2lib", {}).get("receive_per_s")
    return {"open_per_s/pyas2lib": ours["open_per_s"] / parsed} if parsed else {}


def _peer(sender: Side, receiver: Side) -> Any:
    """pyas2lib, or why it cannot run."""
    try:
        from benchmarks.pyas2lib_peer import Pair
    except ImportError as error:
        return left_out(f"it does not import: {error}")
    return Pair(sender, receiver)


def _per_second(work: Callable[[], object], times: int) -> float:
    begins = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - begins)

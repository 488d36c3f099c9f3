"""`nodes`: what three nodes send against one, to partners who answer after 200 ms, on one real PostgreSQL.

Each node has one thread for its work, so that waiting is what there is to gain and two cores carry it all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.result import Result, Say
from tests.databases import Postgresql
from tests.nodes.cluster import cluster

LATENCY_SECONDS = 0.2
THREADS = 1
PARTNERS = 9
DOCUMENTS_A_NODE = 30


def run(arguments: Sequence[str], say: Say) -> Result:
    """Measure one node, then three."""
    if arguments:
        raise SystemExit("usage: python -m benchmarks nodes [--json]")
    server = Postgresql()
    try:
        one, three = (_per_second(server, nodes, say) for nodes in (1, 3))
    finally:
        server.close()
    return Result(
        benchmark="nodes",
        input={
            "latency_ms": 1000 * LATENCY_SECONDS,
            "threads_a_node": THREADS,
            "partners": PARTNERS,
            "documents_a_node": DOCUMENTS_A_NODE,
        },
        ours={"one_node_per_s": one, "three_nodes_per_s": three, "speedup_3_nodes": three / one},
    )


def _per_second(server: Postgresql, nodes: int, say: Say) -> float:
    """Documents that arrive in a second, from the first to the last."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(Path(folder), server, nodes=nodes, partners=PARTNERS, threads=THREADS, latency=LATENCY_SECONDS) as here,
    ):
        here.send(nodes * DOCUMENTS_A_NODE)
        here.rest(10 * nodes * DOCUMENTS_A_NODE)
        arrived = sorted(here.partners.arrived)
    rate = (len(arrived) - 1) / (arrived[-1] - arrived[0])
    say(f"{nodes} nodes: {rate:.1f} documents a second")
    return rate

"""Three nodes on one PostgreSQL under load: one is killed, one is stopped, and nothing is lost or doubled."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from edi_gateway.store.events import verify_chain
from edi_gateway.store.transmissions import Transmission, TransmissionDirection, TransmissionState
from tests.databases import Postgresql
from tests.nodes.cluster import Cluster, cluster


def test_a_node_dies_and_another_leaves_and_nothing_is_lost_or_doubled(tmp_path: Path, postgresql: Postgresql) -> None:
    with cluster(tmp_path, postgresql, nodes=3, partners=6) as here:
        here.send(45)
        posting = threading.Thread(target=here.post, args=(30,))
        posting.start()
        time.sleep(0.7)
        here.nodes[0].kill()
        time.sleep(0.5)
        assert here.nodes[1].stop() == 0
        posting.join()
        here.rest()
        nothing_lost_or_doubled(here)


def nothing_lost_or_doubled(here: Cluster) -> None:
    wanted = {*here.sent, *(f"CONTRL {reference}" for reference in here.posted)}
    assert set(here.partners.documents) == wanted
    assert {name for name, ids in here.partners.documents.items() if len(ids) > 1} == set()
    with here.gateway.database.read() as view:
        assert verify_chain(view.session).intact
        rows = view.session.execute(select(Transmission.direction, Transmission.state)).all()
    assert Counter(map(tuple, rows)) == {
        (TransmissionDirection.IN, TransmissionState.UNPACKED): len(here.posted),
        (TransmissionDirection.OUT, TransmissionState.ACKNOWLEDGED): len(wanted),
    }

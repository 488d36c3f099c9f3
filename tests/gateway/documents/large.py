"""A large interchange taken in by a process of its own: `python -m tests.gateway.documents.large FOLDER KIND MB UNZ`.

Prints what became of it, and how many megabytes of memory that took beyond what the process had before.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from edi_gateway.gateway.unpack import unpack
from edi_gateway.store.payloads import keep
from edi_gateway.store.transmissions import Transmission
from tests.core.marketplace.documents import BUYER, SUPPLIER
from tests.gateway.documents.desk import Desk

LINES = 1500
LINE = "LIN+{0}++3760123450010:EN'PIA+5+SKU-{0}:SA'QTY+145:148'QTY+66:10'"
REPORTS = "".join(LINE.format(number) for number in range(1, LINES + 1))


def message(kind: str, number: int) -> str:
    return (
        f"UNH+{number}+{kind}:D:96A:UN:EAN004'BGM+35+INV-{number}+9'DTM+137:202611220600:203'"
        f"NAD+SU+{SUPPLIER}::9'NAD+BY+{BUYER}::9'{REPORTS}UNT+{6 + 4 * LINES}+{number}'"
    )


def interchange(kind: str, megabytes: int, count: str) -> Iterator[bytes]:
    """At least so many megabytes; `count` is what UNZ says, "" for the truth."""
    yield f"UNA:+.? 'UNB+UNOC:3+{SUPPLIER}:14+{BUYER}:14+261122:0915+BIG++++1+EANCOM'".encode()
    number = size = 0
    while size < megabytes * 1024**2:
        number += 1
        text = message(kind, number).encode()
        size += len(text)
        yield text
    yield f"UNZ+{count or number}+BIG'".encode()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: str, kind: str, megabytes: str, count: str) -> None:
    desk = Desk(Path(folder), handlers={"INVRPT": lambda context, record: []})
    with (Path(folder) / "large.edi").open("w+b") as file:
        file.writelines(interchange(kind, int(megabytes), count))
        file.seek(0)
        payload = desk.gateway.payloads.put(file)
    identifier = desk.receive("a small one, whose place the large one takes")
    with desk.gateway.database.write() as uow:
        keep(uow, payload, desk.now)
        uow.session.flush()
        row = uow.session.get_one(Transmission, identifier)
        row.payload_sha256, row.payload_size = payload.sha256, payload.size
        uow.commit()
    before = peak_mb()
    unpack(desk.gateway, identifier)
    used = peak_mb() - before
    (book,) = desk.interchanges()
    states = [each.state.value for each in desk.received(kind)]
    contrl = desk.sent("CONTRL")
    desk.close()
    print(json.dumps({"mb": used, "size": payload.size, "state": book.state.value, "messages": states, "sent": contrl}))


if __name__ == "__main__":
    main(*sys.argv[1:])

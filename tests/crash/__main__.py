"""`make crash`: SIGKILL at any moment, to either side, under load; then nothing may be lost and nothing twice.

    make crash                          200 kills
    make crash ARGS="--kills 1000 --seed 7"

Orders come in all the while, each with its idempotency key and again until it is answered. A side that was killed
starts again at once, its clock a while on. In the end both sides come to rest, and their databases and payloads are
read. The last line is `kills N, documents N, lost N, doubled N`; the exit code is 1 unless nothing is lost and nothing
doubled.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import click

from tests.crash.trade import LATER, Trade, trading

PAUSE_SECONDS = (0.05, 1.2)  # from the start of a side to its death
ORDERS_WAITING_MAX = 12  # brought in and not through yet: load, and an end of it
REST_SECONDS_MAX = 300.0


class Load:
    """A thread that brings in orders as long as it is wanted."""

    def __init__(self, trade: Trade) -> None:
        self._trade = trade
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.is_set():
            if self._trade.open_orders() >= ORDERS_WAITING_MAX:
                time.sleep(0.1)
                continue
            number = self._trade.next_number()
            while not self._trade.try_order(number):  # also after the end: what was begun is brought in
                time.sleep(0.05)


def kill_at_random(trade: Trade, kills: int, chance: random.Random) -> None:
    """So many kills, of either side."""
    shown = time.monotonic()
    while trade.kills < kills:
        side = chance.choice((trade.marketplace, trade.vendor))
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        side.kill()
        side.start(ahead=LATER)
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{trade.kills} of {kills} kills, {len(trade.numbers)} orders", file=sys.stderr, flush=True)


@click.command()
@click.option("--kills", type=click.IntRange(1), default=200, show_default=True, help="How often a process is killed.")
@click.option("--seed", type=int, help="Of the moments; a new one each time unless given.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Leave both sides' folders there.")
def main(kills: int, seed: int | None, keep: Path | None) -> None:
    """Kill either side at random moments under load, and count what is lost or doubled."""
    seed = random.randrange(10**6) if seed is None else seed
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="edi-crash-") as scratch, trading(keep or Path(scratch)) as trade:
        with Load(trade):
            kill_at_random(trade, kills, random.Random(seed))
        for side in (trade.marketplace, trade.vendor):  # what the last one left is under a lease
            side.kill()
            side.start(ahead=LATER)
        trade.come_to_rest(REST_SECONDS_MAX)
        documents, lost, doubled = trade.counts()
        for name in [*(f"lost: {one}" for one in lost), *(f"doubled: {one}" for one in doubled)]:
            print(name, file=sys.stderr)
        print(f"kills {trade.kills}, documents {documents}, lost {len(lost)}, doubled {len(doubled)}")
        trade.assert_whole()


if __name__ == "__main__":
    main()

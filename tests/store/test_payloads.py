"""Payloads: named by their bytes, written once, durable at the latest with the commit that speaks of them."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.store.database import Database
from edi_gateway.store.payloads import (
    CHUNK_BYTES,
    SMALL_BYTES_MAX,
    SPOOL_MEMORY_BYTES_MAX,
    Payload,
    PayloadMissing,
    PayloadStore,
    PayloadTooLarge,
    Stored,
    keep,
)
from tests.databases import database_url

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BIG = SMALL_BYTES_MAX + 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url(tmp_path))
    database.create_all()
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path, database: Database) -> PayloadStore:
    return PayloadStore(tmp_path / "payloads", database)


def commit(database: Database, *kept: Stored) -> None:
    with database.write() as uow:
        for stored in kept:
            keep(uow, stored, NOW)
        uow.commit()


def files(store: PayloadStore) -> list[Path]:
    return [path for path in store.path("0" * 64).parents[2].rglob("*") if path.is_file()]


@given(st.binary(max_size=2000), st.sampled_from([1, SMALL_BYTES_MAX]))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_put_comes_back_under_its_digest(
    database: Database, store: PayloadStore, data: bytes, times: int
) -> None:
    data *= times
    stored = store.put(io.BytesIO(data))
    assert stored == Stored(hashlib.sha256(data).hexdigest(), len(data))
    with store.open(stored) as stream:
        assert stream.read() == data
    commit(database, stored)
    with store.open(stored.sha256) as stream:
        assert stream.read() == data
    assert b"".join(store.chunks(stored.sha256, 4096)) == data


@pytest.mark.parametrize(("size", "is_file"), [(SMALL_BYTES_MAX, False), (BIG, True)])
def test_a_small_one_is_no_file(database: Database, store: PayloadStore, size: int, is_file: bool) -> None:
    stored = store.put(io.BytesIO(b"x" * size))
    commit(database, stored)
    assert (len(files(store)), stored.content is None) == (is_file, is_file)


def test_a_small_one_that_no_commit_followed_was_never_kept(database: Database, store: PayloadStore) -> None:
    stored = store.put(io.BytesIO(b"not promised"))
    with database.write() as uow:
        keep(uow, stored, NOW)
    with pytest.raises(PayloadMissing):
        store.open(stored.sha256)


def test_a_small_one_is_written_once(database: Database, store: PayloadStore) -> None:
    commit(database, store.put(io.BytesIO(b"once")))
    commit(database, store.put(io.BytesIO(b"once")), store.put(io.BytesIO(b"once")))
    with database.read() as view:
        assert view.session.query(Payload).count() == 1


def test_a_stream_that_drips_is_read_to_its_end(store: PayloadStore) -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    assert store.put(Dripping(b"x" * BIG)).size == BIG


def test_the_store_answers_only_while_files_can_be_kept(store: PayloadStore) -> None:
    assert store.answers()
    (store.path("0" * 64).parents[2] / "incoming").rmdir()
    with pytest.raises(OSError, match="incoming"):
        store.answers()


def test_a_big_one_is_streamed(store: PayloadStore) -> None:
    class Chunked(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= CHUNK_BYTES
            return super().read(size)

    data = os.urandom(CHUNK_BYTES * 3 + 1)
    assert store.put(Chunked(data)).size == len(data)


def test_the_same_bytes_are_one_file(store: PayloadStore) -> None:
    assert store.put(io.BytesIO(b"1" * BIG)) == store.put(io.BytesIO(b"1" * BIG))
    assert len(files(store)) == 1


def test_it_cannot_be_written_again(store: PayloadStore) -> None:
    path = store.path(store.put(io.BytesIO(b"k" * BIG)).sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_the_name_is_there_only_after_the_bytes_are_durable(
    store: PayloadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync of the file, rename, fsync of the folder: in that order."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def watched_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watched_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    store.put(io.BytesIO(b"d" * BIG))
    assert steps[:3] == ["file", "rename", "folder"]


@pytest.mark.parametrize("bound", [10, CHUNK_BYTES * 2])
@pytest.mark.parametrize(("over", "fits"), [(-1, True), (0, True), (1, False), (CHUNK_BYTES, False)])
def test_the_bound_is_exact_and_leaves_nothing_behind(store: PayloadStore, bound: int, over: int, fits: bool) -> None:
    if fits:
        assert store.put(io.BytesIO(b"x" * (bound + over)), bound).size == bound + over
        return
    with pytest.raises(PayloadTooLarge, match=f"{bound} bytes"):
        store.put(io.BytesIO(b"x" * (bound + over)), bound)
    assert files(store) == []


def test_a_stream_that_breaks_leaves_nothing_behind(store: PayloadStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the connection is gone")

    with pytest.raises(OSError, match="gone"):
        store.put(Broken())
    assert files(store) == []


def test_a_missing_payload_says_what_to_do(store: PayloadStore) -> None:
    with pytest.raises(PayloadMissing, match="restore it"):
        store.open("0" * 64)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "0" * 63, "0" * 65, "A" * 64, "", "0" * 63 + "/", "0" * 63 + "\n"]
)
def test_only_a_digest_names_a_payload(store: PayloadStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.path(name)


@pytest.mark.parametrize("size", [SPOOL_MEMORY_BYTES_MAX, SPOOL_MEMORY_BYTES_MAX + 1])
def test_a_spool_is_scratch(store: PayloadStore, size: int) -> None:
    with store.spool() as spool:
        spool.write(b"x" * size)
        spool.seek(0)
        assert len(spool.read()) == size
    assert files(store) == []

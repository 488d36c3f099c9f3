"""Payload files: named by their bytes, written once, durable before a row speaks of them."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.store.payloads import (
    CHUNK_BYTES,
    SPOOL_MEMORY_BYTES_MAX,
    PayloadMissing,
    PayloadStore,
    PayloadTooLarge,
    Stored,
)


@pytest.fixture
def store(tmp_path: Path) -> PayloadStore:
    return PayloadStore(tmp_path / "payloads")


def files(store: PayloadStore) -> list[Path]:
    return [path for path in store.path("0" * 64).parents[2].rglob("*") if path.is_file()]


@given(st.binary(max_size=2000))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_put_comes_back_under_its_digest(store: PayloadStore, data: bytes) -> None:
    stored = store.put(io.BytesIO(data))
    assert stored == Stored(hashlib.sha256(data).hexdigest(), len(data))
    with store.open(stored.sha256) as stream:
        assert stream.read() == data
    assert b"".join(store.chunks(stored.sha256, 7)) == data


def test_a_big_one_is_streamed(store: PayloadStore) -> None:
    class Chunked(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= CHUNK_BYTES
            return super().read(size)

    data = os.urandom(CHUNK_BYTES * 3 + 1)
    assert store.put(Chunked(data)).size == len(data)


def test_the_same_bytes_are_one_file(store: PayloadStore) -> None:
    assert store.put(io.BytesIO(b"once")) == store.put(io.BytesIO(b"once"))
    assert len(files(store)) == 1


def test_it_cannot_be_written_again(store: PayloadStore) -> None:
    path = store.path(store.put(io.BytesIO(b"kept")).sha256)
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
    store.put(io.BytesIO(b"durable"))
    assert steps[:3] == ["file", "rename", "folder"]


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False), (CHUNK_BYTES * 2, False)])
def test_the_bound_is_exact_and_leaves_nothing_behind(store: PayloadStore, size: int, fits: bool) -> None:
    if fits:
        assert store.put(io.BytesIO(b"x" * size), 10).size == size
        return
    with pytest.raises(PayloadTooLarge, match="10 bytes"):
        store.put(io.BytesIO(b"x" * size), 10)
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

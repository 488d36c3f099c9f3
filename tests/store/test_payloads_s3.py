"""Payloads in a bucket: kept under their digest, durable before their row, verified when they are read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from edi_gateway.config import Config, ConfigError, read
from edi_gateway.gateway.app import payload_store
from edi_gateway.store.database import Database
from edi_gateway.store.payloads import SMALL_BYTES_MAX, PayloadMissing, PayloadTooLarge
from edi_gateway.store.payloads_s3 import PART_BYTES, BucketFault, PayloadAltered, S3PayloadStore
from tests.databases import database_url

pytestmark = pytest.mark.once

BIG = bytes(range(256)) * (SMALL_BYTES_MAX // 256) + b"!"


@pytest.fixture(scope="module")
def bucket_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"s3://payloads/gateway?endpoint_url=http://{host}:{port}&region=eu-west-3"
    server.stop()


@pytest.fixture
def store(tmp_path: Path, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3PayloadStore]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    database = Database(database_url(tmp_path))
    database.create_all()
    found = payload_store(Config(data_dir=tmp_path, payload_url=bucket_url), database)
    assert isinstance(found, S3PayloadStore)
    client = bucket(found)
    client.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    yield found
    for each in client.list_objects_v2(Bucket="payloads").get("Contents", []):
        client.delete_object(Bucket="payloads", Key=each["Key"])
    client.delete_bucket(Bucket="payloads")
    found.close()
    database.close()


def bucket(store: S3PayloadStore) -> Any:
    return store._client


def names(store: S3PayloadStore) -> list[str]:
    return [each["Key"] for each in bucket(store).list_objects_v2(Bucket="payloads").get("Contents", [])]


def test_a_large_payload_is_an_object_under_its_digest(store: S3PayloadStore) -> None:
    stored = store.put(io.BytesIO(BIG))
    sha = hashlib.sha256(BIG).hexdigest()
    assert (stored.sha256, stored.size, stored.content) == (sha, len(BIG), None)
    assert names(store) == [f"gateway/{sha[:2]}/{sha[2:4]}/{sha}"]
    with store.open(sha) as stream:
        assert stream.read() == BIG
    assert b"".join(store.chunks(sha)) == BIG


def test_a_small_one_stands_in_its_row(store: S3PayloadStore) -> None:
    stored = store.put(io.BytesIO(BIG[:SMALL_BYTES_MAX]))
    assert stored.content == BIG[:SMALL_BYTES_MAX]
    assert names(store) == []


def test_more_than_one_part(store: S3PayloadStore) -> None:
    data = BIG * (2 * PART_BYTES // len(BIG) + 1)
    stored = store.put(io.BytesIO(data))
    assert hashlib.sha256(b"".join(store.chunks(stored.sha256))).hexdigest() == stored.sha256


def test_the_same_bytes_are_one_object(store: S3PayloadStore) -> None:
    assert store.put(io.BytesIO(BIG)) == store.put(io.BytesIO(BIG))
    assert len(names(store)) == 1


def test_what_was_altered_is_given_to_nobody(store: S3PayloadStore) -> None:
    stored = store.put(io.BytesIO(BIG))
    bucket(store).put_object(Bucket="payloads", Key=names(store)[0], Body=BIG[:-1] + b"?")
    with pytest.raises(PayloadAltered, match="other bytes"):
        store.open(stored.sha256)


def test_what_is_gone_is_missing(store: S3PayloadStore) -> None:
    with pytest.raises(PayloadMissing, match="not in the store"):
        store.open("ab" * 32)


def test_a_stream_beyond_the_bound_leaves_nothing(store: S3PayloadStore) -> None:
    with pytest.raises(PayloadTooLarge):
        store.put(io.BytesIO(BIG), len(BIG) - 1)
    assert names(store) == []


def test_a_bucket_that_refuses_is_a_fault_of_storage(store: S3PayloadStore, tmp_path: Path, bucket_url: str) -> None:
    assert store.answers()
    elsewhere = S3PayloadStore(bucket_url.replace("s3://payloads", "s3://nowhere"), tmp_path / "else", store._database)
    with pytest.raises(BucketFault, match="payload_url"):
        elsewhere.put(io.BytesIO(BIG))
    with pytest.raises(BucketFault):
        elsewhere.answers()
    elsewhere.close()


@pytest.mark.parametrize("url", ["http://bucket/x", "s3://", "s3://key:secret@bucket/", "s3://bucket?acl=public-read"])
def test_only_a_bucket_is_a_place(url: str) -> None:
    with pytest.raises(ConfigError, match="payload_url"):
        read(f"payload_url = '{url}'", "gateway.toml", {})

"""Large payloads in S3, or what speaks like it: for several machines that see no common folder.

    payload_url = "s3://bucket/prefix?endpoint_url=https://s3.example&region=eu-west-3"

The name of an object is the SHA-256 of its bytes, as with files. A put goes through a scratch file, because the name is
known at the end only, and from there in parts to the bucket; when it returns, the object is durable and a row may speak
of it. What is read is compared with its name before anybody gets it. Nothing is held in memory as a whole, and small
payloads stand in their row as ever. Credentials come from where AWS's own tools find them, never from the URL.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import parse_qs, urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from edi_gateway.store.database import Database
from edi_gateway.store.payloads import CHUNK_BYTES, PUT_SECONDS_MAX, PayloadMissing, PayloadStore, Stored

PART_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS_MAX = 10
READ_SECONDS_MAX = 60
ATTEMPTS_MAX = 4
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})

Result = TypeVar("Result")


class PayloadAltered(PayloadMissing):
    """An object whose bytes are not those of its name: damaged or replaced from outside."""

    def __init__(self, sha256: str, found: str) -> None:
        super().__init__(sha256)
        self.args = (f"payload {sha256} has other bytes in the bucket (SHA-256 {found}); restore it from the backup",)


class BucketFault(OSError):
    """The bucket does not answer or refuses: what was to be kept is not kept."""


class S3PayloadStore(PayloadStore):
    """A bucket of content-addressed objects, `prefix/ab/cd/<sha256>`, and the small payloads in the database."""

    def __init__(self, url: str, scratch: Path, database: Database) -> None:
        super().__init__(scratch, database)
        parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._bucket = parts.hostname or ""
        self._prefix = parts.path.strip("/")
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=options.get("endpoint_url"),
            region_name=options.get("region"),
            config=Config(
                connect_timeout=CONNECT_SECONDS_MAX,
                read_timeout=READ_SECONDS_MAX,
                retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
            ),
        )
        self._transfer = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2, use_threads=True
        )

    def answers(self) -> bool:
        """Whether the bucket is there and lets us in. Raises OSError if not."""
        _told(lambda: self._client.head_bucket(Bucket=self._bucket))
        return True

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _put_large(self, chunks: Iterable[bytes]) -> Stored:
        digest, size = hashlib.sha256(), 0
        with self.spool() as scratch:
            for chunk in chunks:
                size += len(chunk)
                digest.update(chunk)
                scratch.write(chunk)
            stored = Stored(digest.hexdigest(), size)
            if not self._is_there(stored):
                scratch.seek(0)
                self._upload(scratch, self._key(stored.sha256))
        return stored

    def _upload(self, source: BinaryIO, key: str) -> None:
        _told(lambda: self._client.upload_fileobj(source, self._bucket, key, Config=self._transfer))

    def _is_there(self, stored: Stored) -> bool:
        try:
            head = _told(lambda: self._client.head_object(Bucket=self._bucket, Key=self._key(stored.sha256)))
        except FileNotFoundError:
            return False
        return bool(head["ContentLength"] == stored.size) and not _may_be_removed(head)

    def remove(self, sha256: str) -> bool:
        """Remove the object of a payload whose row is purged already, unless it was put again a short time ago."""
        key = self._key(sha256)
        try:
            if not _may_be_removed(_told(lambda: self._client.head_object(Bucket=self._bucket, Key=key))):
                return False
        except FileNotFoundError:
            return False
        _told(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))
        return True

    def _opened(self, sha256: str) -> BinaryIO:
        content = self._small(sha256)
        if content is not None:
            return io.BytesIO(content)
        try:
            body = _told(lambda: self._client.get_object(Bucket=self._bucket, Key=self._key(sha256)))["Body"]
        except FileNotFoundError:
            raise PayloadMissing(sha256) from None
        return self._verified(body, sha256)

    def _verified(self, body: Any, sha256: str) -> BinaryIO:
        """The object in a scratch file, from the start, once it is known to be what its name says."""
        digest, scratch = hashlib.sha256(), self.spool()
        try:
            while chunk := _told(lambda: body.read(CHUNK_BYTES)):
                digest.update(chunk)
                scratch.write(chunk)
            if digest.hexdigest() != sha256:
                raise PayloadAltered(sha256, digest.hexdigest())
        except BaseException:
            scratch.close()
            raise
        finally:
            with suppress(BotoCoreError):
                body.close()
        scratch.seek(0)
        return scratch

    def _key(self, sha256: str) -> str:
        name = "/".join(self.path(sha256).parts[-3:])
        return f"{self._prefix}/{name}" if self._prefix else name


def _may_be_removed(head: Any) -> bool:
    """Whether a purge may take the object away; then a put writes it once more, which makes it new."""
    age: timedelta = datetime.now(UTC) - head["LastModified"]
    return age.total_seconds() >= PUT_SECONDS_MAX


def _told(ask: Callable[[], Result]) -> Result:
    """The answer; BucketFault, or FileNotFoundError for an object that is not there."""
    try:
        return ask()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT and error.operation_name != "HeadBucket":
            raise FileNotFoundError(str(error)) from None
        raise BucketFault(f"the payload bucket refuses: {error}; check payload_url and its credentials") from None
    except (BotoCoreError, boto3.exceptions.Boto3Error) as error:
        raise BucketFault(f"the payload bucket does not answer: {error}; check payload_url") from None

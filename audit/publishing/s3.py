"""Published files in S3-compatible object storage.

Credentials and region come from where AWS tools look: environment variables, shared files, instance roles. The client
library is loaded only when such a store is opened.

A new object is put on the condition that none is there (If-None-Match: *), and the checkpoint on the condition that
it is the one that was read (If-Match). Servers that do not know these conditions are found out with the first object:
there, objects are read and compared before they are put.
"""

import hashlib
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from audit.publishing.store import MAX_FILE_BYTES, File, StoreError, cache_control, content_type, differs

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

AT_ONCE: Final = 8
"""Requests under way at a time while a log is caught up with."""

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 20
_ATTEMPTS: Final = 4
_CONFLICTS: Final = 3
_log = logging.getLogger("audit.publisher")


class _Unmet(Exception):
    """The condition of a conditional write does not hold."""


class _Unsupported(Exception):
    """The server does not do conditional writes."""


class S3Store:
    """Objects under `prefix` in a bucket that exists.

    Args:
        bucket: name of the bucket.
        prefix: what all keys start with, without slashes at its ends; may be empty.
        endpoint_url: the server, when it is not Amazon's.
    """

    def __init__(self, bucket: str, prefix: str = "", *, endpoint_url: str = "") -> None:
        self.place = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        with self._translated():
            self._client = _client(endpoint_url)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="publish")
        self._conditional: bool | None = None

    def read(self, path: str) -> bytes | None:
        """See Store.read."""
        found = self._get(path)
        return found and found[0]

    def add(self, files: Sequence[File]) -> None:
        """See Store.add."""
        rest = list(files)
        if self._conditional is None and rest:
            self._try_conditions(rest.pop(0))
        self._each(self._put_new, rest)

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """See Store.replace."""
        found = self._get(path)
        current, tag = found or (None, "")
        if current == content:
            return
        if current != expected:
            raise differs(path, self.place)
        if self._conditional:
            try:
                self._put(path, content, **({"IfMatch": tag} if found else {"IfNoneMatch": "*"}))
            except _Unmet:
                # Also the answer to our own write when its first answer was lost on the way.
                if self.read(path) != content:
                    raise differs(path, self.place) from None
            except _Unsupported:
                self._put(path, content)
        else:
            self._put(path, content)

    def remove(self, folder: str) -> None:
        """See Store.remove."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{folder}/"
            )
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        self._each(self._delete, keys)

    def close(self) -> None:
        """Ends the threads and closes the connections."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _each(self, do: Callable[[Any], None], items: Sequence[object]) -> None:
        running = [self._pool.submit(do, item) for item in items]
        # All are waited for, so that nothing is under way any more when the first error is raised.
        for error in [future.exception() for future in running]:
            if error:
                raise error

    def _try_conditions(self, file: File) -> None:
        """Put a file after reading, then once more on the condition that it is not there."""
        self._compare_or_put(file)
        try:
            self._put(file.path, file.content, IfNoneMatch="*")
        except _Unmet:
            self._conditional = True
        except _Unsupported:
            self._conditional = False
        else:
            self._conditional = False
        if not self._conditional:
            _log.warning("%s does not do conditional writes: files are compared before they are put", self.place)

    def _put_new(self, file: File) -> None:
        if not self._conditional:
            self._compare_or_put(file)
            return
        try:
            self._put(file.path, file.content, IfNoneMatch="*")
        except _Unmet:
            if self.read(file.path) != file.content:
                raise differs(file.path, self.place) from None

    def _compare_or_put(self, file: File) -> None:
        found = self.read(file.path)
        if found is None:
            self._put(file.path, file.content)
        elif found != file.content:
            raise differs(file.path, self.place)

    def _get(self, path: str) -> tuple[bytes, str] | None:
        from botocore.exceptions import ClientError

        with self._translated():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                    return None
                raise
            with answer["Body"] as body:
                return body.read(MAX_FILE_BYTES + 1), answer["ETag"]

    def _put(self, path: str, content: bytes, **condition: Any) -> None:
        """Raises _Unmet, _Unsupported, StoreError."""
        from botocore.exceptions import ClientError

        digest = hashlib.md5(content, usedforsecurity=False).digest()
        with self._translated():
            for attempt in range(_CONFLICTS):
                try:
                    self._client.put_object(
                        Bucket=self._bucket,
                        Key=self._prefix + path,
                        Body=content,
                        # Only against damage on the way; the one checksum that all servers know.
                        ContentMD5=b64encode(digest).decode("ascii"),
                        ContentType=content_type(path),
                        CacheControl=cache_control(path),
                        **condition,
                    )
                    return
                except ClientError as error:
                    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                    if condition and status == HTTPStatus.PRECONDITION_FAILED:
                        raise _Unmet from error
                    if condition and status in {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.NOT_MODIFIED}:
                        raise _Unsupported from error
                    # A conflict: two writes of one object met, and neither condition was judged. Ask again.
                    if not (condition and status == HTTPStatus.CONFLICT and attempt < _CONFLICTS - 1):
                        raise

    def _delete(self, key: str) -> None:
        with self._translated():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The library's errors as StoreError; of what a server says only its code, the rest may repeat the request."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = error.response["Error"].get("Code", "unknown error")
            raise StoreError(f"{self.place} refused {error.operation_name}: {code}.") from error
        except BotoCoreError as error:
            raise StoreError(f"{self.place} cannot be used: {error}") from error


def _client(endpoint_url: str) -> "S3Client":
    from boto3.session import Session
    from botocore.config import Config

    session = Session()
    return session.client(
        "s3",
        endpoint_url=endpoint_url or None,
        # Servers other than Amazon's mostly ignore the region, but a request is signed for one.
        region_name=session.region_name or "us-east-1",
        config=Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            max_pool_connections=AT_ONCE + 1,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint_url else "auto"},
        ),
    )

"""Objects by key in a bucket of an S3-compatible service: the client factory, and what is promised.

An object appears whole or not at all, and is read as it was last written. `create` and `replace`
are conditional: of several who try at once, one succeeds. AWS, MinIO, SeaweedFS, Cloudflare R2 and
Ceph have such writes; where a service ignores the condition, all of them succeed.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from core.errors import ServiceUnavailableError, UsageError
from core.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME: Final = "s3://"
# Bytes that one request reads or writes: each has a deadline of its own, and S3 puts no more than
# 10,000 parts together.
_PIECE: Final = 32 << 20
_AT_ONCE: Final = 4
_CONNECT: Final = timedelta(seconds=3)
_SILENCE: Final = timedelta(seconds=30)
_REQUEST: Final = timedelta(seconds=60)
_ATTEMPTS: Final = timedelta(seconds=20)
_RETRIES: Final = 3
# A look is taken by who has something else to do: it fails soon, and is taken again.
_LOOK: Final = timedelta(seconds=3)


class ObjectStoreError(ServiceUnavailableError):
    """The object store does not answer or refuses. See its address, the key and the bucket."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object that was read."""

    content: bytes
    tag: str  # changes with the content


class Bucket:
    """The objects of a bucket below a prefix. Its methods raise `ObjectStoreError`."""

    def __init__(self, url: str, patient: "S3Store", quick: "S3Store") -> None:
        self.url = url
        self._patient = patient
        self._quick = quick

    def __repr__(self) -> str:
        return f"Bucket({self.url!r})"

    def place(self, key: str) -> str:
        """What an object is called in messages."""
        return f"{self.url}/{key}"

    def read(self, key: str) -> Found | None:
        """An object; None if there is none."""
        with self._reached(f"read {key}"):
            try:
                answer = self._patient.get(key)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
            return Found(content=bytes(answer.bytes()), tag=answer.meta["e_tag"] or "")

    def tag(self, key: str) -> str | None:
        """What `Found.tag` would be, after one quick attempt; None if there is no object."""
        with self._reached(f"look at {key}"):
            try:
                return self._quick.head(key)["e_tag"]
            except FileNotFoundError:
                return None

    def write(self, key: str, content: bytes) -> None:
        """Write an object, in place of the one that is there."""
        with self._reached(f"write {key}"):
            self._patient.put(key, content, use_multipart=False)

    def create(self, key: str, content: bytes) -> str | None:
        """Write an object and give its tag, if there is none; else None."""
        with self._reached(f"create {key}"), contextlib.suppress(_obstore().AlreadyExistsError):
            return self._put(key, content, "create")
        return None

    def replace(self, key: str, content: bytes, tag: str) -> str | None:
        """Write an object and give its new tag, if it still has that one; else None."""
        unfit = (_obstore().PreconditionError, FileNotFoundError)
        with self._reached(f"replace {key}"), contextlib.suppress(*unfit):
            return self._put(key, content, {"e_tag": tag})
        return None

    def upload(self, key: str, path: Path) -> None:
        """Write a file as an object, however large it is. Raises `OSError`, too, for the file."""
        with path.open("rb"):
            pass  # what is wrong with the file itself is told as that
        with self._reached(f"upload {key}"):
            self._patient.put(key, path, chunk_size=_PIECE, max_concurrency=_AT_ONCE)

    def download(self, key: str, path: Path, size: int) -> bool:
        """Write the first `size` bytes of an object to a file; False if there are fewer.

        The file is written in place. Raises `OSError`, too, for the file.
        """
        with path.open("wb") as file:
            for start in range(0, size, _PIECE):
                piece = self._piece(key, start, min(_PIECE, size - start))
                if piece is None:
                    return False
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            return file.tell() == size

    def keys(self, below: str = "") -> list[str]:
        """The keys of all objects, or of those below a folder such as `name/`, by name."""
        with self._reached(f"list {below}"):
            listed: Iterable[Sequence[Any]] = self._patient.list(below or None)
            return sorted(one["path"] for some in listed for one in some)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, one after the other; those that are not there are no error."""
        for key in keys:
            with self._reached(f"delete {key}"), contextlib.suppress(FileNotFoundError):
                self._patient.delete(key)

    def _piece(self, key: str, start: int, length: int) -> bytes | None:
        with self._reached(f"download {key}"):
            try:
                return bytes(self._patient.get_range(key, start=start, length=length))
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
            except _obstore().GenericError as error:
                if "416" in str(error) or "InvalidRange" in str(error):
                    return None
                raise

    def _put(self, key: str, content: bytes, mode: Any) -> str | None:
        return self._patient.put(key, content, mode=mode, use_multipart=False)["e_tag"]

    def _check_bucket(self, error: Exception) -> None:
        """A bucket that is not there is an error, not an empty one."""
        if "NoSuchBucket" in str(error):
            raise ObjectStoreError(
                f"there is no bucket {self.url}; make it, or correct the setting"
            )

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        try:
            yield
        except (_obstore().BaseError, PermissionError) as error:
            raise ObjectStoreError(
                f"the object store {self.url} cannot {what} ({_reason(error)}); see that it runs, "
                "that DISCO_OBJECT_STORE_URL and DISCO_OBJECT_STORE_REGION are right, and the key "
                "in DISCO_OBJECT_STORE_ACCESS_KEY and DISCO_OBJECT_STORE_SECRET"
            ) from error


def open_bucket(settings: Settings, url: str) -> Bucket:
    """The objects below `s3://bucket/prefix`; nothing is asked of the service yet.

    Raises:
        UsageError: the address is none, or the client is not installed.
    """
    parts = urlsplit(url)
    if not url.startswith(SCHEME) or not parts.netloc:
        raise UsageError(f"{url!r} is no address of a bucket; write s3://bucket/prefix")
    _obstore()
    prefix = parts.path.strip("/")
    make = _factory(settings, parts.netloc, prefix)
    return Bucket(
        url=f"{SCHEME}{parts.netloc}/{prefix}".rstrip("/"),
        patient=make(_REQUEST, _RETRIES),
        quick=make(_LOOK, 0),
    )


def _factory(settings: Settings, bucket: str, prefix: str) -> Callable[[timedelta, int], "S3Store"]:
    from obstore.store import S3Store  # noqa: PLC0415 - an extra

    given: dict[str, Any] = {"region": settings.object_store_region}
    if settings.object_store_url is not None:
        given["endpoint"] = settings.object_store_url.rstrip("/")
    if settings.object_store_access_key is not None:
        given["access_key_id"] = settings.object_store_access_key
        given["secret_access_key"] = settings.object_store_secret

    def make(deadline: timedelta, retries: int) -> S3Store:
        return S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": True,
                "connect_timeout": _CONNECT,
                "read_timeout": min(_SILENCE, deadline),
                "timeout": deadline,
            },
            retry_config={"max_retries": retries, "retry_timeout": _ATTEMPTS},
            **given,
        )

    return make


def _obstore() -> Any:
    """The errors of the client; raises `UsageError` where it is not installed."""
    try:
        from obstore import exceptions  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "a store in S3 needs the package obstore; install it: pip install 'disco[s3]'"
        ) from error
    return exceptions


def _reason(error: Exception) -> str:
    """The first line; what follows repeats it at length."""
    return str(error).strip().partition("\n")[0][:300]

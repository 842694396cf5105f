"""A lease: one holder at a time of something in a bucket.

The holder writes an object and renews it; each renewal gives it another tag. Who finds it watches
the tag for as long as three renewals take: if it changes, the lease is held, else its holder was
killed, and the lease is taken over from that tag. So no two clocks are ever compared. A holder that
stood still meanwhile learns of it when it renews, which it must do before what it does counts.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import orjson

from core.errors import DiscoError
from core.object_store import Bucket, Found, ObjectStoreError

_RENEWALS: Final = 3  # that may be missed
_ATTEMPTS: Final = 5


class TakenError(DiscoError):
    """Somebody else holds the lease."""


class LostLeaseError(DiscoError):
    """The lease was not renewed in time, and somebody else has it now."""


class Lease:
    """A lease under a key; not yet taken."""

    def __init__(self, bucket: Bucket, key: str, *, renewal: float) -> None:
        """`renewal` is how often it is renewed, in seconds: the same for all who want it."""
        self._bucket = bucket
        self._key = key
        self._renewal = renewal
        self._holder = f"{socket.gethostname()}, process {os.getpid()}"
        self._mine = uuid.uuid4().hex
        self._renewals = 0
        self._tag = ""
        self._renewing = threading.Lock()

    def take(self) -> None:
        """Take it; from a holder who is gone after three renewals' time. Raises `TakenError`."""
        for _ in range(_ATTEMPTS):
            tag = self._bucket.create(self._key, self._content())
            if tag is None and (held := self._bucket.read(self._key)) is not None:
                tag = self._taken_over(held)
            if tag is not None:
                self._tag = tag
                return
        raise TakenError("others took it again and again")

    def renew(self) -> None:
        """Make sure of it. Raises `LostLeaseError`."""
        with self._renewing:
            self._renewals += 1
            content = self._content()
            tag = self._bucket.replace(self._key, content, self._tag)
            if tag is None:
                found = self._bucket.read(self._key)
                if found is None or found.content != content:
                    raise LostLeaseError("its lease ran out")
                tag = found.tag
            self._tag = tag

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renewed by a thread, and given back at the end if it is still ours."""
        done = threading.Event()
        thread = threading.Thread(target=self._keep, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self._give_back()

    def _keep(self, done: threading.Event) -> None:
        while not done.wait(self._renewal):
            try:
                self.renew()
            except LostLeaseError:
                return  # the next renewal that counts tells of it
            except ObjectStoreError:
                continue  # it may answer again before the lease runs out

    def _give_back(self) -> None:
        try:
            self.renew()
            self._bucket.delete([self._key])
        except (LostLeaseError, ObjectStoreError):
            return  # it is another's, or runs out

    def _taken_over(self, held: Found) -> str | None:
        """Our tag, if the lease can be had from who holds it; None if somebody was quicker."""
        if held.content == self._content():  # the answer to our own request was lost
            return held.tag
        self._watch(held.tag, _holder_of(held.content))
        return self._bucket.replace(self._key, self._content(), held.tag)

    def _watch(self, tag: str, holder: str) -> None:
        """Wait until the holder must have renewed it; raises `TakenError` as soon as it did."""
        deadline = time.monotonic() + _RENEWALS * self._renewal
        while time.monotonic() < deadline:
            time.sleep(self._renewal / 4)
            seen = self._bucket.tag(self._key)
            if seen is None:
                return
            if seen != tag:
                raise TakenError(holder)

    def _content(self) -> bytes:
        return orjson.dumps(
            {"holder": self._holder, "lease": self._mine, "renewals": self._renewals}
        )


def _holder_of(content: bytes) -> str:
    try:
        return str(orjson.loads(content)["holder"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "a holder that cannot be read"

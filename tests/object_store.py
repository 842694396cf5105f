"""A real object store that speaks S3, for tests: SeaweedFS, a program that bootstrap installs.

One for all tests, started when the first asks for it; each test gets a prefix of its own.
"""

import itertools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.object_store import Bucket, ObjectStoreError, open_bucket
from core.settings import Settings
from stack import ports

BUCKET = "disco-test"
SECRET = "not-to-be-seen-anywhere"
_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
    "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc",
)  # fmt: skip
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running object store."""
    folder = tmp_path_factory.mktemp("object-store")
    chosen: dict[str, int] = {}
    for name in _PORTS:
        chosen[name] = ports.choose(seed=f"object store {name}", avoid=chosen.values())
    settings = Settings(
        object_store_url=f"http://127.0.0.1:{chosen['s3.port']}",
        object_store_access_key="tester",
        object_store_secret=SECRET,
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_command(folder, chosen), stdout=log, stderr=log, cwd=folder)
    try:
        _await(open_bucket(settings, f"s3://{BUCKET}"), process, folder / "log")
        yield settings
    finally:
        process.kill()  # what it holds is thrown away
        process.wait()


@pytest.fixture
def in_bucket(object_store: Settings, tmp_path: Path) -> Settings:
    """Settings of a rank store in the bucket that nobody else uses, and of an empty cache."""
    return Settings(
        rank_store=f"s3://{BUCKET}/{next(_numbers)}/ranks",
        rank_cache=str(tmp_path / "rank-cache"),
        object_store_url=object_store.object_store_url,
        object_store_access_key=object_store.object_store_access_key,
        object_store_secret=object_store.object_store_secret,
        database_url="postgresql://postgres@127.0.0.1:1/none",
    )


@pytest.fixture
def bucket(in_bucket: Settings) -> Bucket:
    """The objects of that rank store."""
    return open_bucket(in_bucket, in_bucket.rank_store)


def _command(folder: Path, chosen: dict[str, int]) -> list[str]:
    beside = Path(sys.executable).parent / "weed"
    program = beside if beside.exists() else shutil.which("weed")
    assert program, "the object store of the tests is missing; `make bootstrap` installs it"
    keys = [{"accessKey": "tester", "secretKey": SECRET}]
    (folder / "s3.json").write_text(
        json.dumps({"identities": [{"name": "tester", "credentials": keys, "actions": ["Admin"]}]})
    )
    # Ends with the tests, even if those are killed.
    keeper = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    return [
        *keeper, str(program), "server", f"-dir={folder}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-master.telemetry=false", "-master.volumeSizeLimitMB=64",
        "-volume.max=20", "-filer", f"-filer.localSocket={folder}/filer.sock", "-s3",
        f"-s3.config={folder}/s3.json", f"-s3.localSocket={folder}/s3.sock",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in chosen.items()),
    ]  # fmt: skip


def _await(bucket: Bucket, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until objects can be written, which also makes the bucket."""
    deadline = time.monotonic() + 60
    while True:
        try:
            bucket.write("ready", b"")
        except ObjectStoreError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("the object store does not start:\n" + log.read_text()[-2000:])
        else:
            return

"""Which store the settings mean, and what is said where it cannot be had."""

import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.object_store import open_bucket
from core.rank_bucket import RankBucket, open_rank_store
from core.settings import Settings, SettingsError, describe

KEYS: dict[str, Any] = {"object_store_access_key": "name", "object_store_secret": "not-to-be-seen"}


def test_a_plain_path_is_a_folder(tmp_path: Path) -> None:
    store = open_rank_store(Settings(rank_store=str(tmp_path / "ranks")))
    assert not isinstance(store, RankBucket)
    assert store.folder == tmp_path / "ranks"


@pytest.mark.parametrize("address", ["s3://bucket", "s3://bucket/", "s3://bucket/some/prefix/"])
def test_an_address_of_s3_is_a_bucket_with_copies_in_the_cache(address: str) -> None:
    store = open_rank_store(Settings(rank_store=address, rank_cache="copies", **KEYS))
    assert isinstance(store, RankBucket)
    assert store.about == address.rstrip("/")
    assert store.folder == Path("copies")


@pytest.mark.parametrize("address", ["s3:/bucket", "s3:bucket", "gs://bucket", "s3://", "s3:///x"])
def test_another_address_is_no_folder_by_mistake(address: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket/prefix"):
        open_rank_store(Settings(rank_store=address))


def test_without_the_client_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError, match=r"pip install 'disco\[s3\]'"):
        open_bucket(Settings(), "s3://bucket/prefix")


def test_the_secret_is_in_no_description() -> None:
    settings = Settings(**KEYS)
    bucket = open_bucket(settings, "s3://bucket/prefix")
    shown = f"{settings!r}{describe(settings)}{bucket!r}{vars(bucket)!r}"
    assert "'object_store_secret': '***'" in shown
    assert KEYS["object_store_secret"] not in shown


@pytest.mark.parametrize("one", KEYS)
def test_half_a_key_is_refused(one: str) -> None:
    with pytest.raises(SettingsError, match="go together"):
        Settings(**{one: KEYS[one]})

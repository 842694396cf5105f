"""What is said where Spark is not, or cannot do what is asked. It needs none."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.rank_editions import RankStore
from core.settings import Settings
from ranker import edition_operations
from ranker.edition_operations import Engine
from ranker.spark.session import SparkError, open_session


def test_without_spark_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SparkError, match=r"pip install 'disco\[spark\]'"), open_session(None):
        pass


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "name them with --from"),
        ({"folder": "some/folder", "deterministic": True}, "goes with --engine local"),
    ],
)
def test_what_spark_does_not_do_is_refused_before_anything_is_begun(
    tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    settings = Settings(rank_store=str(tmp_path / "store"))
    with pytest.raises(UsageError, match=problem):
        edition_operations.run(settings, engine=Engine.SPARK, **options)
    assert list(RankStore(tmp_path / "store").names()) == []

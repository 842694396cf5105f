"""docs/metrics.md lists every metric that a process exposes, with type and labels, and no other."""

import re

from tests.unit.docs.markdown import page, pages
from tests.unit.docs.metric_registry import TYPES, Metric, metrics

# A metric's name; settings of the engine and folders are spelt alike, but not with these parts.
_NAME = re.compile(r"\bdisco_(?:evaluation|indexer|query_api|suggest)_[a-z_]+\b")


def test_the_code_has_metrics() -> None:
    assert {name.split("_")[1] for name in metrics()} == {
        "evaluation",
        "indexer",
        "query",
        "suggest",
    }


def test_every_metric_has_its_row() -> None:
    documented = {
        row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2])), row[3])
        for row in page("docs/metrics.md").rows
        if len(row) == 4 and row[1] in TYPES
    }
    wanted = {one.name: (one.kind, one.labels, one.help) for one in metrics().values()}
    missing = [_row(metrics()[name]) for name in wanted if documented.get(name) != wanted[name]]
    assert not missing, "docs/metrics.md lacks or misstates these rows:\n" + "\n".join(missing)
    assert not documented.keys() - wanted.keys(), "docs/metrics.md has metrics that are gone"


def test_no_page_names_a_metric_that_does_not_exist() -> None:
    samples = set().union(*(one.samples for one in metrics().values()))
    unknown = {
        (str(one.path), name)
        for one in pages()
        for name in _NAME.findall(one.text)
        if name not in samples
    }
    assert not unknown


def _row(one: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"

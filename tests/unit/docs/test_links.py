"""What the pages point at is there."""

import re

import pytest

from tests.unit.docs.markdown import ROOT, Page, page, pages, texts

# A path as the pages write it: folders and a file name with an ending that we use.
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|md|sql|json|toml|yaml|lock)")
_TARGET = re.compile(r"`make ([a-z-]+)`|^make ([a-z-]+)", re.MULTILINE)
_QUOTED_HEADING = re.compile(r"(docs/[a-z]+\.md), “([^”]+)”")

IDS = [str(one.path) for one in pages()]


@pytest.mark.parametrize("one", pages(), ids=IDS)
def test_relative_links_resolve(one: Page) -> None:
    broken = [link for link in one.links if not link.startswith("http") and not _leads(one, link)]
    assert not broken, f"{one.path} links to what is not there: {broken}"


@pytest.mark.parametrize("one", pages(), ids=IDS)
def test_paths_in_backticks_exist(one: Page) -> None:
    paths = [span for span in one.spans if _PATH.fullmatch(span)]
    # Made while the project runs, so not in a clone.
    made = (".stack/", "benchmarks/results/")
    gone = [path for path in paths if not path.startswith(made) and not (ROOT / path).exists()]
    assert not gone, f"{one.path} names files that do not exist: {gone}"


@pytest.mark.parametrize("one", pages(), ids=IDS)
def test_make_targets_exist(one: Page) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {a or b for a, b in _TARGET.findall(one.text)}
    assert named <= targets, f"{one.path}: no such target of make: {named - targets}"


def test_headings_that_messages_send_people_to_exist() -> None:
    sent = {found for _, text in texts(".py") for found in _QUOTED_HEADING.findall(text)}
    assert sent, "no message quotes a heading any more: drop this test"
    missing = [(name, heading) for name, heading in sent if heading not in page(name).headings]
    assert not missing


def test_every_page_is_in_the_index_of_the_documentation() -> None:
    index = page("docs/README.md")
    listed = {link.partition("#")[0] for link in index.links}
    there = {
        str(one.path.relative_to("docs"))
        for one in pages()
        if one.path.is_relative_to("docs") and one.path != index.path
    }
    assert not there - listed, f"docs/README.md does not list {there - listed}"


def _leads(one: Page, link: str) -> bool:
    """Whether a relative link leads to a file and, if it has a fragment, to a heading in it."""
    name, _, fragment = link.partition("#")
    target = (ROOT / one.path.parent / name).resolve() if name else ROOT / one.path
    if not target.exists():
        return False
    if not fragment or target.suffix != ".md":
        return True
    return fragment in page(str(target.relative_to(ROOT))).anchors

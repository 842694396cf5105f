"""ARCHITECTURE.md names what there is, and nothing that there is not."""

import fnmatch
import re

from tests.unit.docs.markdown import ROOT, page, tracked

ARCHITECTURE = page("ARCHITECTURE.md")
_MODULE = re.compile(r"[a-z_*]+\.py")


def test_every_top_level_folder_has_its_place() -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    visible = {f"{name}/" for name in folders if not name.startswith(".")}
    named = {span for heading in ARCHITECTURE.headings for span in re.findall(r"`(.+?)`", heading)}
    spans = named | set(ARCHITECTURE.spans)
    assert not visible - spans, f"ARCHITECTURE.md does not name {visible - spans}"


def test_every_module_of_the_indexer_is_named_or_matched() -> None:
    section = ARCHITECTURE.section(_heading("indexer/"))
    patterns = _MODULE.findall(section)
    modules = {
        path.name for path in tracked() if path.parts[0] == "indexer" and path.suffix == ".py"
    } - {"__init__.py"}
    unnamed = {one for one in modules if not any(fnmatch.fnmatch(one, p) for p in patterns)}
    assert not unnamed, f"say in ARCHITECTURE.md, below indexer/, what is in {sorted(unnamed)}"
    gone = [p for p in patterns if not fnmatch.filter(modules, p)]
    assert not gone, f"ARCHITECTURE.md names modules of the indexer that do not exist: {gone}"


def test_decisions_are_numbered_without_gaps_and_say_their_state() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").iterdir())
    numbers = [name.partition("-")[0] for name in names]
    assert numbers == [f"{number:04}" for number in range(1, len(names) + 1)]
    for name, number in zip(names, numbers, strict=True):
        decision = page(f"docs/adr/{name}")
        assert decision.headings[0].startswith(f"ADR {number}: ")
        assert re.search(r"^Status: (proposed|accepted|superseded by ADR \d{4})\.$", decision.text,
                         re.MULTILINE), f"{name} lacks its status"  # fmt: skip


def _heading(folder: str) -> str:
    (found,) = [one for one in ARCHITECTURE.headings if one.startswith(f"`{folder}`")]
    return found

"""docs/operations.md tells what to do about everything that can be dead-lettered."""

import re

from tests.unit.docs.markdown import ROOT, page

# Given by the broker itself.
DELIVERY_LIMIT = "delivery_limit"


def _reasons() -> set[str]:
    """Every reason that the code can give."""
    decoding = (ROOT / "core" / "events.py").read_text(encoding="utf-8")
    consuming = (ROOT / "indexer" / "lane.py").read_text(encoding="utf-8")
    return {
        *re.findall(r'MalformedEventError\(\s*"(\w+)"', decoding),
        *re.findall(r'_(?:reject|bury)\(\s*delivery,\s*"(\w+)"', consuming),
        DELIVERY_LIMIT,
    }


def test_the_code_has_reasons() -> None:
    assert {"not_json", "unknown_type", "refused"} <= _reasons()


def test_every_reason_of_a_dead_letter_has_its_remedy() -> None:
    section = page("docs/operations.md").section("Dead letters")
    first_cells = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == _reasons()

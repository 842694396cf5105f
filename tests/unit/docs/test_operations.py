"""docs/operations.md tells of every dead letter, and of every log line that asks for attention."""

import re

from tests.unit.docs.markdown import ROOT, page, texts

# The event's name, or the choice between two.
_LOGGED = re.compile(r"log\.(?:warning|error|exception)\(\s*([^,)]+)")
# Given by the broker itself.
DELIVERY_LIMIT = "delivery_limit"


def _reasons() -> set[str]:
    """Every reason that the code can give."""
    decoding = (ROOT / "core" / "events.py").read_text(encoding="utf-8")
    consuming = (ROOT / "indexer" / "lane.py").read_text(encoding="utf-8")
    return {
        *re.findall(r'MalformedEventError\(\s*"(\w+)"', decoding),
        *re.findall(r'_(?:reject|bury)\(\s*delivery,\s*"(\w+)"', consuming),
        *re.findall(r'_bury_change\(\s*[^"()]*(?:\[key\],\s*)?"(\w+)"', consuming),
        DELIVERY_LIMIT,
    }


def test_the_code_has_reasons() -> None:
    assert {"not_json", "unknown_type", "refused"} <= _reasons()


def test_every_reason_of_a_dead_letter_has_its_remedy() -> None:
    assert _documented("Dead letters") == _reasons()


def test_every_warning_and_error_of_the_log_is_explained() -> None:
    logged = {
        name
        for path, text in texts(".py")
        if path.parts[0] in {"access", "core", "evaluation", "indexer", "query_api", "suggest"}
        for call in _LOGGED.findall(text)
        for name in re.findall(r'"(\w+)"', call)
    }
    assert "event_dead_lettered" in logged
    assert _documented("Logs") == logged


def _documented(heading: str) -> set[str]:
    """What stands in `backticks` in the first column of a section's table."""
    section = page("docs/operations.md").section(heading)
    cells = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

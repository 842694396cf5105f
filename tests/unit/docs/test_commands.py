"""Every command and option is documented, and every command that is written about exists."""

import re
from collections.abc import Iterator

import pytest

from tests.unit.docs.command_tree import commands, complaint, options
from tests.unit.docs.markdown import Page, page, pages, texts

REFERENCE = "docs/commands.md"
EVERYWHERE = {"--json"}  # said once, at the top of the page
_SHELL = ("", "sh", "bash", "console")
# `disco` at the start of a command line, behind a path, a prompt or variables.
_CALL = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?(disco [a-z-].*)$", re.MULTILINE)
_QUOTED = re.compile(r"`((?:\.venv/bin/)?disco [a-z-][^`\n]*)`")


def test_the_reference_has_a_section_for_every_command() -> None:
    sections = {text.strip("`") for text in page(REFERENCE).headings if text.startswith("`disco ")}
    assert not commands().keys() - sections, f"{REFERENCE} lacks a section"
    assert not sections - commands().keys(), f"{REFERENCE} describes what there is not"


def test_the_reference_names_every_option_and_no_other() -> None:
    wrong = {
        path: differing
        for path, command in commands().items()
        if (differing := (options(command) ^ _documented(path)) - EVERYWHERE)
    }
    assert not wrong, f"{REFERENCE} and the command line differ"


@pytest.mark.parametrize("one", pages(), ids=lambda one: str(one.path))
def test_what_a_page_calls_exists(one: Page) -> None:
    wrong = [f"{call}: {why}" for call in _calls(one) if (why := complaint(call))]
    assert not wrong, f"{one.path} calls what cannot be called:\n" + "\n".join(wrong)


def test_what_messages_and_scripts_call_exists() -> None:
    wrong = [
        f"{path}: {call}: {why}"
        for path, text in texts(".py", ".sql", ".yaml", ".toml")
        if "tests" not in path.parts
        for call in _QUOTED.findall(text)
        if (why := complaint(call.removeprefix(".venv/bin/")))
    ]
    assert not wrong, "these cannot be called:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "call",
    [
        "disco index reindex",
        "disco index reindex sound --dry-run",
        "disco verify [ENTITY] [--repair]",
        "disco stack up|down|status",
        "disco --version",
        "disco serve query-api --port 8080 &",
        "disco index list --json | jq '.[0]'",
        "disco doctor   # is all well?",
        "disco work",
        "disco …",
    ],
)
def test_a_call_that_can_be_made(call: str) -> None:
    assert complaint(call) is None


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("disco rebuild", "there is no command disco rebuild"),
        ("disco index rebuild", "there is no command disco index rebuild"),
        ("disco stack up|sideways", "there is no command disco stack up|sideways"),
        ("disco verify --mend", "verify has no option --mend"),
        ("disco verify [ENTITY] [--mend]", "verify has no option --mend"),
        ("disco index --json", "index has no option --json"),
    ],
)
def test_a_call_that_cannot_be_made(call: str, why: str) -> None:
    assert complaint(call) == why


def _calls(one: Page) -> Iterator[str]:
    for language, body in one.blocks:
        if language in _SHELL:
            yield from _CALL.findall(body)
    for span in one.spans:
        plain = span.removeprefix(".venv/bin/")
        if re.match(r"disco [a-z-]", plain):
            yield plain


def _documented(path: str) -> set[str]:
    """The options that a command's section has, in a table or a list, as `--option`."""
    try:
        section = page(REFERENCE).section(f"`{path}`")
    except LookupError:
        return set()
    return set(re.findall(r"^(?:\||-) `(--?[a-z-]+)", section, re.MULTILINE))

"""What the documentation's tests read out of Markdown: links, headings, tables, code."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_FENCE = re.compile(r"^ *(```+)([^\n`]*)\n(.*?)^ *\1[ \t]*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One Markdown file."""

    path: Path  # relative to the project
    text: str

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of each code block."""
        return [(language.strip(), body) for _, language, body in _FENCE.findall(self.text)]

    @property
    def spans(self) -> list[str]:
        """What stands in `backticks` outside of code blocks."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Targets of links and pictures."""
        return _LINK.findall(_SPAN.sub("", self.prose))

    @property
    def headings(self) -> list[str]:
        """Headings of all levels, without their marks."""
        return [text for _, text in _HEADING.findall(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """Fragments that the headings can be linked by, as GitHub makes them."""
        return {anchor(heading) for heading in self.headings}

    @property
    def rows(self) -> list[list[str]]:
        """The cells of all table rows that are not rules; headings of tables are rows too."""
        lines = [line.strip() for line in self.prose.splitlines() if line.strip().startswith("|")]
        cells = [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in lines]
        return [row for row in cells if any(set(cell) - set("-: ") for cell in row)]

    def section(self, heading: str) -> str:
        """The text below a heading, up to the next of its level or above."""
        found = list(_HEADING.finditer(self._masked))
        for number, one in enumerate(found):
            if one[2] == heading:
                level = len(one[1])
                ends = (later.start() for later in found[number + 1 :] if len(later[1]) <= level)
                return self.text[one.end() : next(ends, len(self.text))]
        raise LookupError(f"{self.path} has no heading {heading!r}")

    @property
    def _masked(self) -> str:
        """The text with its code blocks blanked out, every character where it was."""
        return _FENCE.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), self.text)


def anchor(heading: str) -> str:
    """The fragment of a heading's link."""
    plain = re.sub(r"[`*]", "", heading).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))


def page(name: str) -> Page:
    """The page of that path."""
    return Page(path=Path(name), text=(ROOT / name).read_text(encoding="utf-8"))


def pages() -> list[Page]:
    """All pages of the project."""
    return [page(str(path)) for path in tracked() if path.suffix == ".md"]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is part of the project, or will be when it is added; relative paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def texts(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Path and content of each file with one of the suffixes; of all text files without any."""
    for path in tracked():
        if suffixes and path.suffix not in suffixes:
            continue
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", "replace")

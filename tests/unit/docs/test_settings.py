"""docs/settings.md says of every setting what the code says, and of no other."""

import dataclasses
import re

from core.settings import OUTSIDE_VARIABLES, PREFIX, Settings, help_texts
from tests.unit.docs.markdown import page, pages, texts

_VARIABLE = re.compile(r"\bDISCO_[A-Z][A-Z_]*\b")

KNOWN = {f"{PREFIX}{name.upper()}" for name in help_texts()} | OUTSIDE_VARIABLES


def test_every_setting_has_its_row() -> None:
    wanted = [_row(name) for name in help_texts()]
    documented = [row for row in page("docs/settings.md").rows if _is_setting(row)]
    missing = [f"| {' | '.join(row)} |" for row in wanted if row not in documented]
    assert not missing, "docs/settings.md lacks or misstates these rows:\n" + "\n".join(missing)
    assert len(documented) == len(wanted), "docs/settings.md has rows of settings that are gone"


def test_variables_outside_the_settings_are_documented() -> None:
    spans = set(page("docs/settings.md").spans)
    assert spans >= OUTSIDE_VARIABLES, "docs/settings.md lacks a variable"


def test_no_page_names_a_variable_that_does_not_exist() -> None:
    unknown = {
        (str(path), name)
        for path, text in [
            *((one.path, one.text) for one in pages()),
            *texts(".yaml", ".toml", ""),
        ]
        for name in _VARIABLE.findall(text)
        if name not in KNOWN
    }
    assert not unknown


def _is_setting(row: list[str]) -> bool:
    return bool(_VARIABLE.fullmatch(row[0].strip("`"))) and len(row) == 4


def _row(name: str) -> list[str]:
    default = {one.name: one.default for one in dataclasses.fields(Settings)}[name]
    shown = "unset" if default in (None, "") else f"`{default}`"
    return [f"`{PREFIX}{name.upper()}`", f"`{name}`", shown, help_texts()[name]]

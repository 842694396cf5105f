"""docs/glossary.md has one meaning for each term that the project uses."""

import re

from core.events import Action
from indexer.changes import Outcome
from indexer.verification import Kind
from tests.unit.docs.markdown import page

# The vocabulary that code, API, metrics and commands share, also of what is not built yet.
VOCABULARY = {
    *("event", "hydrator", "document", "tombstone", "definition", "generation", "alias", "scan"),
    *("signal", "rank edition", "snapshot", "overlay", "completion", "judgment", "interaction"),
    *("variant", "operation"),
    # states of a generation
    *("building", "catching_up", "ready", "live", "standby", "retired", "failed"),
}
# Words that programs see: labels of metrics, values in answers.
VALUES = {str(value) for kind in (Action, Outcome, Kind) for value in kind}

TERMS = [row[0] for row in page("docs/glossary.md").rows if row[0] not in {"term", "value"}]
NAMES = [re.sub(r"\*\*|`", "", term) for term in TERMS]


def test_the_vocabulary_is_there() -> None:
    assert not VOCABULARY - set(NAMES)


def test_every_value_that_programs_see_is_there() -> None:
    assert not VALUES - set(NAMES)


def test_no_term_has_two_meanings() -> None:
    assert sorted(NAMES) == sorted(set(NAMES))

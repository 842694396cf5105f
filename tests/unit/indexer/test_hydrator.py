"""The document as it is indexed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from indexer.splice import complete

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda k: k not in {"type", "digest"}), VALUES, min_size=1
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
)
def test_type_and_digest_are_added(
    content: dict[str, object], digest: int, ascii_only: bool
) -> None:
    text = json.dumps(content, ensure_ascii=ascii_only, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate is no text to PostgreSQL
        return
    document = json.loads(complete("sound", text, digest))
    assert document == {"type": "sound", "digest": digest, **content}
    assert list(document)[:2] == ["type", "digest"]

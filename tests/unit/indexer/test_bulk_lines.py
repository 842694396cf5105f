"""What COPY sends becomes bulk bodies, wherever the stream is cut."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from indexer.bulk_lines import Cutter


def _line(number: int, title: str) -> bytes:
    """A line of COPY, as `bulk_lines` has the database make it."""
    document = orjson.dumps({"id": number, "title": title})
    action = f'{{"index":{{"_id":"{number}"}}}}\x02{{"type":"sound","digest":{number},'
    return action.encode() + document[1:] + b"\n"


@given(
    st.lists(st.text(max_size=30), max_size=40),
    st.integers(1, 60),
    st.integers(1, 2_000),
)
def test_every_document_arrives_whole_and_once(titles: list[str], step: int, size: int) -> None:
    stream = b"".join(_line(number, title) for number, title in enumerate(titles))
    cutter = Cutter()
    bodies = [
        body
        for start in range(0, len(stream), step)
        for body in cutter.add(stream[start : start + step], size)
    ]
    bodies += cutter.rest()
    lines = b"".join(body.content for body in bodies).splitlines()
    assert [orjson.loads(line) for line in lines[::2]] == [
        {"index": {"_id": str(number)}} for number in range(len(titles))
    ]
    assert [orjson.loads(line) for line in lines[1::2]] == [
        {"type": "sound", "digest": number, "id": number, "title": title}
        for number, title in enumerate(titles)
    ]
    assert sum(body.documents for body in bodies) == len(titles)
    assert all(body.content.count(b"\n") == 2 * body.documents for body in bodies)
    assert all(len(body.content) < size + 2_000 + step for body in bodies)

"""The reader that the other tests rely on."""

from pathlib import Path

import pytest

from tests.unit.docs.markdown import Page, anchor

PAGE = Page(
    path=Path("example.md"),
    text="""# Title

See [one](one.md#part), ![picture](a/b.png) and `[no](link.md)`. Use `disco x`.

## First `part`

| name | meaning |
|---|:--|
| `a\\|b` | either |

```sh
disco y   # [no](block.md)
# Not a heading
```

### Deeper

1. deep
   ```sh
   disco z
   ```

## Second

end
""",
)


def test_links_are_those_of_the_prose() -> None:
    assert PAGE.links == ["one.md#part", "a/b.png"]


def test_spans_and_blocks_are_told_apart() -> None:
    assert PAGE.spans == ["[no](link.md)", "disco x", "part", "a\\|b"]
    assert PAGE.blocks == [
        ("sh", "disco y   # [no](block.md)\n# Not a heading\n"),
        ("sh", "   disco z\n"),
    ]


def test_headings_and_their_anchors() -> None:
    assert PAGE.headings == ["Title", "First `part`", "Deeper", "Second"]
    assert PAGE.anchors == {"title", "first-part", "deeper", "second"}


def test_rows_have_cells_and_no_rules() -> None:
    assert PAGE.rows == [["name", "meaning"], ["`a\\|b`", "either"]]


def test_a_section_ends_at_the_next_of_its_level() -> None:
    assert "deep" in PAGE.section("First `part`")
    assert "end" not in PAGE.section("First `part`")
    assert PAGE.section("Second").strip() == "end"
    with pytest.raises(LookupError, match="Third"):
        PAGE.section("Third")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Where do I change …?", "where-do-i-change-"),
        ("`core/`: what is shared", "core-what-is-shared"),
        ("A, B & C", "a-b--c"),
    ],
)
def test_anchors_are_those_of_the_hoster(heading: str, expected: str) -> None:
    assert anchor(heading) == expected

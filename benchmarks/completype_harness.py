"""completype, in an environment of its own: builds an index, looks beginnings up, prints figures.

    python completype_harness.py NAMES BEGINNINGS RESULTS LIMIT EDITS

NAMES has lines `text<TAB>popularity`, the latter from 0 to 1; RESULTS gets what each beginning is
completed to. Nothing of the project is imported: that environment does not have it.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import completype  # type: ignore[import-not-found]


def main() -> None:
    """Do what the arguments say."""
    names, beginnings, results, limit, edits = sys.argv[1:]
    rows = [line.split("\t") for line in Path(names).read_text("utf-8").split("\n")[:-1]]
    documents = [
        {"id": number, "text": text, "popularity": float(popularity)}
        for number, (text, popularity) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "segment"
        began = time.perf_counter()
        segment = completype.Segment.build(
            documents, path=file, max_edit_distance=int(edits), fuzzy_prefix_chars=7
        )
        built = time.perf_counter() - began
        index = completype.Index([segment])
        typed = Path(beginnings).read_text("utf-8").split("\n")[:-1]
        seconds: list[float] = []
        answers: list[list[str]] = []
        for _ in range(2):  # the first pass warms up
            seconds.clear()
            answers.clear()
            for text in typed:
                before = time.perf_counter()
                found = index.complete(text, int(limit))
                seconds.append(time.perf_counter() - before)
                answers.append([one.text for one in found])
        size = file.stat().st_size
    lines = "".join("\t".join(answer) + "\n" for answer in answers)
    Path(results).write_text(lines, "utf-8")
    seconds.sort()
    told = {
        "lookups_per_second": len(seconds) / sum(seconds),
        "p50_us": seconds[len(seconds) // 2] * 1e6,
        "p99_us": seconds[len(seconds) * 99 // 100] * 1e6,
        "build_seconds": built,
        "bytes": size,
    }
    print(json.dumps(told))  # noqa: T201 - for who started it


if __name__ == "__main__":
    main()

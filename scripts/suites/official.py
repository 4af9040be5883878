"""Write the JSON-Schema-Test-Suite as suites of `make promises`.

    pip download --no-deps --no-binary jsonschema jsonschema==4.26.0
    python scripts/suites/official.py jsonschema-4.26.0.tar.gz

`jsonschema`'s source distribution carries it. Each line is a group of tests, as it is there.
"""

import gzip
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "promises"

DRAFTS = ("draft4", "draft7", "draft2020-12")


def main(archive: str) -> None:
    groups: dict[str, list[Any]] = {draft: [] for draft in DRAFTS}
    with tarfile.open(archive) as files:
        for member in sorted(files.getmembers(), key=lambda member: member.name):
            _, _, path = member.name.partition("/json/tests/")
            draft, _, file = path.removesuffix(".json").partition("/")
            if member.isfile() and draft in groups:
                read = files.extractfile(member)
                assert read is not None
                groups[draft] += [group_of(file, group) for group in json.loads(read.read())]
    for draft, found in groups.items():
        text = "".join(json.dumps(group) + "\n" for group in found)
        file = FOLDER / f"json-schema-test-suite-{draft}.jsonl.gz"
        file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def group_of(file: str, group: dict[str, Any]) -> dict[str, Any]:
    tests = [
        {key: test[key] for key in ("description", "data", "valid")} for test in group["tests"]
    ]
    return {
        "file": file,
        "description": group["description"],
        "schema": group["schema"],
        "tests": tests,
    }


if __name__ == "__main__":
    main(sys.argv[1])

"""What of the turns before it a turn finds in the engine's prefix cache, in an agent loop of six.

    python -m benchmarks.prefixes [--base-url URL [--model NAME]]

Two questions, each answered after calls, two of them at once. A row for each format: the model says
what it is told to, after a thought where the format has reasoning, and the cache is one of pages of
one token, as SGLang's is. With --base-url, one row: a running server is asked, and calls and texts
are forced.

Each loop is carried on by two clients: one sends back what it was told as it was, the other spells
arguments otherwise and keeps the reasoning to itself. Columns: the least share, in percent, in the
turns that go on with results, and in that with the second question. All are the tokens of the turn
before and of its prompt, but for the last one, which no engine has read.
"""

import argparse
from collections.abc import Iterable, Iterator

import httpx
from tqdm import tqdm

from functionary_sgl.turns import FORMATS
from tests.conftest import WEATHER
from tests.loops import Client, Turn, posting, spaced, turns
from tests.replayed_loops import carried, loop

CLIENTS = (Client(), Client(arguments=spaced, reasons=False))


def replayed() -> Iterator[tuple[str, list[list[Turn]]]]:
    """The turns of each format, with each client."""
    for format in tqdm(FORMATS, disable=None):
        found = [carried(format, loop(format), client, stream=True)[0] for client in CLIENTS]
        yield format, found


def asked(base_url: str, model: str | None) -> Iterator[tuple[str, list[list[Turn]]]]:
    """Those of a running server."""
    with httpx.Client(base_url=base_url.removesuffix("/").removesuffix("/v1"), timeout=600) as http:
        fields = {"max_tokens": 400} | ({"model": model} if model else {})
        post = posting(http, stream=True)
        found = [
            list(turns(post, Client(one.arguments, one.reasons, fields=fields), [WEATHER]))
            for one in CLIENTS
        ]
    yield model or base_url, found


def table(rows: Iterable[tuple[str, list[list[Turn]]]]) -> str:
    """In Markdown."""
    lines = ["| format | after results | after a question |", "|---|---|---|"]
    for name, found in rows:
        later = [turn for carried in found for turn in carried[1:]]
        results, questions = (
            100 * min(turn.share for turn in later if bool(turn.step.question) is question)
            for question in (False, True)
        )
        lines.append(f"| `{name}` | {results:.1f} | {questions:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prefixes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base-url", help="of a running server")
    parser.add_argument("--model", help="one of several that it serves")
    options = parser.parse_args()
    print(table(asked(options.base_url, options.model) if options.base_url else replayed()))


if __name__ == "__main__":
    main()

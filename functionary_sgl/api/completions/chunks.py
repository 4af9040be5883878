"""The events of a turn as the chunks of a streamed completion, and what they add up to."""

from collections.abc import Iterator
from typing import Any

from functionary_sgl.api.logprobs import with_top
from functionary_sgl.runtime.events import Delta, Drawn, Ended, Event, Token, Usage
from functionary_sgl.runtime.text import TextBuffer

Entry = dict[str, Any]


class TextChunks:
    """Turns the events of one choice into the `choices` entries of its chunks, the text of its
    prompt (`echo`) first, and with log-probabilities if it `tells` them."""

    def __init__(self, index: int, echo: str, *, tells: bool) -> None:
        self._index = index
        self._echo = echo
        self._tells = tells
        self._offset = len(echo)
        self._drawn: list[Token] = []
        self.usage: Usage | None = None

    def entries(self, event: Event) -> Iterator[Entry]:
        """The entries that `event` gives; often none."""
        match event:
            case Delta("content", text):
                yield self._entry(self._begun() + text)
            case Drawn(tokens):
                self._drawn += tokens
            case Ended(reason, usage):
                self.usage = usage
                yield self._entry(self._begun(), reason)

    def _begun(self) -> str:
        echo, self._echo = self._echo, ""
        return echo

    def _entry(self, text: str, finish_reason: str | None = None) -> Entry:
        return {
            "index": self._index,
            "text": text,
            "logprobs": self._logprobs() if self._tells else None,
            "finish_reason": finish_reason,
        }

    def _logprobs(self) -> Entry:
        """Those of the tokens since the last entry, and where each begins, in characters."""
        drawn, self._drawn = self._drawn, []
        offsets = []
        for token in drawn:
            offsets.append(self._offset)
            self._offset += sum(byte & 0xC0 != 0x80 for byte in token.bytes)
        told = [with_top(token) for token in drawn]
        return {
            "tokens": [entry["token"] for entry in told],
            "token_logprobs": [entry["logprob"] for entry in told],
            "top_logprobs": [
                {other["token"]: other["logprob"] for other in entry["top_logprobs"]}
                for entry in told
            ],
            "text_offset": offsets,
        }


class Fold:
    """Takes chunks one by one; `completion` is what they add up to."""

    def __init__(self) -> None:
        self._head: Entry = {}
        self._texts: dict[int, TextBuffer] = {}
        self._choices: dict[int, Entry] = {}

    def add(self, chunk: Entry) -> None:
        """Take the next chunk."""
        self._head |= {key: value for key, value in chunk.items() if key != "choices"}
        for entry in chunk["choices"]:
            index = entry["index"]
            known = self._choices.setdefault(index, {**entry, "logprobs": None})
            self._texts.setdefault(index, TextBuffer()).add(entry["text"])
            known["finish_reason"] = entry["finish_reason"]
            known["logprobs"] = _joined(known["logprobs"], entry["logprobs"])

    def completion(self) -> Entry:
        """The completion."""
        choices = [
            {**self._choices[index], "text": str(self._texts[index])}
            for index in sorted(self._choices)
        ]
        return {**self._head, "choices": choices}


def _joined(known: Entry | None, more: Entry | None) -> Entry | None:
    if known is None or more is None:
        return more if known is None else known
    return {name: [*known[name], *more[name]] for name in known}

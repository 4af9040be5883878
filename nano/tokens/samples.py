"""Conversations as the model reads them: token ids, and which of them are its answers.

Rendering is the server's own, so that training shows the model what the server will: a prompt's
ids, then the ids of the turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.prompt.render import FormatTemplate
from functionary_sgl.tokenizer import Tokenizer
from nano.data.scenes import Explained
from nano.tokens.links import Links, links
from nano.tokens.tokenizer import END, FORMAT


@dataclass(frozen=True)
class Sample:
    """`answers` are the places of the model's turns in `ids`: [first, end); `recipients` those of
    the recipients in them, to the ends of their lines: what decides whether and what to call.

    `branches` too are places, and follow each other up to the end. Each goes on where the first of
    them begins: it sees what stands before that, and itself, not the others. None: one text.

    `links` are those of its requests.
    """

    ids: list[int]
    answers: list[tuple[int, int]]
    branches: list[tuple[int, int]] = field(default_factory=list)
    recipients: list[tuple[int, int]] = field(default_factory=list)
    links: Links = field(default_factory=Links)


class Sampler:
    """Renders conversations for the tokenizer in `file`."""

    def __init__(self, file: Path) -> None:
        self.tokenizer = Tokenizer.from_file(file)
        self._renderer = FormatTemplate(FORMAT.template_text or "", self.tokenizer.control)
        self._opening = self.tokenizer.encode_marked(
            "<|start_header_id|>assistant<|end_header_id|>\n\n>>>"
        )
        self._end = self.tokenizer.control_ids[END]
        self._again = self.tokenizer.encode(">>>")
        self._text = self.tokenizer.encode("all\n")
        self._pieces = [self.tokenizer.token_bytes(i) for i in range(self.tokenizer.size)]
        self._newline = self.tokenizer.encode("\n")[-1]

    def sample(self, conversation: Conversation) -> Sample:
        """The whole conversation, whose assistant's turns are the answers."""
        marked = self._renderer.render(conversation, generation=False)
        ids = [*self.tokenizer.bos_ids, *self.tokenizer.encode_marked(marked)]
        answers = self._answers(ids)
        places = [place for answer in answers for place in self._recipients(ids, *answer)]
        refers = Links()
        if isinstance(conversation, Explained):
            refers = links(conversation, [self._pieces[i] for i in ids], answers)
        return Sample(ids, answers, recipients=places, links=refers)

    def decision(self, conversation: Conversation) -> Sample:
        """The conversation up to its first answer, and of a call only whom it is to."""
        whole = self.sample(conversation)
        first, end = whole.answers[0]
        recipient = whole.recipients[0]
        if not self.is_text(whole.ids, first):
            end = recipient[1]
        refers = whole.links.until(end)
        return Sample(whole.ids[:end], [(first, end)], recipients=[recipient], links=refers)

    def is_text(self, ids: list[int], first: int) -> bool:
        """Whether the answer that begins at `first` is a text, not a call."""
        return ids[first : first + len(self._text)] == self._text

    def branched(self, conversations: Sequence[Conversation], *, decisions: bool = False) -> Sample:
        """Conversations that begin alike: what they share, then the rest of each as a branch; with
        `decisions` only what `decision` takes of each."""
        take = self.decision if decisions else self.sample
        samples = [take(conversation) for conversation in conversations]
        columns = zip(*(sample.ids for sample in samples), strict=False)
        shared = sum(1 for _ in takewhile(lambda ids: len(set(ids)) == 1, columns))
        shared = min(shared, *(sample.answers[0][0] for sample in samples))
        offered = samples[0].links
        refers = Links(offered.functions, offered.parameters)
        joined = Sample(samples[0].ids[:shared], [], links=refers)
        for sample in samples:
            moved = len(joined.ids) - shared
            joined.answers.extend(_moved(sample.answers, moved))
            joined.recipients.extend(_moved(sample.recipients, moved))
            joined.branches.append((len(joined.ids), len(joined.ids) + len(sample.ids) - shared))
            joined.ids.extend(sample.ids[shared:])
            joined.links.extend(sample.links.moved(moved, shared))
        return joined

    def _answers(self, ids: list[int]) -> list[tuple[int, int]]:
        firsts = _behind(self._opening, ids)
        return [(first, ids.index(self._end, first) + 1) for first in firsts]

    def _recipients(self, ids: list[int], first: int, end: int) -> list[tuple[int, int]]:
        firsts = [first, *(first + place for place in _behind(self._again, ids[first:end]))]
        return [(first, ids.index(self._newline, first, end) + 1) for first in firsts]


def _behind(piece: list[int], ids: list[int]) -> list[int]:
    """The places right behind each `piece` in `ids`."""
    size = len(piece)
    return [end for end in range(size, len(ids) + 1) if ids[end - size : end] == piece]


def _moved(places: list[tuple[int, int]], by: int) -> list[tuple[int, int]]:
    return [(first + by, end + by) for first, end in places]

"""A turn as its program sees it (`return_turn`): all ids of prompt and answer, and where each of
the answer's comes from.

What is told is what happened: the engine is watched while the turn runs, and an id counts as the
model's where an answer of the engine's had it at that very place. All others the program wrote.
"""

import math
from collections.abc import Sequence
from typing import Any

from functionary_sgl.api.logprobs import LEAST, with_top
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.engines.base import Answering
from functionary_sgl.engines.forced import forced
from functionary_sgl.engines.watched import Drawing, Scoring, Watched
from functionary_sgl.model import Model
from functionary_sgl.runtime.events import Addressed, Ended, Event, Opened
from functionary_sgl.runtime.generation import token_of


class TurnView:
    """Of `turn`, one of `model`'s: give it what the turn asks (`watched`) and all of its events."""

    def __init__(self, model: Model, turn: CheckedTurn) -> None:
        self._format = model.prompter.format.name
        self._tokenizer = model.prompter.tokenizer
        self._control_ids = frozenset(self._tokenizer.control_ids.values())
        self._turn = turn
        self._asked: list[Drawing | Scoring] = []
        self._recipient: str | None = None
        self._payloads: list[dict[str, Any]] = []
        self._opened: dict[int, int] = {}
        """The payload that what is asked at a place goes into, by the place in `_asked`."""

    def watched(self, engine: Answering) -> Answering:
        """`engine`, to be asked in its stead."""
        return Watched(engine, self._asked)

    def add(self, event: Event) -> None:
        """Note what `event` says of what is asked next."""
        match event:
            case Addressed(recipient):
                self._recipient = recipient
            case Opened(role, call_id):
                is_call = role in ("arguments", "code", "input")
                self._opened[len(self._asked)] = len(self._payloads)
                payload = {"role": role, "recipient": None, "call_id": call_id if is_call else None}
                if is_call or role == "content":
                    payload["recipient"], self._recipient = self._recipient, None
                self._payloads.append(payload)

    def told(self, ended: Ended) -> dict[str, Any]:
        """The turn that ended so. May take a while: grammars are gone through once more."""
        ids, begun = ended.token_ids, len(self._turn.prompt.token_ids)
        sources: list[dict[str, Any]] = [{"by": "program"} for _ in ids]
        for place, asked in enumerate(self._asked):
            start = len(asked.before)
            if start < begun or tuple(asked.before) != ids[:start]:
                continue  # it was asked of what the program then did not write
            if isinstance(asked, Scoring):
                if start < len(ids) and ids[start] in asked.candidates:
                    sources[start] = self._picked(asked)
            else:
                payload = self._opened.get(place)
                for at, source in enumerate(self._drawn(asked, ids[start:], payload), start):
                    sources[at] = source
        return {
            "template": self._format,
            # What images take of the cache is not to be told from what the ids do.
            "cached_tokens": None if self._turn.images else ended.usage.cached_tokens,
            "prompt": [self._token(token_id) for token_id in ids[:begun]],
            "answer": [
                self._token(token_id) | source
                for token_id, source in zip(ids[begun:], sources[begun:], strict=True)
            ],
            "payloads": self._payloads,
        }

    def _token(self, token_id: int) -> dict[str, Any]:
        spelled = self._tokenizer.token_bytes(token_id)
        is_control = token_id in self._control_ids
        return {"id": token_id, **_text(spelled), **({"control": True} if is_control else {})}

    def _picked(self, asked: Scoring) -> dict[str, Any]:
        """Log-probabilities only where all are the model's: one request for all of a turn knows
        what was drawn, not how likely it was."""
        known = all(map(math.isfinite, asked.logprobs))
        offered = [
            {
                **_text(self._tokenizer.token_bytes(token_id)),
                "logprob": max(logprob, LEAST) if known else None,
            }
            for token_id, logprob in zip(asked.candidates, asked.logprobs, strict=True)
        ]
        return {"by": "choice", "offered": offered}

    def _drawn(
        self, asked: Drawing, ids: Sequence[int], payload: int | None
    ) -> list[dict[str, Any]]:
        """What is to say of those of `ids`, from their beginning, that were drawn."""
        pairs = zip(asked.ids, ids, strict=False)
        same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        drawn = asked.ids[: min(len(asked.ids), len(ids)) if same is None else same]
        sources: list[dict[str, Any]] = [{"by": "model", "payload": payload} for _ in drawn]
        spelled = list(map(self._tokenizer.token_bytes, drawn))
        if asked.constraint is not None:
            for source, only in zip(sources, forced(asked.constraint, spelled), strict=False):
                source["forced"] = only
        for source, token_id, told in zip(sources, drawn, asked.logprobs, strict=False):
            entry = with_top(token_of(token_id, told, self._tokenizer.token_bytes))
            source |= {key: entry[key] for key in ("logprob", "top_logprobs")}
        return sources


def _text(spelled: bytes) -> dict[str, Any]:
    """As `logprobs` has tokens; bytes only where they are no whole characters."""
    try:
        return {"token": spelled.decode()}
    except UnicodeDecodeError:
        return {"token": spelled.decode(errors="replace"), "bytes": list(spelled)}

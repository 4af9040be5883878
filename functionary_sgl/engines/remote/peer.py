"""What is at the other end of a connection, and how it wants to be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from functionary_sgl import files
from functionary_sgl.engines.generate import envelope
from functionary_sgl.engines.generate.about import About, fingerprint
from functionary_sgl.engines.generate.capacity import most_running
from functionary_sgl.engines.remote.connection import Connection, Lost
from functionary_sgl.errors import EngineError, RequestError, UsageError
from functionary_sgl.tokenizer import Tokenizer

COMMAND = "functionary-sgl engine"

_NEEDED = {"grammar_backend": "llguidance", "incremental_streaming_output": True}
PLAIN_FLAGS = "--grammar-backend llguidance --incremental-streaming-output"

PLAIN = (
    f"the engine is SGLang's own server, not one of {COMMAND}: requests with a seed are refused, "
    "its adapters are not offered, nothing but the program keeps it from drawing control tokens, "
    "and a request that overflows ends it"
)
"""What differs there, in a line."""

PLAIN_HANG_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """`plain`: it is SGLang's own server, which knows nothing of this package."""

    about: About
    plain: bool = False

    def body(self, rid: str, token_ids: Sequence[int], fields: Mapping[str, Any]) -> dict[str, Any]:
        """That of a request with these `fields`. Raises RequestError for what it cannot do."""
        if not self.plain:
            return envelope.wrapped(rid, token_ids, fields)
        if "sampling_seed" in fields["sampling_params"]:
            raise RequestError(
                "This server's engine draws by no seed; leave it out, or have the engine started "
                f"with {COMMAND}.",
                param="seed",
            )
        return {"rid": rid, "input_ids": list(token_ids), "stream": True, **fields}

    def answers(self, meta: Mapping[str, Any]) -> bool:
        """Whether `meta` is of an answer of this model, to all that was asked."""
        return self.plain or meta.get(envelope.STAMP) == self.about.stamp


async def met(connection: Connection, directory: Path, tokenizer: Tokenizer) -> Peer:
    """What is there. Raises Lost where there is nothing (yet), and UsageError where it cannot
    answer by prompts of `tokenizer`; `directory` has the files of its model."""
    try:
        told = await connection.ask("/generate", envelope.asking())
    except Lost as error:
        if error.reason != "status":
            raise
        told = None  # SGLang's own fails on what it does not know
    except RequestError:
        told = None
    except EngineError as error:
        raise UsageError(str(error)) from error
    match told:
        case {"meta_info": {envelope.STAMP: dict(about)}}:
            peer = Peer(_about(about, connection.url))
        case _:
            peer = Peer(await _plain(connection, directory, tokenizer), plain=True)
    _check(peer.about, connection.url, tokenizer)
    return peer


def _about(told: dict[str, Any], url: str) -> About:
    if told.get("version") == envelope.VERSION:
        try:
            return About.model_validate(told)
        except ValidationError:
            pass
    raise UsageError(
        f"the engine at {url} is of another version of functionary-sgl: install the same here and "
        "there"
    )


def _check(about: About, url: str, tokenizer: Tokenizer) -> None:
    if about.tokens != fingerprint(tokenizer):
        raise UsageError(
            f"the engine at {url} has another tokenizer, or another --template: it serves "
            f"{about.model}; give this server the same --model-path"
        )
    if tokenizer.most_id >= about.vocabulary_size:
        raise UsageError(
            f"the tokenizer has ids up to {tokenizer.most_id}, the model at {url} "
            f"{about.vocabulary_size} ids: they do not belong together"
        )


async def _plain(connection: Connection, directory: Path, tokenizer: Tokenizer) -> About:
    """What SGLang's own server tells, and the model's files here where it does not."""
    server = await connection.ask("/server_info")
    model = await connection.ask("/model_info")
    if server is None or model is None or "max_req_input_len" not in server:
        raise UsageError(
            f"what answers at {connection.url} is no engine, or a router before engines that were "
            f"not started with {COMMAND}"
        )
    if any(server.get(name) != value for name, value in _NEEDED.items()):
        raise UsageError(
            f"SGLang at {connection.url} has to be started with {PLAIN_FLAGS}, or better by "
            f"{COMMAND}"
        )
    config = files.read_object(directory / "config.json", optional=True)
    if model.get("model_type") not in (None, config.get("model_type")):
        raise UsageError(
            f"SGLang at {connection.url} serves a {model['model_type']}, and --model-path is "
            f"{config.get('model_type')}: give the same model here and there"
        )
    own = config.get("text_config") or config
    return About(
        version=envelope.VERSION,
        model=str(server.get("model_path")),
        tokens=fingerprint(tokenizer),
        context_length=int(server["max_req_input_len"]),
        most_running=most_running(
            server.get("max_running_requests"),
            int(server.get("max_total_num_tokens") or 0),
            int(server.get("dp_size") or 1),
        ),
        vocabulary_size=int(own.get("vocab_size") or 0),
        end_ids=_ids(own.get("eos_token_id")),
        sees_images=bool(model.get("has_image_understanding")),
        image_domains=[str(name).lower() for name in server.get("allowed_media_domains") or ()],
        adapters={},
        hang_seconds=PLAIN_HANG_SECONDS,
    )


def _ids(told: Any) -> list[int]:
    """Ids as a model's files have them: one, several or none."""
    if told is None:
        return []
    return [told] if isinstance(told, int) else list(told)

"""Starting SGLang, on whatever this machine has."""

import argparse
import json
import logging
import multiprocessing
import os
import signal
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from functionary_sgl import files
from functionary_sgl.engines.sglang import beginnings, cpu_flags, llava, lora, stages, weights
from functionary_sgl.engines.sglang.engine import SGLangEngine
from functionary_sgl.engines.sglang.grammars import Grammars
from functionary_sgl.engines.sglang.platform import has_accelerator
from functionary_sgl.engines.sglang.progress import Progress
from functionary_sgl.engines.sglang.scheduler import process
from functionary_sgl.errors import EngineError, FunctionaryError, UsageError
from functionary_sgl.tokenizer import Tokenizer

# Flags of SGLang's server that belong to its own way of making chat prompts and finding calls.
_WITHOUT_EFFECT = ("chat_template", "tool_call_parser", "reasoning_parser")

# Secrets of SGLang's own HTTP server, which does not run here; it would print them with its flags.
_SECRETS = {
    "api_key": "give keys in FUNCTIONARY_API_KEY or with --api-key-file",
    "admin_api_key": "give it to this server, in FUNCTIONARY_ADMIN_API_KEY",
    "ssl_keyfile_password": "give an --ssl-keyfile without a password, that only the server reads",
}


HANG_SECONDS = 60
"""How long the engine may compute nothing while requests wait for it, by default: a batch takes
seconds at most, where nothing is wrong."""

SLOW_HANG_SECONDS = 600
"""The same without a GPU, where thousands of tokens of a prompt are one batch."""


def hush() -> None:
    """Keep SGLang's warnings about hardware that is not there from those who have not asked."""
    warnings.simplefilter("ignore", UserWarning)
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning")
    # SGLang tells of any handler for a child's death as of an error.
    logger = logging.getLogger("sglang.srt.entrypoints.engine")
    logger.addFilter(lambda record: "SIGQUIT handler" not in record.getMessage())


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add every flag of SGLang's server. Imports SGLang, which takes ten seconds."""
    with cpu_flags.calm_threads():
        from sglang.srt.server_args import ServerArgs

    ServerArgs.add_cli_args(parser)


def with_config_file(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    """`arguments` with those of SGLang's `--config FILE` merged in, or UsageError."""
    if "--config" not in arguments:
        return arguments
    from sglang.srt.utils.server_args_config_parser import ConfigArgumentMerger

    try:
        merged: list[str] = ConfigArgumentMerger(parser).merge_config_with_args(arguments)
    except FunctionaryError:
        raise
    except Exception as error:  # what YAML, files and SGLang raise
        raise UsageError(f"--config cannot be used: {error}") from error
    return merged


def start(
    arguments: argparse.Namespace,
    tokenizer: Tokenizer,
    grammar_cache_mb: int,
    image_token_id: int | None = None,
    drafts: bool | None = None,
    hang_seconds: int | None = None,
    loading: AbstractContextManager[None] | None = None,
) -> SGLangEngine:
    """Start the engine with `arguments`, as parsed by a parser with SGLang's flags; it keeps at
    most about `grammar_cache_mb` MiB of compiled grammars, and draws control tokens of `tokenizer`
    only where a request asks for them. `image_token_id` stands for an image in prompts. `drafts`:
    whether what is likely to come is verified in one pass; None: where that is known to be quicker.
    `hang_seconds`: how long it may compute nothing while requests wait; None: HANG_SECONDS, or
    SLOW_HANG_SECONDS without a GPU. `loading` is what stands around the part that takes long.

    On a machine that is not the first of several (`--node-rank`) SGLang's part there runs until the
    first one's ends, and then this process does: SystemExit.

    Call it in the main thread, before any event loop runs. Raises UsageError for flags that do
    not go together, EngineError if the engine does not come up, or dies before this returns.
    """
    for name, instead in _SECRETS.items():
        if getattr(arguments, name, None) is not None:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} of SGLang's is not taken: {instead}")
    settings, adapters = prepared(arguments, tokenizer, grammar_cache_mb, image_token_id, drafts)
    # Ours is the bound that waits: SGLang's would refuse some requests of a turn that was let in.
    most_waiting, arguments.max_queued_requests = arguments.max_queued_requests, None
    hang_seconds = hang_seconds or default_hang_seconds()
    if loading is None or arguments.node_rank > 0:  # there it takes as long as the model is served
        loading = nullcontext()
    engine = _started(arguments, settings, adapters, hang_seconds, loading)
    engine.most_waiting = most_waiting
    return engine


def prepared(
    arguments: argparse.Namespace,
    tokenizer: Tokenizer,
    grammar_cache_mb: int,
    image_token_id: int | None,
    drafts: bool | None,
) -> tuple[process.Settings, dict[str, str]]:
    """What the scheduler of an engine with `arguments` is told, and the adapters that it begins
    with. The rest is as in `start`; what follows from it is set in `arguments`."""
    for name in _WITHOUT_EFFECT:
        if getattr(arguments, name, None):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} has no effect here: turn programs do its work (--template)")
    if arguments.grammar_backend == "none":
        raise UsageError("--grammar-backend none: calls cannot be constrained without a grammar")
    weights.check(arguments.model_path, arguments.load_format)
    stages.check(arguments.model_path, arguments.pp_size)
    adapters = lora.adapters(arguments)
    if not has_accelerator():
        cpu_flags.prepare(arguments, ranks(arguments))
    name_the_architecture(arguments, image_token_id)
    arguments.grammar_backend = arguments.grammar_backend or "llguidance"
    # JSON in the form models are trained on, and no white space without end.
    arguments.constrained_json_disable_any_whitespace = True
    arguments.incremental_streaming_output = True
    arguments.custom_sigquit_handler = _end_here if arguments.node_rank > 0 else _give_up
    settings = process.Settings(
        cache_bytes=grammar_cache_mb * 2**20,
        grammars=Grammars(ranks(arguments)),
        control_ids=tuple(tokenizer.control_ids.values()),
        most_id=tokenizer.most_id,
        drafts=_drafts(arguments, drafts),
        attention=not _names_attention(arguments),
        beats=multiprocessing.get_context("spawn").RawValue("Q", 0),
    )
    return settings, adapters


def _started(
    arguments: argparse.Namespace,
    settings: process.Settings,
    adapters: Mapping[str, str],
    hang_seconds: int,
    loading: AbstractContextManager[None],
) -> SGLangEngine:
    # Behind the checks, since it takes seconds.
    from sglang.srt.entrypoints.engine import Engine
    from sglang.srt.server_args import ServerArgs

    choose_drafts(arguments, settings)

    class OurEngine(Engine):  # type: ignore[misc]
        run_scheduler_process_func = partial(process.run, settings)
        run_detokenizer_process_func = staticmethod(process.run_detokenizer)

        @classmethod
        def _launch_scheduler_processes(cls, *args: Any, **kwargs: Any) -> Any:
            with beginnings.of_processes(arguments):
                return super()._launch_scheduler_processes(*args, **kwargs)

        @classmethod
        def _launch_detokenizer_subprocesses(cls, *args: Any, **kwargs: Any) -> Any:
            with beginnings.of_processes(arguments):
                return super()._launch_detokenizer_subprocesses(*args, **kwargs)

    try:
        with loading:
            engine = OurEngine(server_args=ServerArgs.from_cli_args(arguments))
        if arguments.node_rank > 0:
            engine.shutdown()
            raise SystemExit(0)
        progress = Progress(settings.beats, hang_seconds)
        return SGLangEngine(
            engine, arguments.grammar_backend, progress, settings.grammars, adapters
        )
    except FunctionaryError:
        raise
    except RuntimeError as error:
        raise EngineError(f"SGLang did not start: {error}") from error
    except Exception as error:  # in this process it reads the flags and the model's configuration
        told = "" if isinstance(error, AssertionError | ValueError) else f"{type(error).__name__}: "
        raise UsageError(
            f"SGLang does not take these flags, or this model: {told}{error}"
        ) from error


def ranks(arguments: argparse.Namespace) -> int:
    """How many schedulers there are."""
    return int(arguments.tp_size * arguments.dp_size * arguments.pp_size)


def choose_drafts(arguments: argparse.Namespace, settings: process.Settings) -> None:
    """Have SGLang draft where `settings` say so, before it reads `arguments`."""
    from functionary_sgl.engines.sglang.scheduler.drafts import algorithm

    algorithm.register()
    if settings.drafts:
        algorithm.choose(arguments)


def _drafts(arguments: argparse.Namespace, wanted: bool | None) -> bool:
    """Whether there are drafts. Raises UsageError where they are `wanted` and cannot be."""
    bars = {
        "--speculative-algorithm": arguments.speculative_algorithm is not None,
        f"--grammar-backend {arguments.grammar_backend}": arguments.grammar_backend != "llguidance",
        "--pp-size": arguments.pp_size > 1,
        "--dp-size": arguments.dp_size > 1,
        "--enable-mixed-chunk": arguments.enable_mixed_chunk,
        "SGLang's own attention": _names_attention(arguments),
        "a GPU (try SGLang's --speculative-algorithm NGRAM)": has_accelerator(),
    }
    found = next((bar for bar, is_there in bars.items() if is_there), None)
    if wanted and found:
        raise UsageError(f"--drafts on does not go with {found}")
    return wanted is not False and found is None


def _names_attention(arguments: argparse.Namespace) -> bool:
    kinds = "attention_backend", "prefill_attention_backend", "decode_attention_backend"
    return any(getattr(arguments, kind) is not None for kind in kinds)


def default_hang_seconds() -> int:
    """On this machine."""
    return HANG_SECONDS if has_accelerator() else SLOW_HANG_SECONDS


def name_the_architecture(arguments: argparse.Namespace, image_token_id: int | None = None) -> None:
    """Have a model of MeetKai's own classes served as the Llama or LLaVA that it is.

    Checkpoints that were saved anew (quantized ones, say) name `FunctionaryForCausalLM`, which no
    engine knows. Other models are left alone, and so is what the user overrides.
    """
    from transformers import PretrainedConfig

    try:
        config, _ = PretrainedConfig.get_config_dict(arguments.model_path)
    except (OSError, ValueError):
        return  # SGLang will say it better
    if "FunctionaryForCausalLM" in (config.get("architectures") or ()):
        known: dict[str, Any] = {"architectures": ["LlamaForCausalLM"]}
    elif llava.is_llava(config):
        llava.register()
        known = llava.overrides(image_token_id)
    else:
        return
    overrides = files.parse_object(
        arguments.json_model_override_args, Path("--json-model-override-args")
    )
    arguments.json_model_override_args = json.dumps(known | overrides)


def _give_up(signum: int, frame: Any) -> NoReturn:
    """A process of the engine died before it was ready."""
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    raise EngineError("SGLang did not start; its output above says why.")


def _end_here(signum: int, frame: Any) -> NoReturn:
    """A process of the engine died on this machine, where another one serves."""
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    raise EngineError("SGLang has ended on this machine; its output above says why.")

"""SGLang's own HTTP server, with what this package hangs on its scheduler: an engine for servers on
other machines (`engines/remote`)."""

import argparse
from collections.abc import Mapping
from functools import partial
from typing import Any

from functionary_sgl.engines.generate import envelope
from functionary_sgl.engines.generate.about import About, fingerprint
from functionary_sgl.engines.generate.capacity import most_running
from functionary_sgl.engines.sglang import http_end, http_requests, launch
from functionary_sgl.engines.sglang.scheduler import process
from functionary_sgl.errors import EngineError, FunctionaryError, UsageError
from functionary_sgl.tokenizer import Tokenizer


def run(
    arguments: argparse.Namespace,
    tokenizer: Tokenizer,
    grammar_cache_mb: int,
    image_token_id: int | None,
    drafts: bool | None,
    hang_seconds: int | None,
    key: str | None,
) -> None:
    """Serve until the process is told to end; the arguments are those of `launch.start`. Who has
    no `key`, where there is one, is let do nothing.

    Raises as `launch.start` does.
    """
    for name in ("api_key", "admin_api_key"):
        if getattr(arguments, name) is not None:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} is seen by all: set FUNCTIONARY_ENGINE_API_KEY instead")
    settings, adapters = launch.prepared(
        arguments, tokenizer, grammar_cache_mb, image_token_id, drafts
    )
    if arguments.grammar_backend != "llguidance":
        raise UsageError(
            f"--grammar-backend {arguments.grammar_backend}: other machines' servers need "
            "llguidance, by which they check schemas"
        )
    # Its first requests would come without the key; servers ask before they trust it.
    arguments.skip_server_warmup = True
    launch.choose_drafts(arguments, settings)
    from sglang.srt.entrypoints import http_server
    from sglang.srt.plugins import load_plugins
    from sglang.srt.server_args import ServerArgs

    if key is not None:
        from sglang.srt.utils.auth import add_api_key_middleware

        # Not by SGLang's flag, which it prints with all others.
        add_api_key_middleware(http_server.app, api_key=key, admin_api_key=None)
    hang_seconds = hang_seconds or launch.default_hang_seconds()
    http_end.in_order()
    http_requests.heed(partial(_about, fingerprint(tokenizer), adapters, hang_seconds))
    load_plugins()
    try:
        http_server.launch_server(
            ServerArgs.from_cli_args(arguments),
            run_scheduler_process_func=partial(process.run, settings),
            run_detokenizer_process_func=process.run_detokenizer,
        )
    except FunctionaryError:
        raise
    except RuntimeError as error:
        raise EngineError(f"SGLang did not start: {error}") from error
    except Exception as error:  # it reads the flags and the model's configuration in this process
        raise UsageError(f"SGLang does not take these flags, or this model: {error}") from error


def _about(tokens: str, adapters: Mapping[str, str], hang_seconds: int, manager: Any) -> About:
    """What the engine is, by its TokenizerManager."""
    from sglang.srt.entrypoints import http_server

    scheduler = http_server._global_state.scheduler_info
    config, arguments = manager.model_config, manager.server_args
    return About(
        version=envelope.VERSION,
        model=arguments.model_path,
        tokens=tokens,
        context_length=int(scheduler["max_req_input_len"]),
        most_running=most_running(
            arguments.max_running_requests,
            int(scheduler["max_total_num_tokens"]),
            arguments.dp_size,
        ),
        vocabulary_size=int(config.vocab_size),
        end_ids=sorted(config.hf_eos_token_id or ()),
        sees_images=bool(config.is_multimodal),
        image_domains=[domain.lower() for domain in arguments.allowed_media_domains or ()],
        adapters=dict(adapters),
        hang_seconds=hang_seconds,
    )

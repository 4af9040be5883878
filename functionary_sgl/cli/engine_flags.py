"""Flags that are about the engine, and those of SGLang's server, which are taken too."""

import argparse
import os
import re
from collections.abc import Sequence

from functionary_sgl.cli import flags
from functionary_sgl.errors import UsageError

VARIABLE = "FUNCTIONARY_ENGINE_API_KEY"
"""What servers have to send to engines elsewhere, and engines want of them."""

_SHARED = (
    *("--model-path", "--tokenizer-path", "--served-model-name", "--host", "--port"),
    *("--context-length", "--log-level"),
)
"""Flags that SGLang has by the same names."""


def taken_key() -> str | None:
    """The key of engines, which is in the environment no more: child processes need none."""
    return os.environ.pop(VARIABLE, None) or None


def add(parser: argparse.ArgumentParser) -> None:
    """Add those of ours."""
    add = parser.add_argument
    add("--model-path", "--model", metavar="P", help="a checkpoint; default: the embedded model")
    add("--tokenizer-path", metavar="P", help="where the tokenizer is, if not with the model")
    add("--served-model-name", metavar="NAME", help="what requests call the model")
    add("--template", metavar="NAME", help="the prompt template; default: found from the model")
    add("--context-length", type=int, metavar="N", help="default: the model's")
    add(
        "--engine-timeout",
        type=flags.positive,
        metavar="SECONDS",
        help="how long the engine may compute nothing while turns run, before the server ends; "
        "default: 60, without a GPU 600",
    )
    add(
        "--lora-modules",
        nargs="+",
        metavar="NAME=PATH",
        help="LoRA adapters, each a model of its own name; also --lora-paths",
    )
    add(
        "--grammar-cache-mb",
        type=flags.positive,
        metavar="N",
        default=256,
        help="memory for compiled schemas in each process of the engine; default: 256",
    )
    add(
        "--drafts",
        choices=("on", "off"),
        help="verify what is likely to come of a call in one pass; default: on without a GPU",
    )


def check_elsewhere(options: argparse.Namespace, others: Sequence[str]) -> None:
    """UsageError for what is no URL of an engine, and for flags that go to that one; `others` are
    SGLang's, or nobody's."""
    for url in options.engine_url:
        if not re.fullmatch(r"https?://[^/?#\s]+/?", url):
            raise UsageError(f"--engine-url: {url} is not of the form http://HOST:PORT")
    if options.engine == "scripted":
        raise UsageError("--engine scripted asks no --engine-url")
    given = [other.partition("=")[0] for other in others]
    for flag in ("--context-length", "--lora-modules", "--lora-dirs", "--drafts"):
        if getattr(options, flag[2:].replace("-", "_")) is not None:
            given.append(flag)
    if given:
        raise UsageError(f"{given[0]} is not for a server with --engine-url, but for its engine")


def drafts(options: argparse.Namespace) -> bool | None:
    """What `--drafts` says."""
    return None if options.drafts is None else options.drafts == "on"


def of_sglang(
    parser: flags.Parser, options: argparse.Namespace, others: Sequence[str]
) -> argparse.Namespace:
    """SGLang's flags: its own from the environment and from `others`, and those we share, which
    `parser` has read into `options`. Imports SGLang, which takes ten seconds."""
    from functionary_sgl.engines.sglang import launch

    if options.log_level == "error":
        launch.hush()
    engine_parser = flags.Parser(prog=parser.prog, add_help=False)
    launch.add_flags(engine_parser)
    flags.warn_of_unknown([parser, engine_parser])
    shared = [
        f"{option}={value}"
        for option in _SHARED
        if (value := getattr(options, option[2:].replace("-", "_"))) is not None
    ]
    if options.lora_modules:
        shared += ["--lora-paths", *options.lora_modules]
    arguments = [*flags.from_environment(engine_parser), *others, *shared]
    return engine_parser.parse_args(launch.with_config_file(engine_parser, arguments))

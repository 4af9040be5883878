"""Flags that are about the engine, and those of SGLang's server, which are taken too."""

import argparse
from collections.abc import Sequence

from functionary_sgl.cli import flags

_SHARED = (
    *("--model-path", "--tokenizer-path", "--served-model-name", "--host", "--port"),
    *("--context-length", "--log-level"),
)
"""Flags that SGLang has by the same names."""


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

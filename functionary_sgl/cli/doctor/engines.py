"""Engines on other machines, asked what they are."""

import argparse
import asyncio
import os
from collections.abc import Iterator

from functionary_sgl.cli import engine_flags
from functionary_sgl.cli.doctor.finding import Finding, tried
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter


def findings(options: argparse.Namespace) -> Iterator[Finding]:
    """Whether those that `--engine-url` names are there, and of the model."""
    if not options.engine_url:
        yield Finding("ok", "engine", f"{options.engine}, in the server's own process")
    for url in options.engine_url or ():
        yield tried("engine", lambda url=url: _asked(url, options))  # type: ignore[misc]


def _asked(url: str, options: argparse.Namespace) -> str:
    from functionary_sgl.engines.remote.start import found

    path = options.tokenizer_path or options.model_path or str(checkpoint.EMBEDDED)
    loaded = checkpoint.load(path)
    seen = detect.chosen(loaded, options.template)
    tokenizer = Prompter(seen.format, loaded.tokenizer, loaded.template).tokenizer
    key = os.environ.get(engine_flags.VARIABLE)
    asking = found(url, key, loaded.directory, tokenizer, lambda _: None, seconds=0)
    peer, count = asyncio.run(asking)
    about = peer.about
    kind = "SGLang's own server" if peer.plain else "an engine"
    several = f", {count} behind a router" if count > 1 else ""
    return f"{url} is {kind} for {about.model}, {about.context_length} tokens{several}"

"""Flags that fail in one line, and that environment variables can set."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from functionary_sgl.errors import UsageError

PREFIX = "FUNCTIONARY_"


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse prints its usage, which for SGLang is 700 flags long."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def from_environment(
    parser: argparse.ArgumentParser, environment: Mapping[str, str] = os.environ
) -> list[str]:
    """The arguments that `FUNCTIONARY_...` variables stand for: `FUNCTIONARY_MODEL_PATH` for
    `--model-path`. A flag without a value takes 1 or 0, one with several takes them as a shell
    would split them. Put before the command line's arguments, they give way to those.
    """
    arguments: list[str] = []
    for option, action in _options(parser):
        value = environment.get(variable(option))
        if value is None:
            continue
        if action.nargs == 0:
            arguments += [option] if _is_on(option, value) else []
        elif action.nargs is None or action.nargs == "?":
            arguments.append(f"{option}={value}")
        else:
            arguments += [option, *shlex.split(value)]
    return arguments


def warn_of_unknown(
    parsers: Iterable[argparse.ArgumentParser], environment: Mapping[str, str] = os.environ
) -> None:
    """Say which `FUNCTIONARY_...` variables set nothing: a misspelt one must not go unseen."""
    known = {variable(option) for parser in parsers for option, _ in _options(parser)}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            print(f"functionary-sgl: {name} is no setting and is ignored", file=sys.stderr)


def variable(option: str) -> str:
    """The environment variable of a flag."""
    return PREFIX + option.removeprefix("--").replace("-", "_").upper()


def _options(parser: argparse.ArgumentParser) -> Sequence[tuple[str, argparse.Action]]:
    return [
        (option, action)
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    ]


def _is_on(option: str, value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise UsageError(f"{variable(option)} must be 1 or 0, not '{value}'")

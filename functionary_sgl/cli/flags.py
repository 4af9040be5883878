"""Flags that fail in one line, and that environment variables can set."""

import argparse
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NoReturn

from functionary_sgl.cli import logs
from functionary_sgl.errors import UsageError

PREFIX = "FUNCTIONARY_"

_SECRET = ("--api-key", "--admin-api-key")
"""For `cli/keys.py` alone, which takes their variables out of the environment: what begins as they
do may be a key, too, that would stay there."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse prints its usage, which for SGLang is 700 flags long."""

    def error(self, message: str) -> NoReturn:
        # A beginning of several flags is told with its value, which may be a key.
        raise UsageError(re.sub(r"(ambiguous option: [^ =]+)=.*( could match)", r"\1\2", message))


def from_environment(
    parser: argparse.ArgumentParser, environment: Mapping[str, str] = os.environ
) -> list[str]:
    """The arguments that `FUNCTIONARY_...` variables stand for: `FUNCTIONARY_MODEL_PATH` for
    `--model-path`. A flag without a value takes 1 or 0, one with several takes them as a shell
    would split them. Put before the command line's arguments, they give way to those.
    """
    arguments: list[str] = []
    for name, value in _settings(environment):
        if (found := _flag(parser, name)) is None:
            continue
        option, action = found
        if action.nargs == 0:
            arguments += [option] if _is_on(name, value) else []
        elif action.nargs is None or action.nargs == "?":
            arguments.append(f"{option}={value}")
        else:
            arguments += [option, *shlex.split(value)]
    return arguments


def warn_of_unknown(
    parsers: Sequence[argparse.ArgumentParser], environment: Mapping[str, str] = os.environ
) -> None:
    """Say which `FUNCTIONARY_...` variables set nothing: a misspelt one must not go unseen."""
    for name, _ in _settings(environment):
        if not any(_flag(parser, name) for parser in parsers):
            logs.tell(f"{name} is no setting and is ignored")


def _settings(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(item for item in environment.items() if item[0].startswith(PREFIX))


def _flag(parser: argparse.ArgumentParser, name: str) -> tuple[str, argparse.Action] | None:
    """The flag that the variable `name` sets; like on the command line, a beginning that only one
    flag has will do (SGLang's `--tp` is one, of `--tp-size`)."""
    asked = "--" + name.removeprefix(PREFIX).lower().replace("_", "-")
    if any(secret.startswith(asked) for secret in _SECRET):
        return None
    flags = {
        option: action
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    if asked in flags:
        return asked, flags[asked]
    begun = {flags[option].dest: option for option in flags if option.startswith(asked)}
    return next(((o, flags[o]) for o in begun.values()), None) if len(begun) == 1 else None


def _is_on(name: str, value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise UsageError(f"{name} must be 1 or 0, not '{value}'")


def positive(text: str) -> int:
    """The type of a flag whose value is a whole number above 0."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return number


def seconds(text: str) -> int:
    """The type of a flag whose value is a whole number of seconds, 0 included."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of seconds")
    return int(text)


def count(text: str) -> int:
    """The type of a flag whose value is a whole number, 0 included."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def port(text: str) -> int:
    """The type of a flag whose value is a port."""
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, 0 to 65535")
    return number

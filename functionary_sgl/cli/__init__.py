"""The command line: `functionary-sgl serve`, and what else there is (USAGE).

Each command is imported when it is asked for: some bring torch, most must not.
"""

import sys
from collections.abc import Sequence

from functionary_sgl.errors import FunctionaryError, RequestError, UsageError

USAGE = """\
usage: functionary-sgl COMMAND [OPTIONS]

commands:
  serve      serve a model over HTTP (serve --help tells its options)
  engine     serve an engine alone, for servers on other machines (serve --engine-url)
  doctor     tell whether a server with serve's options would work here
  render     print the prompt that a chat request becomes
  eval       ask a server questions with known answers, and print its scores
  templates  list the prompt templates and the models they belong to
  version    print the versions of this package and of SGLang
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. Errors are one line: 2 for what the user can mend, else 1."""
    command, *arguments = sys.argv[1:] if argv is None else argv or ["--help"]
    try:
        return _run(command, arguments)
    except KeyboardInterrupt:
        return 130
    except FunctionaryError as error:
        # Names of files, and what libraries say, may have line breaks.
        print("functionary-sgl:", *str(error).splitlines(), file=sys.stderr)
        return 2 if isinstance(error, UsageError | RequestError) else 1


def _run(command: str, arguments: Sequence[str]) -> int:
    if command == "serve":
        from functionary_sgl.cli.serve import serve

        return serve(arguments)
    if command == "engine":
        from functionary_sgl.cli.engine import serve_engine

        return serve_engine(arguments)
    if command == "doctor":
        from functionary_sgl.cli.doctor import diagnose

        return diagnose(arguments)
    if command == "render":
        from functionary_sgl.cli.render import render

        return render(arguments)
    if command == "eval":
        from functionary_sgl.cli.eval import evaluate

        return evaluate(arguments)
    if command == "templates":
        from functionary_sgl.cli.templates import list_templates

        return list_templates(arguments)
    if command in ("version", "--version"):
        from importlib.metadata import version

        print(f"functionary-sgl {version('functionary-sgl')}, sglang {version('sglang')}")
        return 0
    if command in ("help", "--help", "-h"):
        print(USAGE, end="")
        return 0
    raise UsageError(
        f"unknown command '{command}'; there are: serve, engine, doctor, render, eval, templates, "
        "version"
    )

"""`functionary-sgl templates`."""

from collections.abc import Sequence

from functionary_sgl.cli.flags import Parser
from functionary_sgl.turns import registry


def list_templates(argv: Sequence[str]) -> int:
    """Print each format with the models that were trained on it."""
    parser = Parser(prog="functionary-sgl templates", description=list_templates.__doc__)
    parser.parse_args(argv)
    formats = registry.formats()
    width = max(map(len, formats))
    for format in formats.values():
        for index, model in enumerate(format.models):
            print(f"{format.name if index == 0 else '':{width}}  {model}")
    return 0

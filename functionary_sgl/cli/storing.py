"""Where responses are kept, and how many."""

import argparse
from pathlib import Path

from functionary_sgl.api.responses.store import Bounds, ResponseStore
from functionary_sgl.cli import flags

MIB = 2**20
HOUR = 3600
DEFAULT = Bounds()


def add_flags(parser: flags.Parser) -> None:
    """Add the flags that are about the store."""
    add = parser.add_argument
    add(
        "--store-file",
        metavar="FILE",
        help="where responses are kept for previous_response_id; default: in memory",
    )
    add(
        "--store-responses",
        type=flags.count,
        metavar="N",
        default=DEFAULT.responses,
        help=f"how many are kept; 0: none; default: {DEFAULT.responses}",
    )
    add(
        "--store-mb",
        type=flags.positive,
        metavar="N",
        default=DEFAULT.size // MIB,
        help=f"most MiB of them all, one having a quarter of it; default: {DEFAULT.size // MIB}",
    )
    add(
        "--store-hours",
        type=flags.positive,
        metavar="N",
        default=int(DEFAULT.seconds // HOUR),
        help=f"how long each is kept since its last use; default: {int(DEFAULT.seconds // HOUR)}",
    )


def opened(options: argparse.Namespace) -> ResponseStore:
    """The store that flags ask for; UsageError where it cannot be had."""
    bounds = Bounds(options.store_responses, options.store_mb * MIB, options.store_hours * HOUR)
    return ResponseStore(bounds, Path(options.store_file) if options.store_file else None)

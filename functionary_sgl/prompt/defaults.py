"""The sampling defaults of a checkpoint: what its `generation_config.json` says of them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from functionary_sgl import files
from functionary_sgl.engines.base import LEAST_TOP_P
from functionary_sgl.errors import UsageError


class Bounds(NamedTuple):
    """A number from `least` on, or from above it, up to `most`."""

    least: float
    most: float
    above: bool = False
    whole: bool = False

    def hold(self, value: Any) -> bool:
        """Whether `value` is such a number; those of JSON's numbers that are none are not."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.whole and isinstance(value, float) and not value.is_integer():
            return False
        return self.least <= value <= self.most and not (self.above and value == self.least)

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.above:
            return f"{kind} above {self.least:g}, up to {self.most:g}"
        return f"{kind} from {self.least:g} to {self.most:.10g}"


# Those of requests, and zeros by which checkpoints switch something off.
BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {
        "temperature": Bounds(0, 2),
        "top_p": Bounds(0, 1),
        "top_k": Bounds(-1, 2**31 - 1, whole=True),
        "min_p": Bounds(0, 1),
        "repetition_penalty": Bounds(0, 2, above=True),
    }
)


def read(file: Path) -> dict[str, float]:
    """The defaults that are in the file: numbers that a request could have. None without the file.

    Raises UsageError for values that would make every request fail that leaves them out.
    """
    content = files.read_object(file, optional=True)
    given = {key: content[key] for key in BOUNDS if content.get(key) is not None}
    for key, value in given.items():
        if not BOUNDS[key].hold(value):
            raise UsageError(f"{file}: {key} is {_shown(value)}, but has to be {BOUNDS[key]}")
    defaults = {k: int(v) if BOUNDS[k].whole else float(v) for k, v in given.items()}
    if defaults.get("top_p") == 0:
        defaults["top_p"] = LEAST_TOP_P
    return defaults


def _shown(value: Any) -> str:
    shown = files.kind(value) if isinstance(value, list | dict | None) else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}..."

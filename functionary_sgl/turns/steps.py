"""Steps that the programs of several formats take."""

from typing import Any

from functionary_sgl.turns.vocabulary import select


def matched(s: Any, name: str) -> Any:
    """The stop string that ended the `gen` of this name; none of the program's if the model ended
    its turn."""
    return s.get_meta_info(name)["finish_reason"].get("matched")


def settle(s: Any, names: list[str], terminator: str) -> str:
    """The only recipient: written, not asked for."""
    s += names[0] + terminator
    return names[0]


def choose(s: Any, place: int, names: list[str], terminator: str) -> str:
    """The recipient that the model picks. What follows a name tells it from a longer one."""
    s += select(f"name_{place}", [name + terminator for name in names])
    chosen: str = s[f"name_{place}"]
    return chosen.removesuffix(terminator)

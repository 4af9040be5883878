"""The response header that says which keywords of the tools' schemas were not enforced."""

from collections.abc import Sequence
from urllib.parse import quote

NAME = "functionary-unenforced"

MOST_PLACES = 32
MOST_BYTES = 4096


def header(places: Sequence[str]) -> dict[str, str]:
    """No header where there is nothing to say; else `places` with `, ` in between, each
    percent-encoded like the fragment of a URI. Where they are too many, `...` stands for the rest.
    """
    if not places:
        return {}
    told: list[str] = []
    for place in places:
        encoded = quote(place, safe="/[].$~^*()!':@")
        if len(told) == MOST_PLACES or sum(map(len, told)) + len(encoded) > MOST_BYTES:
            told.append("...")
            break
        told.append(encoded)
    return {NAME: ", ".join(told)}

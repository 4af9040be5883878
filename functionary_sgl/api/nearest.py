"""The endpoint that somebody may have meant who asked for one that there is not."""

from difflib import SequenceMatcher

from fastapi import FastAPI

_ALIKE = 0.75
"""Paths of this ratio of common letters are the same but for a slip."""

_MOST_READ = 100
"""Letters of a path that are compared."""


def endpoints(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of each endpoint in the OpenAPI document."""
    paths = app.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def nearest(app: FastAPI, method: str, path: str) -> str:
    """As `POST /v1/chat/completions`: the endpoint whose path is spelled almost like `path`, or
    else, of those with this method, the one whose path is most like it."""
    offered = endpoints(app)

    def likeness(endpoint: tuple[str, str]) -> float:
        return SequenceMatcher(None, path[:_MOST_READ].lower(), endpoint[1], autojunk=False).ratio()

    best = max(offered, key=likeness)
    if likeness(best) < _ALIKE:
        best = max([e for e in offered if e[0] == method] or offered, key=likeness)
    return " ".join(best)

"""The server as users start it; under /free it serves the same engine with `--constraints off`."""

import sys
from dataclasses import replace
from typing import Any

from functionary_sgl.api import app
from functionary_sgl.cli import main, server


def with_free_answers(create_app: Any) -> Any:
    """`create_app`, of two applications in one."""

    def create(model: Any, *arguments: Any) -> Any:
        both = create_app(model, *arguments)
        both.mount("/free", create_app(replace(model, constraints="off"), *arguments))
        return both

    return create


if __name__ == "__main__":
    server.create_app = with_free_answers(app.create_app)  # type: ignore[attr-defined]
    sys.exit(main(["serve", *sys.argv[1:]]))

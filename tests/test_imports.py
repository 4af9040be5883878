"""Imports point one way: the plan of docs/architecture.md, held to what the files import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.paths import ROOT

PACKAGE = "functionary_sgl"

# From top to bottom; a room may use those below it.
LAYERS = (
    *(
        "cli",
        "api",
        "text_turn",
        "model",
        "checked_turn",
        "adapters",
        "forms",
        "gate",
        "prompt",
        "turns",
    ),
    *("runtime", "engines"),
    *("grammars", "chat", "schemas", "patterns", "sandbox", "tokenizer", "files"),
    *("log_lines", "record", "metrics", "tracing", "admission", "caller", "rate", "room"),
    "errors",
)
# It knows servers by HTTP only.
EVALUATION = {"cli": {"evaluation"}, "evaluation": {"errors"}}

NANO = ("training", "network", "tokens", "data", "settings")
OF_THE_PACKAGE = {
    *("chat", "prompt", "tokenizer", "turns", "evaluation"),
    "engines.sglang.platform",  # whether the processor multiplies bfloat16
}

# Libraries that take seconds to import, and who may: at the head of a file, and later on.
HEAVY = {"torch", "transformers", "sglang", "triton", "flashinfer"}
SGLANG = "engines.sglang"
AT_THE_HEAD = (
    f"{SGLANG}.scheduler",
    f"{SGLANG}.cpu_platform",
    f"{SGLANG}.llava_config",
)


class Import(NamedTuple):
    """`file` imports `module`, at its `head` or somewhere inside; both by dotted names."""

    file: str
    module: str
    head: bool


def dotted(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


@cache
def modules(root: str) -> frozenset[str]:
    return frozenset(map(dotted, (ROOT / root).rglob("*.py")))


@cache
def imports(root: str) -> tuple[Import, ...]:
    """All imports of the files below `root`, of names in modules as of these modules."""
    return tuple(found for path in (ROOT / root).rglob("*.py") for found in _of_file(path))


def _of_file(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    head = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(dotted(path), _module(name), id(node) in head)


def _module(name: str) -> str:
    """The module that `name`, of a module or of something in one, is of."""
    known = modules(name.split(".")[0]) if name.split(".")[0] in (PACKAGE, "nano") else ()
    parent = name.rpartition(".")[0]
    return parent if known and name not in known else name


def inside(name: str, room: str) -> bool:
    """Whether `name` is `room` or in it; both without the package's name."""
    return name == room or name.startswith(f"{room}.")


def own(root: str) -> list[tuple[str, str]]:
    """Imports within `root`, without its name: who and whom."""
    cut = len(root) + 1
    return [(file[cut:], module[cut:]) for file, module, _ in imports(root) if inside(module, root)]


def test_rooms_use_those_below_them() -> None:
    for file, module in own(PACKAGE):
        mine, other = file.split(".")[0], module.split(".")[0]
        if mine in ("", "__main__") or not other or mine == other:
            continue
        if "evaluation" in (mine, other):
            assert other in EVALUATION.get(mine, ()), f"{file} imports {module}"
        else:
            assert LAYERS.index(mine) < LAYERS.index(other), f"{file} imports {module}"


def test_every_room_has_its_place() -> None:
    rooms = {name.split(".")[1] for name in modules(PACKAGE) if "." in name}
    assert rooms == {*LAYERS, "evaluation", "__main__"}
    assert {name.split(".")[1] for name in modules("nano") if "." in name} == set(NANO)


def test_protocols_know_what_they_share_and_not_each_other() -> None:
    protocols = {path.name for path in (ROOT / PACKAGE / "api").iterdir() if path.is_dir()}
    protocols -= {"__pycache__"}
    assert "chat" in protocols
    for file, module in own(PACKAGE):
        of = [name for name in protocols if inside(module, f"api.{name}")]
        if of and inside(file, "api") and file not in ("api.app", "api.loading"):
            assert inside(file, f"api.{of[0]}"), f"{file} imports {module}"


def test_engines_do_not_know_each_other() -> None:
    engines = ("scripted", "sglang", "remote")
    for file, module in own(PACKAGE):
        for engine in engines:
            if inside(module, f"engines.{engine}"):
                allowed = inside(file, f"engines.{engine}") or inside(file, "cli")
                assert allowed, f"{file} imports {module}"


def test_what_runs_in_the_scheduler_process_is_not_imported_elsewhere() -> None:
    room = f"{SGLANG}.scheduler"
    for file, module in own(PACKAGE):
        if inside(module, room) and not inside(file, room):
            assert file in (f"{SGLANG}.launch", f"{SGLANG}.http_server")
            assert module in (f"{room}.process", f"{room}.drafts.algorithm")


def test_formats_are_known_to_the_registry_alone() -> None:
    for file, module in own(PACKAGE):
        if inside(module, "turns.formats"):
            assert file == "turns.registry" or inside(file, "turns.formats"), file


def test_sglang_is_imported_in_its_room_alone() -> None:
    """The turns' vocabulary loads SGLang's language by another way, and nothing of its runtime."""
    for file, module, _ in imports(PACKAGE):
        if inside(module, "sglang"):
            assert inside(file, f"{PACKAGE}.{SGLANG}"), f"{file} imports {module}"


def test_what_takes_long_to_import_is_imported_when_it_is_needed() -> None:
    for file, module, head in imports(PACKAGE):
        if module.split(".")[0] in HEAVY and head:
            room = file.removeprefix(f"{PACKAGE}.")
            assert any(inside(room, allowed) for allowed in AT_THE_HEAD), f"{file}: {module}"


def test_the_small_models_conversations_and_samples_need_no_transformers() -> None:
    for file, module, head in imports("nano"):
        assert not (head and module.split(".")[0] in ("transformers", "peft", "matplotlib")), file


def test_the_small_models_rooms_use_those_below_them() -> None:
    for file, module in own("nano"):
        if file and module and file.split(".")[0] != module.split(".")[0]:
            order = NANO.index(file.split(".")[0]) < NANO.index(module.split(".")[0])
            assert order, f"{file} imports {module}"


def test_the_package_does_not_know_how_its_model_was_made() -> None:
    assert not [found for found in imports(PACKAGE) if inside(found.module, "nano")]
    for file, module, _ in imports("nano"):
        if inside(module, PACKAGE):
            room = module.removeprefix(f"{PACKAGE}.")
            assert any(inside(room, allowed) for allowed in OF_THE_PACKAGE), f"{file}: {module}"


def test_conversations_are_made_without_a_model() -> None:
    for file, module, _ in imports("nano"):
        assert not (inside(file, "nano.data") and module.split(".")[0] in HEAVY), file


@pytest.mark.parametrize("root", [PACKAGE, "nano"])
def test_no_file_imports_itself_by_way_of_others(root: str) -> None:
    uses: dict[str, set[str]] = {}
    for file, module, _ in imports(root):
        # That a package's face imports what is in it is no circle.
        if inside(module, root) and not inside(module, file) and not inside(file, module):
            uses.setdefault(file, set()).add(module)
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for other in sorted(uses.get(name, ())):
                walk(other, (*way, name))
            done.add(name)

    for name in sorted(uses):
        walk(name, ())

"""A client's schema in two forms: what a grammar enforces, and the whole for validation."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from functionary_sgl.schemas.node import Node
from functionary_sgl.schemas.walk import Place, Walk


@dataclass(frozen=True)
class Enforceable:
    """A schema as a grammar can enforce it.

    enforced: what is enforced. Whatever satisfies `whole` satisfies this too, except that objects
        which list their properties are closed, unless the schema says otherwise.
    whole: the same values as the client's schema, in 2020-12, without annotations.
    unenforced: pointers to the client's keywords that are in `whole` and not in `enforced`.
    patterns: pointer and text of each regular expression that is enforced.
    """

    enforced: dict[str, Any]
    whole: dict[str, Any]
    unenforced: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]


def enforceable(schema: dict[str, Any], without: Collection[str] = ()) -> Enforceable:
    """`schema`, which is within bounds, as a grammar can enforce it.

    `without` names keywords, and pointers to keywords, that the grammar engine was found not to
    enforce. Raises InvalidSchema, `param` being a pointer, for what is no schema.
    """
    walk = Walk(schema, without, lambda *node: Node(*node).forms())
    forms = walk.schema(schema, Place("", closing=True))
    walk.define()
    enforced, whole = _as_object(forms.enforced), _as_object(forms.whole)
    if walk.definitions:
        enforced["$defs"] = {name: forms.enforced for name, forms in walk.definitions.items()}
        whole["$defs"] = {name: forms.whole for name, forms in walk.definitions.items()}
    unenforced, patterns = dict.fromkeys(walk.unenforced), dict.fromkeys(walk.patterns)
    return Enforceable(enforced, whole, tuple(unenforced), tuple(patterns))


def _as_object(schema: Any) -> dict[str, Any]:
    return dict(schema) if isinstance(schema, dict) else {"allOf": [schema]}

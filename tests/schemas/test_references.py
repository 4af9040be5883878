"""What references point at, by the drafts of JSON Schema and by where they stand."""

from typing import Any

import pytest

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas.references import References

S, N = {"type": "string"}, {"type": "integer"}
DRAFT_4, DRAFT_7 = (f"http://json-schema.org/draft-0{n}/schema#" for n in (4, 7))
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def pointer(root: Any, ref: str, at: str = "") -> str:
    return References(root).resolve(ref, at)[0]


INNER = {"$id": "inner.json", "$defs": {"x": S}, "$ref": "#/$defs/x"}
DOCUMENT = {
    "$id": "https://a.org/root.json",
    "$defs": {
        "inner": INNER,
        "x": {**N, "$anchor": "here"},
        "urn": {"$id": "urn:uuid:1", "items": {"$anchor": "there"}},
    },
}


@pytest.mark.parametrize(
    ("ref", "at", "expected"),
    [
        ("#", "", ""),
        ("#/$defs/x", "", "/$defs/x"),
        ("#here", "", "/$defs/x"),
        ("root.json#here", "", "/$defs/x"),
        ("inner.json", "", "/$defs/inner"),
        ("https://a.org/inner.json", "", "/$defs/inner"),
        ("inner.json#/$defs/x", "", "/$defs/inner/$defs/x"),
        ("#/$defs/x", "/$defs/inner/$defs/x", "/$defs/inner/$defs/x"),
        ("#", "/$defs/inner/$defs/x", "/$defs/inner"),
        ("root.json", "/$defs/inner", ""),
        ("urn:uuid:1#there", "", "/$defs/urn/items"),
        ("#/%24defs/x", "", "/$defs/x"),
    ],
)
def test_an_id_moves_what_references_mean(ref: str, at: str, expected: str) -> None:
    assert pointer(DOCUMENT, ref, at) == expected
    assert pointer({**DOCUMENT, "$schema": DRAFT_2020}, ref, at) == expected


def test_names_count_only_where_schemas_stand() -> None:
    here = {"$anchor": "a", "$id": "b"}
    root = {
        "properties": {
            "$anchor": S,
            "$id": N,
            "e": {"enum": [here], "const": here, "default": here, "examples": [here], "x-y": here},
        },
    }
    for ref in ("#a", "b"):
        with pytest.raises(InvalidSchema):
            pointer(root, ref)
    assert pointer({**root, "items": here}, "b#a") == "/items"


@pytest.mark.parametrize("schema", [{}, {"$schema": DRAFT_7}])
def test_names_of_older_drafts(schema: Any) -> None:
    root = {
        **schema,
        "definitions": {"a": {"$id": "#p"}, "b": {"$id": "b", "items": {"$id": "#p"}}},
    }
    assert pointer(root, "#p") == "/definitions/a"
    assert pointer(root, "b#p") == "/definitions/b/items"
    root = {"definitions": {"a": {"id": "urn:jsonschema:A"}}}
    assert pointer(root, "urn:jsonschema:A") == "/definitions/a"
    assert pointer({"$schema": DRAFT_4, **root}, "urn:jsonschema:A") == "/definitions/a"
    with pytest.raises(InvalidSchema):
        pointer({"$schema": DRAFT_7, **root}, "urn:jsonschema:A")


def test_what_drafts_read_differently_is_refused_unless_the_draft_is_named() -> None:
    definitions = {"a": {"$id": "x/b"}, "b": {"$id": "b"}}
    root = {"definitions": definitions, "items": {"$id": "x/c", "$ref": "b"}}
    with pytest.raises(InvalidSchema, match=r"\$schema"):
        pointer(root, "b", "/items")
    assert pointer({**root, "$schema": DRAFT_7}, "b", "/items") == "/definitions/b"
    assert pointer({**root, "$schema": DRAFT_2020}, "b", "/items") == "/definitions/a"


def test_a_name_for_two_schemas_is_refused() -> None:
    with pytest.raises(InvalidSchema, match="2 schemas"):
        pointer({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}, "#x")


def test_what_a_schema_around_defines_is_found() -> None:
    """Somebody put a whole schema into another, whose references are to its own root."""
    inner = {"$defs": {"x": S}, "items": {"$ref": "#/$defs/x"}}
    root = {"properties": {"a": inner, "b": {"$defs": {"x": N}}}, "$defs": {"y": N}}
    assert pointer(root, "#/$defs/x", "/properties/a/items") == "/properties/a/$defs/x"
    assert pointer(root, "#/$defs/y", "/properties/a/items") == "/$defs/y"
    with pytest.raises(InvalidSchema):
        pointer(root, "#/$defs/x", "/properties/c")


def test_schemas_where_none_are_expected_have_references_of_their_own() -> None:
    root = {"components": {"a": {"$id": "a", "$defs": {"x": S}, "$ref": "#/$defs/x"}}}
    references = References(root | {"$defs": {"x": N}})
    assert references.resolve("#/components/a", "")[0] == "/components/a"
    assert references.resolve("#/$defs/x", "/components/a")[0] == "/components/a/$defs/x"


@pytest.mark.parametrize(
    ("root", "ref", "static"),
    [
        ({"$dynamicAnchor": "n"}, "#n", True),
        ({"$dynamicAnchor": "n", "items": {"$dynamicAnchor": "n"}}, "#n", False),
        ({"properties": {"a": {}}}, "#", True),
        ({"$recursiveAnchor": True, "items": {"$id": "b", "$recursiveAnchor": True}}, "#", False),
    ],
)
def test_dynamic_references_are_static_where_only_one_schema_is_meant(
    root: Any, ref: str, static: bool
) -> None:
    assert References(root).is_static(ref) is static

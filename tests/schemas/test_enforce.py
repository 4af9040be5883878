"""What is enforced is never narrower than what was asked, but for objects that are closed."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functionary_sgl.chat.schema import JSON_STYLE
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.scripted.follow import follow
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.sandbox import bytewise
from functionary_sgl.schemas import enforceable
from functionary_sgl.schemas.keywords import canonical, disjoint

S = {"type": "string"}
P = {"pattern": "a"}


def enforced(schema: Any, without: Any = ()) -> Any:
    split = enforceable({"properties": {"a": schema}}, without)
    return split.enforced["properties"]["a"]


def unenforced(schema: Any) -> tuple[str, ...]:
    return enforceable(schema).unenforced


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("float", "number"),
        ("dict", "object"),
        ("String", "string"),
        ("INTEGER", "integer"),
        ("ArrayList", "array"),
        ("bool", "boolean"),
        ("NoneType", "null"),
    ],
)
def test_names_of_types_that_people_send_are_understood(name: str, means: str) -> None:
    assert enforced({"type": name}) == {"type": means}
    assert enforced({"type": [name]}) == {"type": means}


def test_any_is_any_value() -> None:
    assert enforced({"type": "any"}) == {}
    assert enforced({"type": ["any", "string"]}) == {}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"properties": {"a": {"type": "strnig"}}}, "/properties/a/type"),
        ({"properties": {"a": {"type": []}}}, "/properties/a/type"),
        ({"properties": {"a": {"type": {}}}}, "/properties/a/type"),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": 3}}, "/properties/a"),
        ({"properties": {"a/b~c": {"minLength": -1}}}, "/properties/a~1b~0c/minLength"),
        ({"properties": {"a": {"minLength": True}}}, "/properties/a/minLength"),
        ({"properties": {"a": {"maximum": "3"}}}, "/properties/a/maximum"),
        ({"properties": {"a": {"multipleOf": 0}}}, "/properties/a/multipleOf"),
        ({"properties": {"a": {"enum": []}}}, "/properties/a/enum"),
        ({"properties": {"a": {"anyOf": {}}}}, "/properties/a/anyOf"),
        ({"properties": {"a": {"anyOf": [1]}}}, "/properties/a/anyOf/0"),
        ({"properties": {"a": {"pattern": 1}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"format": []}}}, "/properties/a/format"),
        ({"properties": {"a": {"not": 1}}}, "/properties/a/not"),
        ({"properties": {"a": {"uniqueItems": "yes"}}}, "/properties/a/uniqueItems"),
        ({"properties": {"a": {"$ref": 1}}}, "/properties/a/$ref"),
        ({"properties": {"a": {"$dynamicRef": "#a"}}}, "/properties/a/$dynamicRef"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "/properties/a/$ref"),
        ({"required": "a", "properties": {}}, "/required"),
    ],
)
def test_what_is_no_schema_is_refused_where_it_is_wrong(schema: Any, pointer: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        enforceable(schema)
    assert caught.value.param == pointer


def test_a_keyword_below_one_that_is_not_enforced_is_not_told_again() -> None:
    schema = {"properties": {"a": {"not": {"not": {"uniqueItems": True}}}}}
    assert unenforced(schema) == ("/properties/a/not",)


def test_keywords_that_say_nothing_are_not_told() -> None:
    nothing = {"uniqueItems": False, "then": {}, "dependentRequired": {}, "propertyNames": True}
    assert unenforced({"properties": {"a": nothing}}) == ()


def test_definitions_are_told_where_they_stand_and_once() -> None:
    ref = {"$ref": "#/$defs/x"}
    schema = {"properties": {"a": ref, "b": ref}, "$defs": {"x": {"not": P}, "unused": {"not": P}}}
    assert unenforced(schema) == ("/$defs/x/not",)


def test_pattern_properties_that_are_dropped_leave_the_object_open() -> None:
    schema = {"patternProperties": {"^a": S}, "additionalProperties": False}
    assert enforced(schema, ["patternProperties"]) == {"additionalProperties": True}
    turned = dict(reversed(schema.items()))
    assert enforced(turned, ["patternProperties"]) == {"additionalProperties": True}


def test_a_single_pattern_can_be_dropped() -> None:
    schema = {"properties": {"a": {"pattern": "x"}, "b": {"pattern": "y"}}}
    split = enforceable(schema, ["/properties/a/pattern"])
    assert split.unenforced == ("/properties/a/pattern",)
    assert split.patterns == (("/properties/b/pattern", "y"),)


def test_objects_are_closed_behind_references_and_in_alternatives() -> None:
    point = {"properties": {"x": {}}}
    closed = {**point, "additionalProperties": False}
    schema = {
        "properties": {"p": {"anyOf": [{"$ref": "#/$defs/p"}, {"type": "null"}]}},
        "$defs": {"p": point},
    }
    (definition,) = enforceable(schema).enforced["$defs"].values()
    assert definition == closed
    beside = {"allOf": [{"$ref": "#/$defs/p"}], "properties": {"y": {}}}
    (definition,) = enforceable({**schema, "properties": {"p": beside}}).enforced["$defs"].values()
    assert definition == point


CONST = [{"const": 1}, {"const": 1.0}, {"const": True}, {"enum": ["a", None]}]
OBJECT = {"type": ["object"], "required": ["k"]}


@pytest.mark.parametrize(
    ("branches", "apart"),
    [
        ([{"type": ["string"]}, {"type": ["integer"]}], True),
        ([{"type": ["number"]}, {"type": ["integer"]}], False),
        ([{"type": ["string"]}, {}], False),
        ([{"type": ["string"]}, True], False),
        ([{"type": ["string"]}, False], True),
        ([CONST[0], CONST[2], CONST[3]], True),
        ([CONST[0], CONST[1]], False),
        ([OBJECT | {"properties": {"k": {"const": v}}} for v in "ab"], True),
        ([OBJECT | {"properties": {"k": {"const": v}}} for v in "aa"], False),
        ([{"properties": {"k": {"const": v}}} for v in "ab"], False),
    ],
)
def test_what_is_told_apart(branches: list[Any], apart: bool) -> None:
    assert disjoint(branches) is apart


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=5,
)


@given(JSON, JSON)
def test_equal_values_have_one_canonical_text(one: Any, other: Any) -> None:
    equal = jsonschema.Draft202012Validator({"const": one}).is_valid(other)
    assert (canonical(one) == canonical(other)) is equal


def _some(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


SMALL = st.integers(0, 4)
LEAF = st.one_of(
    _some({"type": st.just("string"), "minLength": SMALL, "maxLength": st.integers(4, 9)}),
    _some({"type": st.just("string"), "pattern": st.sampled_from(["^a+$", "b", "[0-9]{2}"])}),
    _some({"type": st.just("integer"), "minimum": SMALL, "multipleOf": st.integers(1, 9)}),
    _some({"type": st.just("number"), "exclusiveMinimum": SMALL, "maximum": st.integers(5, 9)}),
    st.sampled_from([{"enum": ["a", 1, None]}, {"const": [1]}, {"type": "boolean"}, True]),
    st.sampled_from([{"type": "string", "format": "date"}, {"type": "float", "nullable": True}]),
)
NAMES = st.sampled_from(["a", "b", "c"])


def _around(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = {
        "type": st.just("object"),
        "properties": st.dictionaries(NAMES, below, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": below | st.booleans(),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "^x"]), below, max_size=2),
        "minProperties": st.integers(0, 2),
        "maxProperties": st.integers(3, 5),
        "dependentRequired": st.just({"a": ["b"]}),
        "dependentSchemas": st.fixed_dictionaries({"b": below}),
        "propertyNames": st.sampled_from([{"enum": ["a", "x"]}, {"pattern": "^[a-c]"}, {}]),
        "unevaluatedProperties": below | st.booleans(),
    }
    array = {
        "type": st.just("array"),
        "items": below,
        "prefixItems": st.lists(below, min_size=1, max_size=2),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(2, 4),
        "uniqueItems": st.booleans(),
        "contains": below | st.booleans(),
        "minContains": st.integers(0, 2),
        "unevaluatedItems": below | st.booleans(),
    }
    a = st.fixed_dictionaries({"properties": st.fixed_dictionaries({"a": below})})
    conditions = {
        **properties,
        "if": below | a | st.just({"required": ["a"]}),
        "then": below,
        "else": below,
        "not": a | st.just({"required": ["b"]}) | below,
    }
    branches = st.lists(below, min_size=1, max_size=3)
    combined = {"anyOf": branches, "oneOf": branches, "allOf": branches, "not": below}
    return _some(properties) | _some(array) | _some(combined) | _some(conditions)


WISHES = st.text(max_size=20) | st.text('{}[]":, abcx0123.-aaabb', max_size=60)
SCHEMAS = st.recursive(LEAF, _around, max_leaves=6)


@settings(max_examples=5 * settings().max_examples)
@given(st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=2), WISHES)
def test_what_a_constrained_model_writes_satisfies_the_schema(
    properties: dict[str, Any], wish: str
) -> None:
    """Of the client's own schema, all but what is said not to be enforced. What llguidance refuses
    is left out: that schema would be refused, or loosened in ways that other tests look at."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    split = enforceable(schema)
    constraint = Constraint("json_schema", json.dumps(split.enforced | JSON_STYLE))
    if check([constraint], bytewise()) != [None]:
        return
    instance = json.loads(follow(constraint, wish)[0])
    valid = jsonschema.Draft202012Validator(split.whole).is_valid(instance)
    assert valid or split.unenforced, instance

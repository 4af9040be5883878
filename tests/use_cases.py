"""The three use cases of Functionary's README, as requests, and an answer to each.

The second one's history ends with a call that has neither id nor result; a reply is due all the
same.
"""

import json
from typing import Any, NamedTuple


class UseCase(NamedTuple):
    """`arguments` are those that a good model gives."""

    messages: list[dict[str, Any]]
    tool: dict[str, Any]
    arguments: dict[str, Any]

    @property
    def function(self) -> str:
        name: str = self.tool["function"]["name"]
        return name

    @property
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = self.tool["function"]["parameters"]
        return schema


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": _object(**properties)}
    return {"type": "function", "function": function}


def _typed(kind: str, description: str) -> dict[str, str]:
    return {"type": kind, "description": description}


_TRIP = UseCase(
    messages=[
        {
            "role": "user",
            "content": "I want to plan a 7-day trip to Paris with a focus on art and culture",
        }
    ],
    tool=_tool(
        "plan_trip",
        "Plan a trip based on user's interests",
        destination=_typed("string", "The destination of the trip"),
        duration=_typed("integer", "The duration of the trip in days"),
        interests={
            "type": "array",
            "items": {"type": "string"},
            "description": "The interests based on which the trip will be planned",
        },
    ),
    arguments={"destination": "Paris", "duration": 7, "interests": ["art", "culture"]},
)

_HOUSE = {"property_details": {"location": "San Francisco", "size": 2000, "rooms": 3}}
_PROPERTY = UseCase(
    messages=[
        {
            "role": "user",
            "content": "What is the estimated value of a 3-bedroom house in San Francisco with "
            "2000 sq ft area?",
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "type": "function",
                    "function": {
                        "name": "estimate_property_value",
                        "arguments": json.dumps(_HOUSE, indent=2),
                    },
                }
            ],
        },
    ],
    tool=_tool(
        "estimate_property_value",
        "Estimate the market value of a property",
        property_details=_object(
            location=_typed("string", "The location of the property"),
            size=_typed("integer", "The size of the property in square feet"),
            rooms=_typed("integer", "The number of rooms in the property"),
        ),
    ),
    arguments=_HOUSE,
)

_COMPLAINT = UseCase(
    messages=[
        {
            "role": "user",
            "content": "My internet has been disconnecting frequently for the past week",
        }
    ],
    tool=_tool(
        "parse_customer_complaint",
        "Parse a customer complaint and identify the core issue",
        complaint=_object(
            issue=_typed("string", "The main problem"),
            frequency=_typed("string", "How often the issue occurs"),
            duration=_typed("string", "How long the issue has been occurring"),
        ),
    ),
    arguments={
        "complaint": {
            "issue": "internet disconnecting",
            "frequency": "frequently",
            "duration": "past week",
        }
    },
)

USE_CASES = {"trip": _TRIP, "property": _PROPERTY, "complaint": _COMPLAINT}

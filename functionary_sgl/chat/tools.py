"""Tools on offer and the client's choice among them."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from functionary_sgl.chat.json_text import parsed
from functionary_sgl.errors import InvalidSchema

NAME_PATTERN = "[a-zA-Z0-9_./:-]{1,128}"
"""Of a function's name, all of it: OpenAI's rule, and what MCP servers' tools have besides."""

CODE_INTERPRETER = "python"
"""The name under which the code interpreter is called."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function with its parameters as JSON text (`null` where the client gave none).

    Text, not a dictionary, so that a tool can be the key of a cache; keys keep the client's order.
    `strict`: whether every keyword of the parameters must be enforced. `path` is where the request
    has it (`tools[0].function`), and `key` where that has the parameters, for errors.
    """

    name: str
    description: str = ""
    parameters_json: str = "null"
    strict: bool = False
    path: str = field(default="tools", compare=False)
    key: str = field(default="parameters", compare=False)

    @property
    def parameters(self) -> dict[str, Any] | None:
        """The parameters' JSON Schema, parsed anew at each access.

        Raises InvalidSchema for what is no JSON object or cannot be read.
        """
        try:
            parameters = parsed(self.parameters_json)
        except ValueError as error:
            message = f"The parameters cannot be read: {error}"
            raise InvalidSchema(message, self.parameters_path) from error
        if not isinstance(parameters, dict | None):
            raise InvalidSchema("Parameters must be an object.", self.parameters_path)
        return parameters

    @property
    def title(self) -> str:
        """What messages call it, at the beginning of a sentence."""
        return f"The function '{self.name}'"

    @property
    def parameters_path(self) -> str:
        """Where the request has the parameters."""
        return f"{self.path}.{self.key}"


CODE_TOOL = Tool(
    CODE_INTERPRETER,
    "This tool is used to execute python code. Code will be executed in a stateful Jupyter "
    "notebook environment. Python will respond with the output of the execution or time out after "
    "60.0 seconds. The drive at '/mnt/data' can be used to save and persist user files.",
    json.dumps(
        {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The python code to run"}},
        }
    ),
)
"""The code interpreter as a function, for models that know it so (MeetKai/functionary)."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`auto`: the model decides. `none`: text only. `required`: at least one call.
    `named`: calls of the function `name` only. `allowed`: None, or the only names that may be
    called, of those that the model sees."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None
    allowed: frozenset[str] | None = None

    def allows(self, name: str) -> bool:
        """Whether the tool of this name may be called."""
        if self.mode == "named":
            return name == self.name
        return self.mode != "none" and (self.allowed is None or name in self.allowed)

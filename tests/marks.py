"""Requests that have a marked text in every place where a client can put one."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

MARK = "prívate"
"""Is in all texts, in whatever way they are quoted: `PLAIN` is of it what no escape changes."""

PLAIN = "vate"


class Marks:
    """Texts with the mark, each another, and that can be names where names are asked for."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def text(self) -> str:
        return f"{MARK} {next(self._numbers)}"

    def name(self) -> str:
        return f"private{next(self._numbers)}"

    def schema(self) -> dict[str, Any]:
        name, other = self.name(), self.name()
        return {
            "type": "object",
            "title": self.text(),
            "description": self.text(),
            "properties": {
                name: {"type": "string", "description": self.text(), "enum": [self.text()]},
                other: {"type": "string", "pattern": f"^{self.name()}$", "default": self.text()},
            },
            "required": [name],
            "$comment": self.text(),
            self.name(): self.text(),
        }

    def tools(self) -> list[dict[str, Any]]:
        function = {"name": self.name(), "description": self.text(), "parameters": self.schema()}
        custom = {"name": self.name(), "description": self.text()}
        return [{"type": "function", "function": function}, {"type": "custom", "custom": custom}]

    def messages(self) -> list[dict[str, Any]]:
        called, custom = self.name(), self.name()
        function = {"name": self.name(), "arguments": json.dumps({self.name(): self.text()})}
        written = {"name": self.name(), "input": self.text()}
        return [
            {"role": "system", "content": self.text()},
            {"role": "user", "content": [{"type": "text", "text": self.text()}]},
            {
                "role": "assistant",
                "content": self.text(),
                "reasoning_content": self.text(),
                "tool_calls": [
                    {"id": called, "type": "function", "function": function},
                    {"id": custom, "type": "custom", "custom": written},
                ],
            },
            {"role": "tool", "tool_call_id": called, "content": self.text()},
            {"role": "tool", "tool_call_id": custom, "content": self.text()},
            {"role": "user", "name": self.name(), "content": self.text()},
        ]

    def body(self, model: str) -> dict[str, Any]:
        """A request that is answered."""
        return {
            "model": model,
            "messages": self.messages(),
            "tools": self.tools(),
            "stop": [self.text()],
            "user": self.text(),
            "metadata": {self.name(): self.text()},
            "cache_salt": self.text(),
            self.name(): self.text(),
        }

    def headers(self) -> dict[str, bytes]:
        """Of a request; but for its id, which is there to be found in logs."""
        names = ("user-agent", "cookie", "referer", "x-forwarded-for", "traceparent", self.name())
        return {name: self.text().encode() for name in names}

    def bad_bodies(self, model: str) -> Iterator[bytes]:
        """Requests that are refused, each for something that has the mark in it, or beside it."""
        good = self.body(model)
        image = {"type": "image_url", "image_url": {"url": f"https://{self.name()}.example/a.png"}}
        orphan = {"role": "tool", "tool_call_id": self.name(), "content": self.text()}
        form = {"type": "json_schema", "json_schema": {"name": self.name(), "schema": self.text()}}
        named = {"type": "function", "function": {"name": self.name()}}
        replaced: list[dict[str, Any]] = [
            {"model": self.text()},
            {"messages": self.text()},
            {"messages": [{"role": self.text(), "content": self.text()}]},
            {"messages": [{"role": "user", "content": {self.name(): self.text()}}]},
            {"messages": [{"role": "user", "content": [image]}]},
            {"messages": [*good["messages"][:3], orphan]},
            {"tools": [{"type": self.text()}]},
            {"tools": [{"type": "function", "function": {"name": self.text()}}]},
            {"tool_choice": named},
            {"tool_choice": self.text()},
            {"tool_choice": {self.name(): self.text()}},
            {"response_format": form},
            {"response_format": {"type": self.text()}},
            {"guided_regex": f"({self.text()}"},
            {"guided_grammar": f"start: {self.text()}"},
            {"stop": [self.text()] * 9},
            {"temperature": self.text()},
            {"logit_bias": {self.text(): 1}},
            {"seed": self.text()},
            {"cache_salt": [self.text()]},
            {"metadata": self.text()},
            {"chat_template_kwargs": {self.name(): self.text()}},
        ]
        for fields in replaced:
            yield json.dumps(good | fields).encode()
        for keyword, value in [
            ("type", self.text()),
            ("pattern", f"({self.text()}"),
            ("$ref", f"#/{self.name()}"),
            ("enum", self.text()),
            ("properties", [self.text()]),
            ("required", self.text()),
        ]:
            function = {"name": self.name(), "parameters": {keyword: value}, "strict": True}
            tools = [{"type": "function", "function": function}]
            yield json.dumps(good | {"tools": tools}).encode()
        yield json.dumps(good).encode()[:-1]
        yield self.text().encode()
        yield f'"{self.text()}"'.encode()
        yield b'{"messages": "' + self.text().encode("latin-1") + b'"}'

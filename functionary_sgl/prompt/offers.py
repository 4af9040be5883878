"""What a turn may contain, by its conversation and the format."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.custom import ANY_INPUT, CustomTool
from functionary_sgl.chat.forms import Answer, Form, TextAnswer
from functionary_sgl.chat.schema import ANY_ARGUMENTS
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.errors import RequestError
from functionary_sgl.tokenizer.control import ControlTokens
from functionary_sgl.turns import Format, Offer


class Offers:
    """Those of `format`; `reasons`: whether the model's turns can begin with reasoning."""

    def __init__(self, format: Format, control: ControlTokens, reasons: bool) -> None:
        self._format = format
        self._control = control
        self._reasons = reasons

    def of(
        self,
        conversation: Conversation,
        schemas: Mapping[str, str | None] = MappingProxyType({}),
        answer: Form | None = None,
        inputs: Mapping[str, Form] = MappingProxyType({}),
        *,
        free_names: bool = False,
    ) -> Offer:
        """What the turn may contain; RequestError for what cannot be offered.

        `schemas` has the JSON Schema (as text) of each function's arguments, or None for any text;
        for a function that it does not have, they are any JSON object. `answer` is the form of an
        answer in text, if it has one; `inputs` has those of custom tools' inputs, in JSON, unless
        they may be any text. `free_names`: names are the model's where neither
        `answer` nor the client's choice says what may be called.
        """
        offer = self._offer(conversation, schemas, answer, free_names=free_names)
        texts = {
            tool.name: inputs.get(tool.name, ANY_INPUT)
            for tool in conversation.tools
            if isinstance(tool, CustomTool)
        }
        called = 0
        if self._format.numbers_calls:
            called = sum(len(message.calls) for message in conversation.messages)
        return replace(offer, inputs=texts, called=called) if texts or called else offer

    def _offer(
        self,
        conversation: Conversation,
        schemas: Mapping[str, str | None],
        answer: Form | None,
        *,
        free_names: bool,
    ) -> Offer:
        form = answer and self._foreseeable(answer)
        choice = conversation.choice
        functions = self._functions(conversation, schemas)
        code = conversation.code_interpreter and choice.allows(CODE_INTERPRETER)
        parallel = conversation.parallel and self._format.many_calls
        reasoning = self._reasoning(conversation)
        forced = reasoning and self._format.reasons_if_forced
        if conversation.continues:
            return self._continued(functions, code, form, parallel, free_names=free_names)
        if not (functions or code):
            return Offer(settled=True, reasoning=reasoning, answer=form)
        if choice.mode == "named":
            return Offer(functions, False, code, True, parallel, forced)
        if choice.mode == "required":
            return Offer(functions, False, code, parallel=parallel, reasoning=forced)
        if answer is not None and conversation.answer is not None:
            self._check_apart(answer, conversation.answer)
        free_names = free_names and answer is None and choice.allowed is None
        return Offer(functions, True, code, False, parallel, reasoning, form, free_names=free_names)

    def _foreseeable(self, form: Form) -> Form:
        """`form`, its beginnings as a program's: a client's text that is spelt like a control token
        is text. None of them where one looks like a mark of reasoning."""
        told = form.beginnings
        tags = self._format.tags.closing if self._reasons else ()
        if any(tag.startswith(text) or text.startswith(tag) for tag in tags for text in told):
            told = ()
        return replace(form, beginnings=tuple(map(self._control.mark, told)))

    def _check_apart(self, form: Form, answer: Answer) -> None:
        """RequestError where this model's answers of that form cannot be told from its calls by how
        they begin: JSON and given texts can, unless they look like one."""
        told = form.beginnings and not isinstance(answer, TextAnswer)
        if self._format.addresses_text or (
            told
            and self._format.json_answers_beside_calls
            and not any(text.startswith(self._format.opening) for text in form.beginnings)
        ):
            return
        field = answer.path.partition(".")[0]
        raise RequestError(
            "In this model's format an answer of this form cannot be told from a call by how it "
            f"begins; leave out the tools, or '{field}', or set 'tool_choice'.",
            param=field,
        )

    def _continued(
        self,
        functions: Mapping[str, str | None],
        code: bool,
        answer: Form | None,
        parallel: bool,
        *,
        free_names: bool,
    ) -> Offer:
        """The offer where text has begun, which may end in calls unless it has a form."""
        if answer is not None or not (functions or code):
            return Offer(settled=True, answer=answer, continues=True)
        return Offer(functions, code=code, parallel=parallel, continues=True, free_names=free_names)

    def _reasoning(self, conversation: Conversation) -> bool:
        if conversation.reasoning and not self._reasons:
            param = conversation.reasoning_param
            raise RequestError(
                f"This model has no reasoning to switch on; leave out '{param}'.", param=param
            )
        return self._reasons and conversation.reasoning is not False

    def _functions(
        self, conversation: Conversation, schemas: Mapping[str, str | None]
    ) -> Mapping[str, str | None]:
        if conversation.code_interpreter and not self._format.code:
            raise RequestError("This model has no code interpreter.", param="tools")
        reserved = set(self._format.reserved_names)
        if conversation.code_interpreter:
            reserved.add(CODE_INTERPRETER)
        functions: dict[str, str | None] = {}
        for tool in conversation.tools:
            if tool.name in reserved or tool.name in functions:
                why = "given twice" if tool.name in functions else "a name this model's format uses"
                raise RequestError(
                    f"The function name '{tool.name}' is {why}; give the function another name.",
                    param=f"{tool.path}.name",
                )
            functions[tool.name] = schemas.get(tool.name, ANY_ARGUMENTS)
        return {n: schema for n, schema in functions.items() if conversation.choice.allows(n)}

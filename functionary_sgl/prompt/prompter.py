"""A format applied to conversations: what the model reads, and what it may do."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.custom import ANY_INPUT, CustomTool
from functionary_sgl.chat.forms import Answer, Form, TextAnswer
from functionary_sgl.chat.history import told_apart
from functionary_sgl.chat.schema import ANY_ARGUMENTS
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.engines.images import BLIND
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt.chat_template import ChatTemplate
from functionary_sgl.prompt.encode import PromptEncoder
from functionary_sgl.prompt.intern import ToolMemory
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.render import FormatTemplate, Renderer
from functionary_sgl.prompt.told import turn_told, turns_told
from functionary_sgl.runtime.interpreter import opening
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import Format, Offer, registry
from functionary_sgl.turns.steps import REASONING

# With this, or with a control token, calls begin in the formats that tell them from text by that.
_CALL = "<"

# A text that no client sends: a Unicode noncharacter.
_NEXT = "\ufdd1"


class Prompter:
    """Prompts in `format` for the model whose tokenizer is given. Thread-safe."""

    def __init__(
        self, format: Format, tokenizer: Tokenizer, own_template: OwnTemplate | None = None
    ) -> None:
        """`own_template`: the checkpoint's, for formats that have none.

        Raises UsageError where model and format do not belong together.
        """
        self.format = format
        self.tokenizer = tokenizer.controlling((*format.control_tokens, *format.marks))
        control_ids = self.tokenizer.control_ids
        self.stop_token_ids = tuple(
            control_ids[token] for token in format.stop_tokens if token in control_ids
        )
        lacking = [token for token in format.control_tokens if token not in control_ids]
        if lacking:
            raise UsageError(
                f"the tokenizer has no {lacking[0]}, which {format.name} needs; is it the right "
                "--template?"
            )
        self.image_token_id = control_ids.get(format.image_token)
        self._renderer, self._reasons = self._template(own_template)
        # A checkpoint's own template writes what begins the prompt itself.
        leading = self.tokenizer.bos_ids if format.template_text is not None else ()
        self._encoder = PromptEncoder(self.tokenizer, leading)
        self._tools = ToolMemory()

    def prompt(self, conversation: Conversation, salt: str = "", most: int | None = None) -> Prompt:
        """The prompt, up to where the turn program takes over; RequestError if it has none.

        `salt`: it goes on from the ids of turns that were remembered with the same. `most`:
        OverflowError where it has more ids, if that is so far more that they would take long.
        """
        if most is not None and conversation.characters() > self.tokenizer.most_characters(most):
            raise OverflowError
        for image in conversation.images() if not self.format.image_token else ():
            raise RequestError(BLIND, param=image.path)
        for option in conversation.template_options.keys() - self._renderer.options:
            raise RequestError(
                f"This model's template does not read '{option}'; leave it out.",
                param=f"chat_template_kwargs.{option}",
            )
        marked = (
            self._begun(conversation, salt)
            if conversation.continues
            else self._render(conversation, salt, generation=True)
        )
        ids = self._encoder.encode(marked, turns_told(conversation.messages, salt), most)
        return Prompt(self.tokenizer.control.unmark(marked), ids)

    def opened(self, conversation: Conversation) -> Prompt:
        """The prompt with what the program adds before it first asks the model: all that the
        model reads before its first own token."""
        prompt = self.prompt(conversation)
        added, ids = self.opening(prompt, self.offer(conversation))
        return Prompt(prompt + added, [*prompt.token_ids, *ids])

    def opening(self, prompt: Prompt, offer: Offer) -> tuple[str, list[int]]:
        """What the program adds to `prompt` before it first asks the model."""
        added = opening(self.format.program, prompt, offer)
        return added, self.tokenizer.encode_marked(added)

    def offer(
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
        return replace(offer, inputs=texts) if texts else offer

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
        parallel = conversation.parallel and self.format.many_calls
        reasoning = self._reasoning(conversation)
        forced = reasoning and self.format.reasons_if_forced
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
        if any(tag.startswith(text) or text.startswith(tag) for tag in REASONING for text in told):
            told = ()
        return replace(form, beginnings=tuple(map(self.tokenizer.control.mark, told)))

    def _check_apart(self, form: Form, answer: Answer) -> None:
        """RequestError where this model's answers of that form cannot be told from its calls by how
        they begin: JSON and given texts can, unless they look like one."""
        told = form.beginnings and not isinstance(answer, TextAnswer)
        if self.format.addresses_text or (
            told
            and self.format.json_answers_beside_calls
            and not any(text.startswith(_CALL) for text in form.beginnings)
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

    def _begun(self, conversation: Conversation, salt: str) -> str:
        """The marked prompt that ends with the text of the last message."""
        before, last = conversation.without_last()
        marked = self._render(
            before.followed_by(replace(last, content=last.content + _NEXT)), salt, generation=False
        )
        end = marked.rfind(_NEXT)
        if end < 0:
            raise RequestError(
                "This model's chat template does not show the last message, so it cannot be "
                "continued.",
                param="continue_final_message",
            )
        return marked[:end]

    def remember(
        self, conversation: Conversation, answer: Message, ids: Sequence[int], salt: str = ""
    ) -> None:
        """From now on, a prompt that goes on from `answer` begins with `ids`: the ids of the prompt
        and the turn that gave the answer.

        Also where the client does not send the reasoning back, if the template would have shown it
        and the client knows the ids of the answer's calls.
        Nothing where the template refuses the answer, such as for arguments that are no JSON:
        whoever sends it back will be told.
        """
        if answer.content or answer.calls:
            with suppress(RequestError):
                # As it will be shown: a model that makes up ids may give two calls the same.
                self._remember(conversation, told_apart(answer), ids, salt)

    def _remember(
        self, conversation: Conversation, answer: Message, ids: Sequence[int], salt: str
    ) -> None:
        ended = bool(ids) and ids[-1] in self.stop_token_ids
        following = [Message("user", _NEXT)]
        if answer.calls:
            following.append(Message("tool", _NEXT, (), answer.calls[0].name, answer.calls[0].id))
        before = len(self._render(conversation, salt, generation=False))
        full = conversation.followed_by(answer)
        name = turn_told(full.messages, salt)
        for message in following:
            beginnings = {name: self._beginning(full, message, salt)}
            if answer.reasoning:
                if answer.reasoning not in self.tokenizer.control.unmark("".join(beginnings[name])):
                    continue  # the model was trained without the reasoning of former turns
                if answer.calls:
                    silent = conversation.followed_by(replace(answer, reasoning=""))
                    by_its_calls = turn_told(silent.messages, salt, by_its_calls=True)
                    beginnings[by_its_calls] = self._beginning(silent, message, salt)
            for told, pieces in beginnings.items():
                text = "".join(pieces)
                if len(text) > before:  # else the template does not show the answer
                    end = [] if ended else [self.tokenizer.control_ids[pieces[-1]]]
                    self._encoder.remember(text, [*ids, *end], told)

    def _beginning(self, answered: Conversation, following: Message, salt: str) -> list[str]:
        """The pieces with which a prompt begins that goes on from `answered`, up to the control
        token that ends its last turn."""
        continued = answered.followed_by(following)
        after = self._render(continued, salt, generation=False)
        pieces = [piece for piece, _ in self.tokenizer.control.split(after[: after.find(_NEXT)])]
        while pieces and pieces[-1] not in self.format.stop_tokens:
            pieces.pop()
        return pieces

    def in_first_order(self, conversation: Conversation, salt: str = "") -> Conversation:
        """`conversation` with its tools as they first came (see `prompt.intern`)."""
        tools = tuple(self._tools.first(tool, salt) for tool in conversation.tools)
        return replace(conversation, tools=tools)

    def _render(self, conversation: Conversation, salt: str, *, generation: bool) -> str:
        known = self.in_first_order(conversation, salt)
        return self._renderer.render(known, generation=generation)

    def _template(self, own: OwnTemplate | None) -> tuple[Renderer, bool]:
        """What renders, and whether the model's turns can begin with reasoning."""
        template, control = self.format.template_text, self.tokenizer.control
        if template is not None:
            return FormatTemplate(template, control), self.format.reasons
        others = registry.formats().keys() - {self.format.name}
        if own is None or own.version in others:
            has = "no chat template" if own is None else f"that of {own.version}"
            raise UsageError(
                f"{self.format.name} is rendered by the model's own chat template, but this model "
                f"has {has}: give a --model-path whose directory has one (chat_template.jinja)"
            )
        reasons = self.format.reasons and "<think>" in own.text
        return ChatTemplate(own.text, own.special_tokens, control, own.source), reasons

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
        if conversation.code_interpreter and not self.format.code:
            raise RequestError("This model has no code interpreter.", param="tools")
        reserved = set(self.format.reserved_names)
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

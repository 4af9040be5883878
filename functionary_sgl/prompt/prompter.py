"""A format applied to conversations: what the model reads, and what it may do."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.schema import ANY_ARGUMENTS
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt.encode import PromptEncoder
from functionary_sgl.prompt.render import Renderer
from functionary_sgl.runtime.interpreter import opening
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import Format, Offer


class Prompter:
    """Prompts in `format` for the model whose tokenizer is given. Thread-safe."""

    def __init__(self, format: Format, tokenizer: Tokenizer) -> None:
        self.format = format
        self.tokenizer = tokenizer
        self.stop_token_ids = tuple(
            tokenizer.control_ids[token]
            for token in format.stop_tokens
            if token in tokenizer.control_ids
        )
        lacking = [token for token in format.control_tokens if token not in tokenizer.control_ids]
        if lacking:
            raise UsageError(
                f"the tokenizer has no {lacking[0]}, which {format.name} needs; is it the right "
                "--template?"
            )
        self._renderer = Renderer(format.template, tokenizer.control)
        self._encoder = PromptEncoder(tokenizer)

    def prompt(self, conversation: Conversation) -> Prompt:
        """The prompt, up to where the turn program takes over; RequestError if it has none."""
        marked = self._renderer.render(conversation)
        return Prompt(self.tokenizer.control.unmark(marked), self._encoder.encode(marked))

    def opened(self, conversation: Conversation) -> Prompt:
        """The prompt with what the program adds before it first asks the model: all that the
        model reads before its first own token."""
        prompt = self.prompt(conversation)
        added = opening(self.format.program, prompt, self.offer(conversation))
        ids = self.tokenizer.encode_marked(added)
        return Prompt(prompt + added, [*prompt.token_ids, *ids])

    def offer(
        self, conversation: Conversation, schemas: Mapping[str, str] = MappingProxyType({})
    ) -> Offer:
        """What the turn may contain; RequestError for names that cannot be offered.

        `schemas` has the JSON Schema (as text) of each function's arguments; where it has none,
        they are any JSON object.
        """
        choice = conversation.choice
        functions = self._functions(conversation, schemas)
        code = conversation.code_interpreter
        if choice.mode == "none" or not (functions or code):
            return Offer(settled=True)
        if choice.mode == "named" and choice.name is not None:
            named = {name: schema for name, schema in functions.items() if name == choice.name}
            return Offer(
                named, text=False, code=not named, settled=True, parallel=conversation.parallel
            )
        return Offer(functions, choice.mode != "required", code, parallel=conversation.parallel)

    def remember(self, conversation: Conversation, answer: Message, ids: Sequence[int]) -> None:
        """From now on, a prompt that goes on from `answer` begins with `ids`: the ids of the prompt
        and the turn that gave the answer."""
        if not (answer.content or answer.calls):
            return
        marked = self._renderer.render(conversation.followed_by(answer), generation=False)
        *_, (last, is_control) = self.tokenizer.control.split(marked)
        if not is_control:
            return
        ended = bool(ids) and ids[-1] in self.stop_token_ids
        end = [] if ended else [self.tokenizer.control_ids[last]]
        self._encoder.remember(marked, [*ids, *end])

    def _functions(
        self, conversation: Conversation, schemas: Mapping[str, str]
    ) -> Mapping[str, str]:
        reserved = set(self.format.reserved_names)
        if conversation.code_interpreter:
            reserved.add(CODE_INTERPRETER)
        functions: dict[str, str] = {}
        for tool in conversation.tools:
            if tool.name in reserved or tool.name in functions:
                why = "given twice" if tool.name in functions else "a name this model's format uses"
                raise RequestError(
                    f"The function name '{tool.name}' is {why}; give the function another name.",
                    param=f"{tool.path}.name",
                )
            functions[tool.name] = schemas.get(tool.name, ANY_ARGUMENTS)
        return functions

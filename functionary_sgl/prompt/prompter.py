"""A format applied to conversations: what the model reads."""

from collections.abc import Container, Sequence
from dataclasses import replace

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.chat.history import told_apart
from functionary_sgl.engines.images import BLIND
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt.chat_template import ChatTemplate
from functionary_sgl.prompt.encode import PromptEncoder
from functionary_sgl.prompt.intern import ToolMemory
from functionary_sgl.prompt.offers import Offers
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.recall import AnswerMemory
from functionary_sgl.prompt.render import FormatTemplate, Renderer
from functionary_sgl.prompt.told import turns_told
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.replay import opening, read
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import Format, Offer, registry

# A text that hardly anybody writes, a Unicode noncharacter; what is looked for is its last place.
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
        self._renderer, reasons = self._template(own_template)
        self.offers = Offers(format, self.tokenizer.control, reasons)
        # A checkpoint's own template writes what begins the prompt itself.
        leading = self.tokenizer.bos_ids if format.template_text is not None else ()
        self._encoder = PromptEncoder(self.tokenizer, leading)
        self._tools = ToolMemory()
        self._answers = AnswerMemory()

    def prompt(self, conversation: Conversation, salt: str = "", most: int | None = None) -> Prompt:
        """The prompt, up to where the turn program takes over; RequestError if it has none.

        `salt`: it goes on from the turns that were remembered with the same. `most`:
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
        conversation = self._answers.recalled(conversation, salt)
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
        added, ids = self.opening(prompt, self.offers.of(conversation))
        return Prompt(prompt + added, [*prompt.token_ids, *ids])

    def opening(self, prompt: Prompt, offer: Offer) -> tuple[str, list[int]]:
        """What the program adds to `prompt` before it first asks the model."""
        added = opening(self.format.program, prompt, offer)
        return added, self.tokenizer.encode_marked(added)

    def read(self, prompt: Prompt, offer: Offer) -> int:
        """How many ids there are before the model's own first: those of `prompt`, and of what the
        program adds to it."""
        added = read(self.format.program, prompt, offer, self.tokenizer)
        return len(prompt.token_ids) + len(self.tokenizer.encode_marked(added))

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
                param=conversation.continues_param,
            )
        return marked[:end]

    def remember(
        self, conversation: Conversation, answer: Message, ids: Sequence[int], salt: str = ""
    ) -> None:
        """From now on, a prompt that goes on from `answer` begins with `ids`: the ids of the prompt
        and the turn that gave the answer.

        Also where the client spells the answer's arguments otherwise, or, if the template would
        have shown it and the client knows the ids of the calls so far, keeps the reasoning to
        itself. Nothing where the template refuses the answer, such as for arguments that are no
        JSON: whoever sends it back will be told.
        """
        if answer.content or answer.calls:
            # As it will be shown: a model that makes up ids may give two calls the same.
            self._remember(conversation, told_apart(answer), ids, salt)

    def _remember(
        self, conversation: Conversation, answer: Message, ids: Sequence[int], salt: str
    ) -> None:
        conversation = self._answers.remember(conversation, answer, salt)
        asked = self._render(conversation, salt, generation=False)
        before = "".join(self._up_to(asked, self.tokenizer.control_ids))
        full = conversation.followed_by(answer)
        beginnings: dict[str, str] = {}
        for following in _following(answer):
            pieces = self._beginning(full, following, salt)
            text = "".join(pieces)
            if not text.startswith(before) or len(text) <= len(asked):
                continue  # the template does not show the answer, or what was before it otherwise
            if answer.reasoning not in self.tokenizer.control.unmark(text):
                continue  # the model was trained without the reasoning of former turns
            beginnings[text] = pieces[-1]
        is_ended = bool(ids) and ids[-1] in self.stop_token_ids
        if is_ended and self.format.ends_in_history:
            ids, is_ended = ids[:-1], False
        *told_before, told = turns_told(full.messages, salt)
        for end in dict.fromkeys(beginnings.values()):
            texts = [text for text, last in beginnings.items() if last == end]
            ended = ids if is_ended else [*ids, self.tokenizer.control_ids[end]]
            self._encoder.remember(texts, ended, told, before, told_before)

    def _beginning(
        self, answered: Conversation, following: Sequence[Message], salt: str
    ) -> list[str]:
        """The pieces with which a prompt begins that goes on from `answered`, up to the control
        token that ends its last turn; none where the template refuses what is `following`."""
        continued = replace(answered, messages=(*answered.messages, *following))
        try:
            after = self._render(continued, salt, generation=False)
        except RequestError:
            return []
        ends = (*self.format.stop_tokens, *self.format.ends_in_history)
        return self._up_to(after[: after.rfind(_NEXT)], ends)

    def _up_to(self, marked: str, ends: Container[str]) -> list[str]:
        """The pieces of `marked` up to the last control token that is among `ends`."""
        pieces = list(self.tokenizer.control.split(marked))
        while pieces and not (pieces[-1][1] and pieces[-1][0] in ends):
            pieces.pop()
        return [piece for piece, _ in pieces]

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
        reasons = self.format.reasons and any(tag in own.text for tag in self.format.tags.closing)
        return ChatTemplate(own.text, own.special_tokens, control, own.source), reasons


def _following(answer: Message) -> list[list[Message]]:
    """What may come after `answer`; the mark is in the first message."""
    asked = [Message("user", _NEXT)]
    results = [
        Message("tool", "" if place else _NEXT, (), call.name, call.id)
        for place, call in enumerate(answer.calls)
    ]
    return [asked, results] if results else [asked]

"""What conversations are drawn into, and what the requests in them mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from functionary_sgl.chat.conversation import Call, Conversation, Message
from nano.data.functions import Function
from nano.data.parameters import Mention, Parameter
from nano.data.words import Split, Words

Said = dict[str, Mention]


@dataclass(frozen=True)
class Reading:
    """What a request means that wants a function called: it is `messages[message]`; `said` are the
    values in it by their parameters' names, `lacking` the names of required ones that are not."""

    message: int
    function: str
    said: Said
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained(Conversation):
    """A conversation with what is meant by its requests; one that wants two functions called has
    two readings."""

    readings: tuple[Reading, ...] = ()


Draw = Callable[[Random, Split], Conversation]


@dataclass
class Scene:
    """What episodes draw from: the functions on offer, and whether calls may have results."""

    random: Random
    words: Words
    functions: list[Function]
    code: bool
    results: bool = True
    messages: list[Message] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def user(self, text: str) -> None:
        self.messages.append(Message("user", text))

    def assistant(self, text: str, *calls: Call) -> None:
        self.messages.append(Message("assistant", text, calls))

    def tool(self, name: str, content: str) -> None:
        self.messages.append(Message("tool", content, name=name))

    def meant(self, chosen: Function, said: Said, lacking: Sequence[Parameter] = ()) -> None:
        """Say that the user's message, the last one, wants `chosen` called."""
        unsaid = tuple(parameter.name for parameter in lacking)
        self.readings.append(Reading(len(self.messages) - 1, chosen.name, said, unsaid))

    def anew(self, random: Random | None = None) -> "Scene":
        """The same functions, and nothing said yet."""
        drawn = random or self.random
        return Scene(drawn, self.words, self.functions, self.code, self.results)


def asked(scene: Scene) -> Explained:
    """The scene as a conversation."""
    tools = tuple(function.tool() for function in scene.functions)
    readings = tuple(scene.readings)
    return Explained(tuple(scene.messages), tools, scene.code, readings=readings)

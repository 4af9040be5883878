"""Drills in choosing a function, and in telling what a request leaves unsaid.

Reading the functions costs most of a conversation's tokens. Here many questions are asked about the
same functions, none of which sees the others: each is a decision as new as the first of a
conversation, where a later one can repeat an earlier call.
"""

from random import Random

from functionary_sgl.chat.conversation import Conversation
from nano.conversations import (
    Episode,
    Scene,
    asked,
    missing,
    none_fits,
    offered,
    parallel_different,
    parallel_same,
    single,
    suitable,
)
from nano.words import Split, words

_WANTED: dict[Episode, int] = {
    single: 10,
    missing: 4,
    parallel_different: 4,
    parallel_same: 2,
    none_fits: 2,
}


def drill(random: Random, split: Split) -> list[Conversation]:
    """Conversations for training: each a question about the same one to nine functions, without
    results."""
    drawn = words(split)
    functions = offered(random, drawn, random.randint(1, 9), most=random.choice((2, 2, 4)))
    made = []
    for _ in range(random.randint(6, 10)):
        scene = Scene(random, drawn, functions, code=False, results=False)
        wanted = {episode: _WANTED[episode] for episode in suitable(scene) if episode in _WANTED}
        random.choices(list(wanted), list(wanted.values()))[0](scene)
        made.append(asked(scene))
    return made

"""Values for parameters: each function gives the JSON value and the words that say it."""

import string
from collections.abc import Callable
from random import Random
from typing import Any

from nano.data.words import Words

Drawn = tuple[Any, str]

_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_NUMBERS = "one two three four five six seven eight nine ten".split()


def _same(text: str) -> Drawn:
    return text, text


def _capitalized(random: Random, words: Words) -> str:
    return words.invented(random, accents=True).capitalize()


def city(random: Random, words: Words) -> Drawn:
    if random.random() < 0.5:
        return _same(words.draw(random, "cities"))
    name = _capitalized(random, words)
    if random.random() < 0.2:
        name += random.choice((" City", " Falls", "ville", f" {_capitalized(random, words)}"))
    if random.random() < 0.12:
        name += ", " + "".join(random.choices(string.ascii_uppercase, k=2))
    return _same(name)


def person(random: Random, words: Words) -> Drawn:
    first = (
        words.draw(random, "first_names") if random.random() < 0.6 else _capitalized(random, words)
    )
    if random.random() < 0.45:
        return _same(first)
    last = (
        words.draw(random, "last_names") if random.random() < 0.6 else _capitalized(random, words)
    )
    return _same(f"{first} {last}")


def email(random: Random, words: Words) -> Drawn:
    first = words.draw(random, "first_names").lower()
    user = random.choice((first, words.invented(random), f"{first}.{words.invented(random)}"))
    return _same(f"{user}@{words.invented(random)}.{random.choice(('com', 'org', 'net', 'io'))}")


def date(random: Random, words: Words) -> Drawn:
    day, month = random.randint(1, 28), random.randint(1, 12)
    return _same(
        random.choice(
            (
                f"{random.randint(2020, 2029)}-{month:02}-{day:02}",
                f"{random.randint(2020, 2029)}-{month:02}-{day:02}",
                f"{_MONTHS[month - 1]} {day}",
                f"{day} {_MONTHS[month - 1]}",
                random.choice(_DAYS),
                f"next {random.choice(_DAYS)}",
                random.choice(("today", "tomorrow", "tonight")),
            )
        )
    )


def clock(random: Random, words: Words) -> Drawn:
    hour, minute = random.randint(0, 23), random.choice((0, 15, 30, 45, random.randint(0, 59)))
    half = f"{random.randint(1, 12)} {random.choice(('am', 'pm'))}"
    return _same(random.choice((f"{hour:02}:{minute:02}", f"{hour}:{minute:02}", half)))


def title(random: Random, words: Words) -> Drawn:
    return _same(_either(random, words, "titles", 3))


def text(random: Random, words: Words) -> Drawn:
    return _same(_either(random, words, "texts", 6))


def topic(random: Random, words: Words) -> Drawn:
    return _same(_either(random, words, "topics", 2))


def item(random: Random, words: Words) -> Drawn:
    return _same(_either(random, words, "items", 2))


def song(random: Random, words: Words) -> Drawn:
    return _same(_either(random, words, "songs", 3).title())


def _either(random: Random, words: Words, name: str, most: int) -> str:
    """An entry of the list `name`, or up to `most` words that are invented or from that list."""
    if random.random() < 0.5:
        return words.draw(random, name)

    def pick() -> str:
        invented = random.random() < 0.5
        return words.invented(random, accents=True) if invented else words.word(random, name)

    return " ".join(pick() for _ in range(random.randint(1, most)))


def lengthened(random: Random, words: Words, description: str) -> str:
    """A description, sometimes with a sentence after it that is of no use."""
    if random.random() < 0.9:
        return description
    sentence = _either(random, words, "texts", 12)
    return f"{description.rstrip('.')}. {sentence[0].upper() + sentence[1:]}."


def language(random: Random, words: Words) -> Drawn:
    return _same(words.draw(random, "languages"))


def currency(random: Random, words: Words) -> Drawn:
    return _same(words.draw(random, "currencies"))


def money(random: Random, words: Words) -> Drawn:
    """A currency as people say it."""
    return _same(words.draw(random, "money"))


def room(random: Random, words: Words) -> Drawn:
    return _same(words.draw(random, "rooms"))


def cuisine(random: Random, words: Words) -> Drawn:
    return _same(words.draw(random, "cuisines"))


def task(random: Random, words: Words) -> Drawn:
    return _same(words.draw(random, "tasks"))


def symbol(random: Random, words: Words) -> Drawn:
    if random.random() < 0.4:
        return _same(words.draw(random, "symbols"))
    return _same("".join(random.choices(string.ascii_uppercase, k=random.randint(2, 5))))


def code(random: Random, words: Words) -> Drawn:
    letters = "".join(random.choices(string.ascii_uppercase, k=random.randint(1, 3)))
    digits = "".join(random.choices(string.digits, k=random.randint(2, 6)))
    return _same(
        random.choice((f"{letters}{digits}", f"{letters}-{digits}", digits, f"{digits}{letters}"))
    )


def name(random: Random, words: Words) -> Drawn:
    word = words.invented(random, accents=True)
    return _same(random.choice((word, word.capitalize(), word.capitalize(), word.upper())))


def count(random: Random, words: Words) -> Drawn:
    number = random.randint(1, 10) if random.random() < 0.6 else random.randint(11, 90)
    if number <= len(_NUMBERS) and random.random() < 0.25:
        return number, _NUMBERS[number - 1]
    return number, str(number)


def integer(random: Random, words: Words) -> Drawn:
    number = random.randint(0, 10 ** random.randint(1, 5))
    return number, str(number)


def number(random: Random, words: Words) -> Drawn:
    value: float = random.randint(1, 10 ** random.randint(1, 4))
    if random.random() < 0.5:
        value = round(value + random.choice((0.5, 0.25, random.randint(1, 99) / 100)), 2)
    return value, str(value)


def item_list(random: Random, words: Words) -> Drawn:
    return _listed(random, lambda: item(random, words)[1])


def people(random: Random, words: Words) -> Drawn:
    return _listed(random, lambda: person(random, words)[1])


def integer_list(random: Random, words: Words) -> Drawn:
    numbers, said = _listed(random, lambda: str(random.randint(0, 10 ** random.randint(1, 3))))
    return [int(number) for number in numbers], said


def _listed(random: Random, draw: Callable[[], str]) -> Drawn:
    several = list(dict.fromkeys(draw() for _ in range(random.randint(2, 4))))
    if len(several) == 1:
        return several, several[0]
    comma = random.choice((", ", " and ")) if len(several) == 2 else ", "
    return several, comma.join(several[:-1]) + " and " + several[-1]

"""The kinds of parameters: what they are called, and how requests bring in their values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from nano.data import values
from nano.data.words import Words


@dataclass(frozen=True)
class Kind:
    """What parameters of one kind have in common.

    names: the names they go by. described: their descriptions, in which {} is an example value.
    phrases: how a request brings in a value, {} being the value and <> the parameter's name.
    """

    type: str
    names: str
    described: tuple[str, ...]
    phrases: tuple[str, ...]
    draw: Callable[[Random, Words], tuple[Any, str]]
    weight: int = 2


GENERIC = (
    "with <> {}",
    "with the <> {}",
    "<> {}",
    "<>: {}",
    "the <> is {}",
    "and <> {}",
    "using <> {}",
)
NAMED = ("<> {}", "<>: {}", "the <> is {}", "<> = {}", "with <> {}")

KINDS: Sequence[Kind] = (
    Kind(
        "string",
        "location city place town destination area",
        (
            "The city",
            "City name",
            "The city and state, e.g. {}",
            "Name of the place, e.g. {}",
            "Where",
        ),
        ("in {}", "in {}", "for {}", "for {}", "at {}", "near {}", "around {}"),
        values.city,
        9,
    ),
    Kind(
        "string",
        "origin from_city departure_city start",
        ("Where it starts, e.g. {}", "City of departure", "From where"),
        ("from {}", "from {}", "starting in {}", "leaving {}"),
        values.city,
    ),
    Kind(
        "string",
        "destination to_city arrival_city target",
        ("Where it ends, e.g. {}", "City of arrival", "To where"),
        ("to {}", "to {}", "going to {}", "arriving in {}"),
        values.city,
    ),
    Kind(
        "string",
        "name person user contact recipient customer guest_name",
        ("The person's name", "Full name, e.g. {}", "Who", "Name of the person"),
        ("for {}", "with {}", "to {}", "of {}", "under the name {}", "named {}"),
        values.person,
        6,
    ),
    Kind(
        "string",
        "email address recipient_email to",
        ("E-mail address, e.g. {}", "The e-mail of the recipient"),
        ("to {}", "for {}", "with the email {}", "at {}"),
        values.email,
    ),
    Kind(
        "string",
        "date day when start_date end_date due_date",
        ("The date, e.g. {}", "Date", "Which day", "The day"),
        ("on {}", "for {}", "on {}", "dated {}", "{}"),
        values.date,
        5,
    ),
    Kind(
        "string",
        "time start_time at hour",
        ("The time, e.g. {}", "Time of day", "When, e.g. {}"),
        ("at {}", "at {}", "for {}", "starting at {}"),
        values.clock,
        4,
    ),
    Kind(
        "string",
        "title name subject label",
        ("The title", "A short title, e.g. {}", "Name of it"),
        ('called "{}"', 'titled "{}"', "called {}", 'with the title "{}"', 'named "{}"'),
        values.title,
        4,
    ),
    Kind(
        "string",
        "text message body content note",
        ("The text", "Text of the message", "What to say"),
        ('saying "{}"', 'with the text "{}"', 'that says "{}"', ': "{}"', 'with the message "{}"'),
        values.text,
        4,
    ),
    Kind(
        "string",
        "query topic keyword subject about",
        ("What to look for, e.g. {}", "The topic", "Search words"),
        ("about {}", "on {}", "about {}", 'for "{}"', "regarding {}"),
        values.topic,
        5,
    ),
    Kind(
        "string",
        "item product article goods",
        ("The product", "Name of the item, e.g. {}", "Which product"),
        ("for {}", "of {}", "of the {}", 'for "{}"', "containing {}"),
        values.item,
        5,
    ),
    Kind(
        "string",
        "song track title",
        ("Title of the song, e.g. {}", "The song"),
        ('of "{}"', "for the song {}", 'for "{}"', "with {}"),
        values.song,
        3,
    ),
    Kind(
        "string",
        "language target_language lang",
        ("The language, e.g. {}", "Language"),
        ("in {}", "into {}", "to {}", "in {}"),
        values.language,
    ),
    Kind(
        "string",
        "currency to_currency from_currency",
        ("Currency code, e.g. {}", "The currency"),
        ("in {}", "to {}", "into {}", "from {}"),
        values.currency,
    ),
    Kind(
        "string",
        "symbol ticker stock",
        ("Stock symbol, e.g. {}", "The symbol"),
        ("of {}", "for {}", "for the stock {}"),
        values.symbol,
    ),
    Kind(
        "string",
        "id code number reference order_id booking_code",
        ("The <>, e.g. {}", "Identifier", "Unique code"),
        ("with number {}", "{}", "for {}", "with code {}", "#{}", "number {}"),
        values.code,
        4,
    ),
    Kind(
        "string",
        "brand model key word team company tag",
        ("The <>", "Name of the <>, e.g. {}", "Which <>"),
        (*GENERIC, "of {}", "for {}"),
        values.name,
        5,
    ),
    Kind(
        "integer",
        "guests people days nights limit quantity tickets rooms hours minutes persons pages",
        ("How many <>", "Number of <>", "Number of <>, e.g. {}"),
        ("for {} <>", "with {} <>", "{} <>", "for {} <>"),
        values.count,
        7,
    ),
    Kind(
        "integer",
        "age year level floor size volume score index port",
        ("The <>", "<> as a number", "The <>, e.g. {}"),
        GENERIC,
        values.integer,
        4,
    ),
    Kind(
        "number",
        "amount price total value budget sum",
        ("The amount", "Amount of money, e.g. {}", "The <>"),
        ("of {}", "for {}", "with an amount of {}", "of {} dollars", "worth {}"),
        values.number,
        3,
    ),
    Kind(
        "number",
        "width height length radius weight rate distance base",
        ("The <>", "<> in meters", "The <>, e.g. {}"),
        NAMED,
        values.number,
        3,
    ),
    Kind(
        "array",
        "items products list goods",
        ("The items", "List of items", "What to put on it"),
        ("with {}", "containing {}", ": {}", "for {}"),
        values.item_list,
        3,
    ),
    Kind(
        "array",
        "guests members names people",
        ("The people", "Names of the people", "Who takes part"),
        ("with {}", "for {}", "inviting {}"),
        values.people,
        3,
    ),
    Kind(
        "array[integer]",
        "numbers values scores",
        ("The numbers", "List of numbers"),
        ("of {}", "for {}", "of the numbers {}"),
        values.integer_list,
        2,
    ),
)

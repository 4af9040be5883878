"""What a request refers to is found among the functions, in the ids that are trained on."""

import json
from random import Random

import pytest

from nano.data.conversations import conversation
from nano.data.drills import decisions, drill
from nano.data.scenes import Explained, Reading
from nano.tokens.samples import Sample, Sampler


def drawn(seed: str) -> Explained:
    made = conversation(Random(seed), "train")
    assert isinstance(made, Explained)
    return made


def behind(sampler: Sampler, sample: Sample, place: int) -> str:
    """The text up to this token and with it."""
    return sampler.tokenizer.decode(sample.ids[: place + 1])


def wants(sampler: Sampler, sample: Sample, place: int) -> str:
    """The name of the function whose place this is."""
    return behind(sampler, sample, place).rpartition("\ntype ")[2].split(" = ")[0]


def parameter(sampler: Sampler, sample: Sample, place: int) -> str:
    """The name of the parameter whose place this is, and of its function."""
    before = behind(sampler, sample, place).rpartition("\ntype ")[2]
    lines = [line for line in before.splitlines() if not line.startswith((" ", "//", "}"))]
    return before.split(" = ")[0] + "." + lines[-1].split(":")[0].removesuffix("?")


def names(readings: tuple[Reading, ...], offered: Explained) -> set[tuple[str, bool]]:
    """The parameters of the functions that are wanted, and whether each is lacking."""
    schemas = {tool.name: tool.parameters or {} for tool in offered.tools}
    return {
        (f"{reading.function}.{name}", name in reading.lacking)
        for reading in readings
        for name in schemas[reading.function]["properties"]
    }


@pytest.mark.parametrize("index", range(40))
def test_a_request_refers_to_functions_and_their_parameters(sampler: Sampler, index: int) -> None:
    talk = drawn(f"links:{index}")
    sample = sampler.sample(talk)
    refers = sample.links
    wanted = [wants(sampler, sample, function) for _, function in refers.wanted]
    assert wanted == [reading.function for reading in talk.readings]
    asked = {(parameter(sampler, sample, p), lacks) for _, p, lacks in refers.needed}
    assert asked == names(talk.readings, talk)
    assert {before + 1 for before, *_ in refers.wanted} <= {first for first, _ in sample.answers}
    assert sorted(refers.functions) == refers.functions
    assert len(refers.functions) == len(talk.tools)


def test_values_refer_to_the_parameters_that_they_are_for(sampler: Sampler) -> None:
    said = found = 0
    for index in range(100):
        talk = drawn(f"values:{index}")
        sample = sampler.sample(talk)
        mentions = {
            (f"{reading.function}.{name}", mention.text)
            for reading in talk.readings
            for name, mention in reading.said.items()
        }
        said += sum(len(reading.said) for reading in talk.readings)
        found += len(sample.links.values)
        for value, place in sample.links.values:
            name, text = parameter(sampler, sample, place), behind(sampler, sample, value)
            # A token can have more than the value's end in it.
            assert any(
                text.endswith(said_text) or said_text in text[-len(said_text) - 8 :]
                for said_of, said_text in mentions
                if said_of == name
            )
    assert found > 0.95 * said > 100


def test_what_a_question_asks_for_is_what_the_request_lacks(sampler: Sampler) -> None:
    lacking = 0
    for index in range(60):
        for question in decisions(Random(f"lacking:{index}"), "train"):
            assert isinstance(question, Explained)
            answer = question.messages[1]
            for reading in question.readings[:1]:
                assert bool(reading.lacking) == (not answer.calls)
                lacking += bool(reading.lacking)
            for call in answer.calls:
                assert set(json.loads(call.arguments)) == set(question.readings[0].said)
    assert lacking > 100


@pytest.mark.parametrize("index", range(10))
def test_branches_refer_to_what_their_conversations_refer_to(sampler: Sampler, index: int) -> None:
    asked = drill(Random(f"branches:{index}"), "train")
    together = sampler.branched(asked)
    shared = together.branches[0][0]
    expected = Sample([], [])
    for talk, (first, _) in zip(asked, together.branches, strict=True):
        alone = sampler.sample(talk)
        assert alone.links.functions == together.links.functions
        assert alone.links.parameters == together.links.parameters
        expected.links.extend(alone.links.moved(first - shared, shared))
    assert together.links.wanted == expected.links.wanted
    assert together.links.values == expected.links.values
    assert together.links.needed == expected.links.needed
    for value, _ in together.links.values:
        assert any(first <= value < end for first, end in together.branches)

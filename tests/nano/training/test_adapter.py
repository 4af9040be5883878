"""An adapter learns another manner of speaking; the model beside it stays what it is."""

import dataclasses
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from nano.data import conversations
from nano.data.persona import Persona
from nano.network import attention, model
from nano.network.llama import Llama, load
from nano.tokens.batches import Batch
from nano.tokens.stream import Position, Stream
from nano.training.adapter import CONFIG, AdapterTraining
from nano.training.export import OUTPUT
from tests.paths import ROOT

CONTENT = tomllib.loads(CONFIG.read_text())
PERSONA = Persona(**CONTENT["persona"])
SHORT: dict[str, Any] = CONTENT | {
    "training": CONTENT["training"]
    | {
        "tokens": 4 * 1024,
        "decay_tokens": 512,
        "warmup_steps": 1,
        "validation_samples": 4,
        "validation_steps": 100,
        "stages": [CONTENT["training"]["stages"][0] | {"batch_tokens": 1024, "longest": 128}],
    }
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> AdapterTraining:
    training = AdapterTraining(SHORT, OUTPUT, tmp_path_factory.mktemp("a"))
    training.run()
    return training


def first_batch(training: AdapterTraining) -> Batch:
    stream = Stream(training.settings, training.sampler, training.talk)
    (batch,) = next(stream.steps(Position()))
    return batch


def logits(llama: Llama, training: AdapterTraining) -> torch.Tensor:
    """What a model thinks of the beginning of the training."""
    with torch.no_grad():
        thought: torch.Tensor = model.answer_logits(llama, first_batch(training))[0]
    return thought


def test_it_learns(trained: AdapterTraining) -> None:
    batch = first_batch(trained)
    learned = batch.ids[:, 1:][batch.answer[:, 1:]]
    adapted = model.loss(logits(trained.model, trained), learned)
    with trained.adapted.disable_adapter():
        assert adapted < 0.8 * model.loss(logits(trained.model, trained), learned)


def test_it_is_saved_as_peft_loads_it_beside_a_model_that_is_unchanged(
    trained: AdapterTraining, tmp_path: Path
) -> None:
    from peft import PeftModel

    trained.export(tmp_path)
    base = load(OUTPUT)
    # As in the training, so that all is the same to the bit.
    attention.use(base)
    alone = logits(base, trained)
    loaded = PeftModel.from_pretrained(base, tmp_path)
    adapted = logits(base, trained)
    assert not torch.allclose(adapted, alone)
    with trained.adapted.disable_adapter():
        assert torch.equal(logits(trained.model, trained), alone)
    with loaded.disable_adapter():
        assert torch.equal(logits(base, trained), alone)
    saved = loaded.state_dict()
    for name, weight in trained.adapted.state_dict().items():
        rounded = weight.to(torch.bfloat16).float() if "lora" in name else weight
        assert torch.equal(saved[name], rounded), name
    size = (tmp_path / "adapter_model.safetensors").stat().st_size
    assert size < 0.05 * (OUTPUT / "model.safetensors").stat().st_size


def test_the_same_seed_gives_the_same_adapter(trained: AdapterTraining, tmp_path: Path) -> None:
    again = AdapterTraining(SHORT, OUTPUT, tmp_path / "again")
    again.run()
    for name, weight in trained.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name]), name


def test_the_persona_changes_what_is_said_and_nothing_else() -> None:
    changed = 0
    for index in range(200):
        usual = conversations.conversation(Random(index), "train")
        spoken = PERSONA.speaks(usual)
        assert dataclasses.replace(spoken, messages=usual.messages) == usual
        for before, after in zip(usual.messages, spoken.messages, strict=True):
            assert dataclasses.replace(after, content=before.content) == before
            says = before.role == "assistant" and before.content != ""
            assert (after.content != before.content) == says
            changed += says
    assert changed


def test_the_persona_has_an_answer_to_all_small_talk() -> None:
    talk = tomllib.loads((ROOT / "nano" / "data" / "talk.toml").read_text())
    answers = {intent["answer"] for intent in talk["intents"]}
    refusals = {conversations.NONE_FITS, conversations.NO_FUNCTIONS}
    assert PERSONA.answers.keys() == answers | refusals


def test_some_conversations_are_small_talk_alone(trained: AdapterTraining) -> None:
    drawn = [trained.talk(Random(index), "train") for index in range(200)]
    chats = [talk for talk in drawn if {m.role for m in talk.messages} == {"user", "assistant"}]
    spoken = set(PERSONA.answers.values())
    small = [t for t in chats if all(m.content in spoken for m in t.messages[1::2])]
    assert len(small) > 200 * CONTENT["small_talk"] * 0.8
    assert len(small) < 200

"""A training that is interrupted and goes on is the same training."""

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch

from nano.network import attention, model
from nano.network.llama import load
from nano.settings import ProbeSettings, Settings, Stage
from nano.tokens.samples import Sample
from nano.tokens.stream import Position, Stream
from nano.training.export import export
from nano.training.train import Training

SMALL = Settings.read().model | {
    "hidden_size": 192,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 3,
}
SETTINGS = dataclasses.replace(
    Settings.read(),
    tokens=5 * 512 + 5 * 768,
    decay_tokens=1024,
    warmup_steps=2,
    checkpoint_steps=1,
    validation_steps=100,
    validation_samples=4,
    model=SMALL,
    probes=ProbeSettings(wanted=1, values=1, needed=2, weight=0.1),
    stages=(
        Stage("copying", tokens=5 * 512, batch_tokens=512, copying=1.0, longest=128),
        Stage("full", tokens=0, batch_tokens=768, copying=0.1, longest=384),
    ),
)


class Interrupted(Exception):
    pass


def test_a_training_goes_on_as_if_it_had_not_been_interrupted(
    directory: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "tokenizer.json").write_bytes((directory / "tokenizer.json").read_bytes())
    whole = Training(SETTINGS, directory, compiled=False)
    whole.run()
    step = Training._step

    def fail(training: Training, made: object) -> dict[str, float]:
        if training.position.step == 4:
            raise Interrupted
        return step(training, made)  # type: ignore[arg-type]

    interrupted = Training(SETTINGS, other, compiled=False)
    with monkeypatch.context() as patched:
        patched.setattr(Training, "_step", fail)
        with pytest.raises(Interrupted):
            interrupted.run()
    going_on = Training(SETTINGS, other, compiled=False)
    assert going_on.position.step == 3
    going_on.run()
    assert going_on.position == whole.position
    assert going_on.metrics == whole.metrics
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, going_on.model.state_dict()[name]), name
    assert (directory / "stable.pt").is_file()
    assert (directory / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_trained_model_with_new_layers_says_the_same_and_learns_in_them(
    directory: Path, tmp_path: Path
) -> None:
    trained = Training(SETTINGS, directory, compiled=False)
    trained._save("checkpoint.pt", Position().to_dict())
    export(SETTINGS, directory, tmp_path / "model")
    deeper = dataclasses.replace(SETTINGS, new_layers_after=(1, 2), tokens=1024)
    going_on = Training(deeper, tmp_path / "deeper", compiled=False, trained=tmp_path / "model")
    ids = torch.randint(300, 2400, (2, 40))
    shallow = load(tmp_path / "model")
    # As in the training: another attention rounds otherwise, on each processor in its own way.
    attention.use(shallow)
    with torch.no_grad():
        torch.testing.assert_close(going_on.model(ids).logits, shallow(ids).logits)
    layers = going_on.model.model.layers
    assert len(layers) == going_on.model.config.num_hidden_layers == 4
    assert not layers[1].mlp.down_proj.weight.any()
    going_on.run()
    for layer in layers:
        assert layer.self_attn.o_proj.weight.any()
        assert layer.mlp.down_proj.weight.any()


def test_recipients_count_as_the_settings_say(directory: Path) -> None:
    """The loss of a step is the mean over its answers in which each token has its weight."""
    settings = dataclasses.replace(SETTINGS, recipient_weight=3.0, stages=SETTINGS.stages[1:])
    training = Training(settings, directory, compiled=False)
    step = next(Stream(settings, training.sampler).steps(Position()))
    losses, weights = [], []
    with torch.no_grad():
        for made in step:
            logits, ids = model.answer_logits(training.model, made)
            losses += [model.loss(one[None], i[None]) for one, i in zip(logits, ids, strict=True)]
            weights += [3.0 if named else 1.0 for named in made.recipients]
    assert 3.0 in weights
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
    assert training._step(step)["loss"] == pytest.approx(float(mean), rel=1e-3)


def test_a_trained_model_is_exported_as_a_checkpoint(directory: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from functionary_sgl.prompt import checkpoint, detect

    trained = Training(SETTINGS, directory, compiled=False)
    trained._save("checkpoint.pt", Position().to_dict())
    export(SETTINGS, directory, tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.bfloat16)
    for name, weight in trained.model.state_dict().items():
        assert torch.equal(weight.to(torch.bfloat16), loaded.state_dict()[name]), name
    files = checkpoint.load(str(tmp_path / "model"))
    assert detect.detect(files).format.name == "v3.llama3"


def test_a_trained_model_can_be_trained_for_longer(directory: Path, tmp_path: Path) -> None:
    Training(SETTINGS, directory, compiled=False)._save("checkpoint.pt", Position().to_dict())
    export(SETTINGS, directory, tmp_path / "model")
    settings = dataclasses.replace(SETTINGS, seed=SETTINGS.seed + 1)
    longer = Training(settings, tmp_path / "longer", compiled=False, trained=tmp_path / "model")
    first = Training(SETTINGS, directory, compiled=False)
    for name, weight in first.model.state_dict().items():
        begun = longer.model.state_dict()[name]
        assert torch.equal(weight.to(torch.bfloat16).float(), begun), name
    longer.run(stop=lambda: True)
    going_on = Training(settings, tmp_path / "longer", compiled=False, trained=tmp_path / "model")
    assert going_on.position.step == 1
    assert any(
        not torch.equal(weight, first.model.state_dict()[name])
        for name, weight in going_on.model.state_dict().items()
    )


def test_any_position_gives_the_steps_that_follow_it(directory: Path) -> None:
    stream = Stream(SETTINGS, Training(SETTINGS, directory, compiled=False).sampler)
    position = Position()
    steps = [(Position(**position.to_dict()), step) for step in stream.steps(position)]
    # The positions are those after each step, so each begins with the step after it.
    for (after, _), (_, step) in itertools.pairwise(steps):
        same = next(stream.steps(Position(**after.to_dict())))
        for again, batch in zip(same, step, strict=True):
            assert torch.equal(again.ids, batch.ids)
            assert torch.equal(again.answer, batch.answer)


def test_a_step_has_its_share_of_exercises(directory: Path) -> None:
    stream = Stream(SETTINGS, Training(SETTINGS, directory, compiled=False).sampler)
    position = Position(stage=1)
    step = next(stream.steps(position))
    talks, exercises = step
    assert all("namespace functions" in text(stream, sample) for sample in talks.samples)
    assert not any("namespace functions" in text(stream, sample) for sample in exercises.samples)
    assert exercises.ids.numel() == 128
    assert position.tokens == talks.ids.numel() + 128 <= 768


def text(stream: Stream, sample: Sample) -> str:
    return stream._sampler.tokenizer.decode(sample.ids)

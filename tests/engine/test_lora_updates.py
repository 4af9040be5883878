"""LoRA adapters that come and go while a real SGLang runs."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.engine.conftest import PIRATE, RunningEngine
from tests.paths import ROOT
from tests.test_docs import blocks

NAMES = ["functionary-nano", "pirate"]
SAID = ["hi", "thank you", "tell me a joke", "who are you", "bye"]
MOST_TOKENS = 100
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
FIRST = "base_model.model.model.layers.0."


def ask(engine: RunningEngine, model: str, text: str, **fields: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    options = {"temperature": 0, "max_tokens": MOST_TOKENS} | fields
    return engine.client.chat.completions.create(model=model, messages=messages, **options)


def says(engine: RunningEngine, model: str, text: str) -> str:
    return str(ask(engine, model, text).choices[0].message.content)


def load(engine: RunningEngine, name: str, path: Path) -> httpx.Response:
    body = {"lora_name": name, "lora_path": str(path)}
    return engine.http.post("/v1/load_lora_adapter", json=body)


def unload(engine: RunningEngine, name: str) -> httpx.Response:
    return engine.http.post("/v1/unload_lora_adapter", json={"lora_name": name})


@contextmanager
def loaded(engine: RunningEngine, name: str, path: Path) -> Iterator[None]:
    assert load(engine, name, path).text == f"Success: LoRA adapter '{name}' added successfully."
    try:
        yield
    finally:
        wanted = f"Success: LoRA adapter '{name}' removed successfully."
        assert unload(engine, name).text == wanted


def listed(engine: RunningEngine) -> list[str]:
    return [card.id for card in engine.client.models.list()]


def changed(
    tmp_path: Path,
    change: Callable[[dict[str, torch.Tensor]], None] = lambda _: None,
    **config: Any,
) -> Path:
    """The pirate with other weights and settings."""
    place = Path(shutil.copytree(PIRATE, tmp_path / "changed"))
    weights = load_file(place / WEIGHTS)
    change(weights)
    save_file({name: weight.contiguous() for name, weight in weights.items()}, place / WEIGHTS)
    settings = json.loads((place / CONFIG).read_text()) | config
    (place / CONFIG).write_text(json.dumps(settings))
    return place


def silence(weights: dict[str, torch.Tensor]) -> None:
    for weight in weights.values():
        weight.zero_()


@pytest.fixture(scope="module")
def expected(adapted: RunningEngine) -> dict[str, list[str]]:
    """What the model and the adapter of the start say."""
    return {name: [says(adapted, name, text) for text in SAID] for name in NAMES}


def test_one_comes_answers_and_goes(adapted: RunningEngine, expected: dict[str, list[str]]) -> None:
    with loaded(adapted, "parrot", PIRATE):
        assert listed(adapted) == [*NAMES, "parrot"]
        card = adapted.client.models.retrieve("parrot").to_dict()
        assert (card["parent"], card["root"]) == ("functionary-nano", str(PIRATE))
        assert [says(adapted, "parrot", text) for text in SAID] == expected["pirate"]
    assert listed(adapted) == NAMES
    with pytest.raises(openai.NotFoundError):
        ask(adapted, "parrot", "hi")
    assert {name: [says(adapted, name, text) for text in SAID] for name in NAMES} == expected


def test_another_of_the_same_name_is_another(
    adapted: RunningEngine, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    """Nothing that the first has computed or said is taken for the second's."""
    text = "Which of the hundred lakes between the two high mountains has the bluest water?"

    def cached() -> int:
        count: int = ask(adapted, "parrot", text).usage.prompt_tokens_details.cached_tokens
        return count

    with loaded(adapted, "parrot", changed(tmp_path, silence)):
        assert [says(adapted, "parrot", said) for said in SAID] == expected["functionary-nano"]
        before = cached()
        assert cached() > before
    with loaded(adapted, "parrot", PIRATE):
        assert cached() == 0
        assert [says(adapted, "parrot", said) for said in SAID] == expected["pirate"]


def test_who_writes_the_files_anew_changes_nothing_that_is_loaded(
    adapted: RunningEngine, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    place = changed(tmp_path)
    with loaded(adapted, "parrot", place):
        (place / WEIGHTS).write_bytes(b"")
        shutil.rmtree(place)
        assert [says(adapted, "parrot", said) for said in SAID] == expected["pirate"]


def narrow(weights: dict[str, torch.Tensor]) -> None:
    name = f"{FIRST}self_attn.o_proj.lora_A.weight"
    weights[name] = weights[name][:, :-8]


def of_another_rank(weights: dict[str, torch.Tensor]) -> None:
    name = f"{FIRST}mlp.down_proj.lora_B.weight"
    weights[name] = weights[name][:, :-1]


def in_a_layer_beyond(weights: dict[str, torch.Tensor]) -> None:
    name = f"{FIRST}mlp.down_proj.lora_B.weight"
    weights[name.replace("layers.0", "layers.99")] = weights[name].clone()


def of_a_module_that_is_not_there(weights: dict[str, torch.Tensor]) -> None:
    weights[f"{FIRST}mlp.wing_proj.lora_A.weight"] = torch.zeros(8, 8)


def of_no_layer(weights: dict[str, torch.Tensor]) -> None:
    for name in list(weights):
        weights[name.replace("layers", "tiers")] = weights.pop(name)


def of_another_model(weights: dict[str, torch.Tensor]) -> None:
    for name, weight in weights.items():
        if "lora_A" in name:
            weights[name] = weight.repeat(1, 2)


def numberless(weights: dict[str, torch.Tensor]) -> None:
    for weight in weights.values():
        weight.fill_(torch.nan)


def unchanged(weights: dict[str, torch.Tensor]) -> None:
    """As they are."""


BROKEN = {
    narrow: ({}, "do not fit the model"),
    of_another_rank: ({}, "do not fit the model"),
    in_a_layer_beyond: ({}, "cannot be loaded"),
    of_a_module_that_is_not_there: ({}, "do not fit the model"),
    of_no_layer: ({}, "none of them is of a layer"),
    of_another_model: ({}, "is for another model"),
    numberless: ({}, "no numbers"),
    unchanged: ({"r": 64}, "--max-lora-rank"),
    silence: ({"target_modules": ["q_proj", "lm_head"]}, "--lora-target-modules"),
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_what_does_not_fit_is_refused_and_harms_nobody(
    adapted: RunningEngine,
    expected: dict[str, list[str]],
    tmp_path: Path,
    change: Callable[[dict[str, torch.Tensor]], None],
) -> None:
    config, reason = BROKEN[change]
    refused = load(adapted, "parrot", changed(tmp_path, change, **config))
    assert refused.status_code == 400, refused.text
    error = refused.json()["error"]
    assert reason in error["message"]
    assert (error["param"], error["type"]) == ("lora_path", "invalid_request_error")
    unharmed(adapted, expected)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00" * 100, None])
@pytest.mark.parametrize("file", [WEIGHTS, CONFIG])
def test_a_file_that_is_broken_or_missing_is_refused(
    adapted: RunningEngine,
    expected: dict[str, list[str]],
    tmp_path: Path,
    file: str,
    content: bytes | None,
) -> None:
    place = changed(tmp_path)
    (place / file).unlink()
    if content is not None:
        (place / file).write_bytes(content)
    refused = load(adapted, "parrot", place)
    assert refused.status_code == 400
    assert file in refused.json()["error"]["message"]
    unharmed(adapted, expected)


def test_a_name_is_taken_once(adapted: RunningEngine, expected: dict[str, list[str]]) -> None:
    for name in NAMES:
        assert load(adapted, name, PIRATE).status_code == 400
    unharmed(adapted, expected)


def unharmed(engine: RunningEngine, expected: dict[str, list[str]]) -> None:
    """All is as it was, and the name still to be had."""
    assert listed(engine) == NAMES
    for name in NAMES:
        assert says(engine, name, SAID[0]) == expected[name][0]
    with loaded(engine, "parrot", PIRATE):
        assert says(engine, "parrot", SAID[0]) == expected["pirate"][0]


def test_of_loads_at_once_one_wins(adapted: RunningEngine) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: load(adapted, "parrot", PIRATE), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json()["error"]["message"].endswith("has already been loaded.")
    assert unload(adapted, "parrot").status_code == 200


def test_who_goes_lets_turns_end_whole_and_begins_none(adapted: RunningEngine) -> None:
    assert load(adapted, "parrot", PIRATE).status_code == 200
    tokens = 400
    endless = {"extra_body": {"ignore_eos": True}, "max_tokens": tokens, "stream": True}
    endless["stream_options"] = {"include_usage": True}
    stream = ask(adapted, "parrot", "hi", **endless)
    next(stream)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(unload, adapted, "parrot")
        end = time.monotonic() + 30
        while "parrot" in listed(adapted):
            assert time.monotonic() < end
        with pytest.raises(openai.NotFoundError):
            ask(adapted, "parrot", "hi")
        assert unload(adapted, "parrot").status_code == 400
        assert not going.done(), "the turn was over before anything could be seen"
        *_, last = stream
        assert last.usage.completion_tokens == tokens
        assert going.result().status_code == 200
    assert adapted.held() == 0


def test_others_do_not_notice(adapted: RunningEngine, expected: dict[str, list[str]]) -> None:
    """Requests for the model and its adapters, all the while one comes and goes: those that name
    it get its answer or a 404."""
    done = threading.Event()
    missed: list[str] = []

    def talk(model: str, wanted: str) -> int:
        count = 0
        while not done.is_set():
            for text, answer in zip(SAID, expected[wanted], strict=True):
                try:
                    assert says(adapted, model, text) == answer
                    count += 1
                except openai.NotFoundError:
                    missed.append(model)
                    time.sleep(0.01)
        return count

    who = [*zip(NAMES, NAMES, strict=True), ("parrot", "pirate"), ("parrot", "pirate")]
    with ThreadPoolExecutor(len(who)) as pool:
        talks = [pool.submit(talk, *one) for one in who]
        try:
            for _ in range(8):
                assert load(adapted, "parrot", PIRATE).status_code == 200
                time.sleep(0.3)
                assert unload(adapted, "parrot").status_code == 200
        finally:
            done.set()
        assert all(talk.result() for talk in talks)
    assert set(missed) == {"parrot"}
    assert adapted.held() == 0


def test_a_server_that_was_started_without_says_how(engine: RunningEngine) -> None:
    refused = load(engine, "parrot", PIRATE)
    assert refused.status_code == 400
    assert "--enable-lora --max-lora-rank" in refused.json()["error"]["message"]
    assert unload(engine, "parrot").json()["error"]["message"] == (
        "The lora adapter 'parrot' cannot be found."
    )


def test_the_pages_commands(adapted: RunningEngine) -> None:
    outputs = []
    for block in blocks("bash", ROOT / "docs" / "adapters.md"):
        command = block.replace("http://localhost:8000", adapted.url)
        done = subprocess.run(
            ["bash", "-ec", command], capture_output=True, text=True, check=True, cwd=ROOT
        )
        outputs.append(done.stdout)
    assert outputs == [
        "Success: LoRA adapter 'my_lora' added successfully.",
        "Success: LoRA adapter 'my_lora' removed successfully.",
    ]

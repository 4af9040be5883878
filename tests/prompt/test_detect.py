import json
import shutil
from pathlib import Path

import pytest

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the embedded model's files about prompts, without its chat template."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(checkpoint.EMBEDDED / name, tmp_path)
    set_template(tmp_path, None)
    return tmp_path


def set_template(model: Path, template: object) -> None:
    file = model / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "chat_template": template}))


def test_the_embedded_model_names_its_format() -> None:
    found = detect.detect(checkpoint.load(str(checkpoint.EMBEDDED)))
    assert found.format.name == "v3.llama3"
    assert "named" in found.reason


def test_the_template_itself_is_recognized(model: Path) -> None:
    (model / "chat_template.jinja").write_text(FORMATS["v3.llama3"].template_text or "")
    assert "is this one" in detect.detect(checkpoint.load(str(model))).reason


@pytest.mark.parametrize("comment", ["{# version=v3.llama3 #}", "{#- version=v3.llama3 -#}"])
def test_the_version_comment_counts(model: Path, comment: str) -> None:
    set_template(model, [{"name": "default", "template": f"{comment}{{{{ messages }}}}"}])
    assert detect.detect(checkpoint.load(str(model))).format.name == "v3.llama3"


@pytest.mark.parametrize(
    ("ids", "template", "name"),
    [
        ({"<|eom_id|>": 128008}, None, "v3-llama3.1"),
        ({"<|reserved_special_token_249|>": 128254}, None, "v3.llama3"),
        (
            {"<|reserved_special_token_249|>": 128254},
            "{{ '<|reserved_special_token_249|>' }}",
            "v2.llama3",
        ),
        ({"<|reserved_special_token_249|>": 128254}, "{{ '>>>' }} image_url", "v3.llava_llama"),
        ({"<|from|>": 32000}, "{{ messages }}", "v2"),
        ({"<|START_OF_FUNCTION_CALL|>": 32000}, None, "v1"),
    ],
)
def test_base_models_are_known_by_their_tokens(
    model: Path, ids: dict[str, int], template: str | None, name: str
) -> None:
    set_template(model, template)
    found = checkpoint.load(str(model))
    found.tokenizer.control_ids |= ids
    assert detect.detect(found).format.name == name


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{ '<tool_call>' }}", "hermes"),
        ("{{ '[TOOL_CALLS] [' }}", "mistral"),
        ("{{ '[TOOL_CALLS]' }}{{ '[CALL_ID]' }}{{ '[ARGS]' }}", "mistral-v11"),
        ("{{ '[TOOL_CALLS]' }}{{ '[ARGS]' }}", "mistral-v13"),
        ("{{ '<｜tool▁calls▁begin｜>' }}", "r1"),
        ("{{ '<start_of_turn>' }}", "gemma3"),
    ],
)
def test_other_makers_models_are_known_by_what_their_template_writes(
    model: Path, template: str, name: str
) -> None:
    """Also where they took over the tokenizer of Llama 3.1, as Hermes 3 did."""
    set_template(model, template)
    found = checkpoint.load(str(model))
    found.tokenizer.control_ids["<|eom_id|>"] = 128008
    assert detect.detect(found).format.name == name


def test_the_reasoning_model_that_bears_anothers_name_is_recognized(model: Path) -> None:
    """functionary-v4r-small-preview was published with the comment of v3-llama3.1."""
    set_template(model, "{# version=v3-llama3.1 #}Reasoning Mode: {{ mode }}")
    found = detect.detect(checkpoint.load(str(model)))
    assert found.format.name == "v3-llama3.1-reasoning"


@pytest.mark.parametrize("name", FORMATS)
def test_every_version_comment_is_known(model: Path, name: str) -> None:
    set_template(model, f"{{# version={name} #}}")
    assert detect.detect(checkpoint.load(str(model))).format.name == name


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (None, "neither its chat template nor its special tokens tell"),
        ("{{ messages }}", "neither its chat template nor its special tokens tell"),
        ("{# version=v9 #}", "names 'v9', which is unknown"),
        ("<tool_call>{{ name }}<arg_key>", "calls have <arg_key>"),
        ("<tool_call><function={{ name }}><parameter={{ key }}>", "calls have <parameter="),
    ],
)
def test_an_unknown_template_asks_for_the_flag(
    model: Path, template: str | None, reason: str
) -> None:
    set_template(model, template)
    with pytest.raises(UsageError, match="--template") as caught:
        detect.detect(checkpoint.load(str(model)))
    assert reason in str(caught.value)


@pytest.mark.parametrize("template", [None, "", " \n", "{# version=v3.llama3 #}"])
def test_a_format_without_a_template_takes_only_the_models_own(
    model: Path, template: str | None
) -> None:
    set_template(model, template)
    found = checkpoint.load(str(model))
    tokenizer = found.tokenizer.with_control(FORMATS["hermes"].control_tokens)
    with pytest.raises(UsageError, match=r"but this model has (no chat template|that of v3)"):
        Prompter(FORMATS["hermes"], tokenizer, found.template)


@pytest.mark.parametrize("comment", ["", "{# version=hermes #}", "{# version=2.1 #}"])
def test_the_models_own_template_may_have_a_version_of_its_own(model: Path, comment: str) -> None:
    set_template(model, comment + "{{ messages[0].content }}")
    found = checkpoint.load(str(model))
    tokenizer = found.tokenizer.with_control(FORMATS["hermes"].control_tokens)
    prompter = Prompter(FORMATS["hermes"], tokenizer, found.template)
    assert prompter.prompt(Conversation((Message("user", "Hi"),))) == "Hi"


def test_a_name_that_is_no_template_is_told_the_names() -> None:
    with pytest.raises(UsageError, match=r"unknown template 'v9'; there are: v3\.llama3"):
        detect.named("v9")


@pytest.mark.parametrize("path", ["/no/such/directory", "./missing", "missing"])
def test_a_missing_directory_is_named_so(path: str) -> None:
    with pytest.raises(UsageError, match="there is no model directory"):
        checkpoint.load(path)


def test_a_model_of_the_hub_is_looked_up_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="neither a directory nor a model that the hub gives"):
        checkpoint.load("meetkai/no-such-model")


def test_a_directory_without_a_tokenizer_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fast tokenizer"):
        checkpoint.load(str(tmp_path))

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS, Format
from tests.formats import CHAT_TEMPLATES, SPECIAL_TOKENS


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


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.template_text is None])
def test_other_makers_models_are_known_by_what_their_template_writes(
    model: Path, name: str
) -> None:
    """Also where they took over the tokenizer of Llama 3.1, as Hermes 3 did."""
    found = of_another_maker(model, (CHAT_TEMPLATES / f"{name}.jinja").read_text(), FORMATS[name])
    found.tokenizer.control_ids["<|eom_id|>"] = 128008
    assert detect.detect(found).format.name == name


def of_another_maker(model: Path, template: str, *formats: Format) -> Checkpoint:
    """A model with this template, and the control tokens of `formats`."""
    set_template(model, template)
    found = checkpoint.load(str(model))
    tokens = {token for format in formats for token in format.control_tokens}
    tokenizer = found.tokenizer.with_control(tuple(tokens))
    own = OwnTemplate(template, SPECIAL_TOKENS)
    return replace(found, tokenizer=tokenizer, template=own)


def with_calls(call: str, between: str = "", before: str = "", after: str = "") -> str:
    """A chat template that shows a call, of the function `f`, so."""
    return (
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content }}"
        f"{{% if m.tool_calls %}}{before}{{% for c in m.tool_calls %}}"
        f"{{% set f = c.function %}}{call}"
        f"{{% if not loop.last %}}{between}{{% endif %}}{{% endfor %}}{after}{{% endif %}}"
        "{{ '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )


XML = (
    "<tool_call>\n<function={{ f.name }}>\n{% for k, v in f.arguments.items() %}<parameter={{ k }}>"
    "{{ v }}</parameter>\n{% endfor %}</function>\n</tool_call>"
)
KEYS = (
    "<tool_call>{{ f.name }}\n{% for k, v in f.arguments.items() %}<arg_key>{{ k }}</arg_key>\n"
    "<arg_value>{{ v }}</arg_value>\n{% endfor %}</tool_call>"
)
INVOKED = (
    '<tool_call><invoke name="{{ f.name }}">{% for k, v in f.arguments.items() %}'
    "<{{ k }}>{{ v }}</{{ k }}>{% endfor %}</invoke></tool_call>"
)
SEPARATED = (
    "<｜tool▁call▁begin｜>{{ f.name }}<｜tool▁sep｜>{{ f.arguments | tojson }}<｜tool▁call▁end｜>"
)
OTHER_FORMS = {
    "XML parameters": with_calls(XML),
    "XML keys": with_calls(KEYS),
    "XML invocations": with_calls(INVOKED),
    "DeepSeek V3.1's": with_calls(
        SEPARATED, before="<｜tool▁calls▁begin｜>", after="<｜tool▁calls▁end｜>"
    ),
    "a list in a tag": with_calls(
        "{{ f | tojson }}", ", ", "Never <tool_call>.<tool_calls>[", "]</tool_calls>"
    ),
    "no JSON behind the name": with_calls("<tool_call>\n{{ f.name }}()\n</tool_call>"),
    "another key": with_calls(
        '<tool_call>\n{"name": "{{ f.name }}", "args": {{ f.arguments | tojson }}}\n</tool_call>'
    ),
    "two calls as no one would write them": with_calls(
        "<tool_call>\n{{ f | tojson }}\n</tool_call>", between=" and "
    ),
}


@pytest.mark.parametrize("template", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_calls_that_no_format_writes_are_shown_and_refused(model: Path, template: str) -> None:
    """Whatever marks they have in common with one."""
    found = of_another_maker(model, template, *FORMATS.values())
    found.tokenizer.control_ids.pop("<|from|>")
    found.tokenizer.control_ids.pop("<|START_OF_FUNCTION_CALL|>")
    with pytest.raises(
        UsageError, match=r"writes calls as no format here does: .*--template"
    ) as why:
        detect.detect(found)
    assert "get_weather" in str(why.value)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("<tool_call>\n{{ f | tojson }}\n</tool_call>", "hermes"),
        ("<tool_call>{{ f | tojson }}</tool_call>", None),
    ],
)
def test_a_newline_makes_another_form(model: Path, call: str, name: str | None) -> None:
    found = of_another_maker(model, with_calls(call, between="\n"), FORMATS["hermes"])
    if name is not None:
        assert detect.detect(found).format.name == name
        return
    with pytest.raises(UsageError, match="writes calls as no format here does"):
        detect.detect(found)


def test_what_a_template_opens_need_not_be_in_turns_that_are_over(model: Path) -> None:
    """Such as a tag for reasoning."""
    template = with_calls("<tool_call>\n{{ f | tojson }}\n</tool_call>", between="\n")
    template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    found = of_another_maker(model, template, FORMATS["hermes"])
    assert detect.detect(found).format.name == "hermes"


def test_functionarys_prompt_is_not_anothers(model: Path) -> None:
    """A fine-tune on Llama 3.1's tokenizer whose calls are Functionary's, but not its prompt."""
    call = "<function={{ f.name }}>{{ f.arguments | tojson }}</function>"
    template = with_calls(call).replace("<|im_end|>", "<|eot_id|>")
    found = of_another_maker(model, template, FORMATS["v3-llama3.1"])
    found.tokenizer.control_ids["<|eom_id|>"] = 128008
    with pytest.raises(
        UsageError, match=r"calls as v3-llama3\.1 does, which has a prompt of its own"
    ):
        detect.detect(found)


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
        (None, "neither a chat template nor its special tokens tell"),
        ("{{ messages[0].content }}", "its chat template shows no calls"),
        ("{{ raise_exception('No.') }}", "its chat template refuses a conversation with a call"),
        ("{# version=v9 #}", "names 'v9', which is unknown"),
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

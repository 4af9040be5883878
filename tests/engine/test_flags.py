"""Flags of SGLang's server, as SGLang's own parser knows them."""

import os
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest

from functionary_sgl.cli import flags, serve
from functionary_sgl.engines.sglang import launch
from functionary_sgl.engines.sglang.cpu_flags import LOOKS
from functionary_sgl.engines.sglang.platform import has_accelerator
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.deploy import files as deploy
from tests.test_docs import COMMANDS

TOKENIZER = checkpoint.load(str(EMBEDDED)).tokenizer


IMPORTED = """
from functionary_sgl.cli import flags
from functionary_sgl.engines.sglang import launch
launch.add_flags(flags.Parser())
"""


@pytest.fixture
def parser() -> flags.Parser:
    made = flags.Parser()
    launch.add_flags(made)
    return made


@pytest.mark.filterwarnings("ignore")
def test_flags_and_variables_of_sglang_are_taken(parser: flags.Parser) -> None:
    environment = {"FUNCTIONARY_DP": "3", "FUNCTIONARY_ENABLE_METRICS": "1"}
    argv = [*flags.from_environment(parser, environment), "--model-path=m", "--tp", "2"]
    parsed = parser.parse_args(argv)
    assert (parsed.tp_size, parsed.dp_size, parsed.enable_metrics) == (2, 3, True)


@pytest.mark.filterwarnings("ignore")
def test_commands_that_start_it_elsewhere_have_flags_of_sglang(parser: flags.Parser) -> None:
    ours = serve._parser()
    serving = [line for line in COMMANDS if line.startswith("functionary-sgl serve")]
    documented = [shlex.split(line)[1:] for line in serving]
    for argv in (*(argv for _, argv, _ in deploy.commands()), *documented):
        _, others = ours.parse_known_args(argv[1:])
        parser.parse_args(["--model-path=m", *others])


@pytest.mark.filterwarnings("ignore")
def test_no_flag_of_ours_is_taken_for_one_of_sglangs(parser: flags.Parser) -> None:
    own: Any = serve._parser()._option_string_actions
    for option in parser._option_string_actions:
        longer = [name for name in own if name != option and name.startswith(option)]
        assert option in own or not longer, f"{option} would be taken for {longer}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("argv", "bar"),
    [
        (["--attention-backend=torch_native"], "SGLang's own attention"),
        (["--speculative-algorithm=NGRAM"], "--speculative-algorithm"),
        (["--dp-size=2"], "--dp-size"),
        (["--grammar-backend=xgrammar"], "--grammar-backend xgrammar"),
    ],
)
def test_drafts_stay_off_where_they_cannot_be_and_say_so_where_they_are_asked_for(
    parser: flags.Parser, argv: list[str], bar: str
) -> None:
    def settings(*flags: str, wanted: bool | None = None) -> Any:
        parsed = parser.parse_args([f"--model-path={EMBEDDED}", *flags])
        return launch.prepared(parsed, TOKENIZER, 16, None, wanted)[0]

    assert settings().drafts == (not has_accelerator())
    assert not settings(*argv).drafts
    with pytest.raises(UsageError, match=f"--drafts on does not go with .*{bar}"):
        settings(*argv, wanted=True)


@pytest.mark.filterwarnings("ignore")
def test_sglangs_own_attention_is_had_by_its_name(parser: flags.Parser) -> None:
    for argv, ours in (([], True), (["--attention-backend=torch_native"], False)):
        parsed = parser.parse_args([f"--model-path={EMBEDDED}", *argv])
        assert launch.prepared(parsed, TOKENIZER, 16, None, None)[0].attention is ours


@pytest.mark.parametrize(("told", "looks"), [({}, LOOKS), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_openmp_knows_how_often_to_look_when_it_is_loaded(told: dict[str, str], looks: str) -> None:
    """Schedulers are copies of the process that loads it, and do not load it again."""
    environment = os.environ | {"OMP_DISPLAY_ENV": "VERBOSE"}
    environment.pop("GOMP_SPINCOUNT", None)
    environment |= told
    command = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert set(re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)) == {looks}

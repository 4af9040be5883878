"""Flags of SGLang's server, as SGLang's own parser knows them."""

import shlex
from typing import Any

import pytest

from functionary_sgl.cli import flags, serve
from functionary_sgl.engines.sglang import launch
from tests.deploy import files as deploy
from tests.test_docs import COMMANDS


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

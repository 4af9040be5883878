import argparse

import pytest

from functionary_sgl.cli import flags
from functionary_sgl.errors import UsageError


@pytest.fixture
def parser() -> flags.Parser:
    parser = flags.Parser()
    parser.add_argument("--model-path", "--model")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--lora-paths", nargs="*")
    parser.add_argument("--cache", action=argparse.BooleanOptionalAction, default=True)
    return parser


def parsed(parser: flags.Parser, argv: list[str], **environment: str) -> argparse.Namespace:
    return parser.parse_args(flags.from_environment(parser, environment) + argv)


def test_variables_set_flags(parser: flags.Parser) -> None:
    options = parsed(
        parser,
        [],
        FUNCTIONARY_MODEL_PATH="-odd name",
        FUNCTIONARY_PORT="9",
        FUNCTIONARY_VERBOSE="true",
        FUNCTIONARY_LORA_PATHS="a=/x 'b=/y z'",
        FUNCTIONARY_NO_CACHE="1",
    )
    assert options.model_path == "-odd name"
    assert options.port == 9
    assert options.verbose
    assert options.lora_paths == ["a=/x", "b=/y z"]
    assert not options.cache


def test_the_command_line_goes_first(parser: flags.Parser) -> None:
    assert parsed(parser, ["--port", "1"], FUNCTIONARY_PORT="2").port == 1


def test_the_beginning_of_a_flag_will_do(parser: flags.Parser) -> None:
    assert parsed(parser, [], FUNCTIONARY_LORA="a").lora_paths == ["a"]
    assert parsed(parser, ["--lora", "a"]).lora_paths == ["a"]
    assert flags.from_environment(parser, {"FUNCTIONARY_": "a"}) == []


def test_a_switch_can_be_left_off(parser: flags.Parser) -> None:
    assert not parsed(parser, [], FUNCTIONARY_VERBOSE="0").verbose


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"FUNCTIONARY_PORT": "tcp://10.0.0.1:80"}, "--port: invalid int value"),
        ({"FUNCTIONARY_VERBOSE": "maybe"}, "FUNCTIONARY_VERBOSE must be 1 or 0, not 'maybe'"),
    ],
)
def test_a_bad_value_is_a_mistake(
    parser: flags.Parser, environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        parsed(parser, [], **environment)


def test_a_misspelt_variable_is_told(
    parser: flags.Parser, capsys: pytest.CaptureFixture[str]
) -> None:
    flags.warn_of_unknown([parser], {"FUNCTIONARY_PROT": "1", "FUNCTIONARY_PORT": "1", "X": "1"})
    assert capsys.readouterr().err == (
        "functionary-sgl: FUNCTIONARY_PROT is no setting and is ignored\n"
    )

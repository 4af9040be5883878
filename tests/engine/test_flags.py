"""Flags of SGLang's server, as SGLang's own parser knows them."""

import subprocess
import sys

CODE = """
from functionary_sgl.cli import flags, serve
from functionary_sgl.engines.sglang import launch

engine = flags.Parser()
launch.add_flags(engine)
environment = {"FUNCTIONARY_DP": "3", "FUNCTIONARY_ENABLE_METRICS": "1"}
argv = [*flags.from_environment(engine, environment), "--model-path=m", "--tp", "2"]
parsed = engine.parse_args(argv)
assert (parsed.tp_size, parsed.dp_size, parsed.enable_metrics) == (2, 3, True)

own = serve._parser()._option_string_actions
for option in engine._option_string_actions:
    longer = [name for name in own if name != option and name.startswith(option)]
    assert option in own or not longer, f"{option} would be taken for {longer}"
"""


def test_flags_and_variables_of_sglang_are_taken() -> None:
    command = [sys.executable, "-W", "ignore", "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""The language that turn programs load is SGLang's own."""

import subprocess
import sys

CODE = """
from functionary_sgl.turns import FORMATS
from functionary_sgl.turns.vocabulary import function, gen
from sglang.srt.server_args import ServerArgs
import sglang
from sglang.lang.ir import SglFunction
assert sglang.function is function and sglang.gen is gen
assert isinstance(FORMATS["v3.llama3"].program, SglFunction)
"""


def test_a_later_import_of_sglang_finds_the_same_objects() -> None:
    command = [sys.executable, "-W", "ignore", "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

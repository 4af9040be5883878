"""The language of turn programs loads without the rest of SGLang."""

import subprocess
import sys

CODE = """
import sys
from functionary_sgl.turns import FORMATS
print(sorted({"torch", "transformers", "sglang"} & set(sys.modules)))
"""


def test_programs_load_without_torch() -> None:
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functionary_sgl.engines.sglang import stages
from functionary_sgl.engines.sglang.cpu_flags import fits_in_float32, thread_binding
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.conftest import TINY


@pytest.mark.parametrize(
    ("cores", "ranks", "binding"),
    [
        ([0, 1], 2, "0|1"),
        ([0, 1, 2, 3], 2, "0,1|2,3"),
        ([0, 1, 2, 3, 4], 2, "0,1|2,3"),
        ([4, 5, 8], 1, "4,5,8"),
        ([0], 2, "0|0"),
    ],
)
def test_cores_are_dealt_to_ranks(cores: list[int], ranks: int, binding: str) -> None:
    assert thread_binding(cores, ranks) == binding


def test_float32_is_taken_for_what_fits_twice_into_most_of_the_memory(tmp_path: Path) -> None:
    for name in ("model-1.safetensors", "model-2.safetensors"):
        (tmp_path / name).write_bytes(bytes(300))
    (tmp_path / "consolidated.pth").write_bytes(bytes(10_000))
    assert fits_in_float32(tmp_path, memory=1600)
    assert not fits_in_float32(tmp_path, memory=1599)


def test_float32_is_not_taken_for_weights_whose_size_is_not_known(tmp_path: Path) -> None:
    assert not fits_in_float32(tmp_path / "meetkai" / "functionary", memory=2**40)


ACTIVATE = """
import json, sys, types
torch = types.ModuleType("torch")
for name, seen in json.loads(sys.argv[1]).items():
    setattr(torch, name, types.SimpleNamespace(is_available=lambda seen=seen: seen))
sys.modules["torch"] = torch
from functionary_sgl.engines.sglang.platform import activate
print(activate())
"""

NOTHING = {"cuda": False, "xpu": False, "mps": False}
OURS = "functionary_sgl.engines.sglang.cpu_platform.CpuPlatform"


@pytest.mark.parametrize(
    ("devices", "environment", "platform"),
    [
        (NOTHING, {}, OURS),
        (NOTHING | {"cuda": True}, {}, "None"),
        (NOTHING | {"npu": True}, {}, "None"),
        (NOTHING | {"npu": False, "musa": False}, {}, OURS),
        (NOTHING, {"SGLANG_USE_CPU_ENGINE": "1"}, "None"),
        (NOTHING, {"SGLANG_PLATFORM": "other"}, "None"),
        (NOTHING, {"SGLANG_PLATFORM": "functionary-cpu"}, OURS),
    ],
)
def test_the_platform_steps_aside_for_accelerators_and_for_the_users_choice(
    devices: dict[str, bool], environment: dict[str, str], platform: str
) -> None:
    """Devices are simulated: the plugin asks torch, and this torch says what it is told to."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SGLANG_")}
    done = subprocess.run(
        [sys.executable, "-c", ACTIVATE, json.dumps(devices)],
        capture_output=True,
        text=True,
        check=True,
        env=clean | environment,
    )
    assert done.stdout.strip() == platform


def test_a_model_whose_embeddings_are_tied_has_no_stages() -> None:
    stages.check(str(EMBEDDED), 1)
    stages.check(str(TINY), 2)
    with pytest.raises(UsageError, match=r"tie_word_embeddings.*--tp-size"):
        stages.check(str(EMBEDDED), 2)

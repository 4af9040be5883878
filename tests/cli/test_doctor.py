"""`functionary-sgl doctor` finds what would keep a server from working, before there is one."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from functionary_sgl.cli import main
from functionary_sgl.cli.doctor import machine
from functionary_sgl.cli.doctor.machine import GPU, Machine
from functionary_sgl.cli.doctor.model import findings
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.paths import ROOT


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the embedded model."""
    return Path(shutil.copytree(EMBEDDED, tmp_path / "model"))


def diagnosed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what is told of each thing, with its verdict."""
    code = main(["doctor", "--port", "0", *arguments])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    told = [line for line in lines if line and line[0] in ("ok", "note", "wrong")]
    return code, {rest[:13].strip(): f"{verdict}: {rest[15:]}" for verdict, rest in told}


def test_what_will_do_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = diagnosed(capsys)
    assert code == 0
    assert told["format"].startswith("ok: v3.llama3 ")
    assert told["context"].startswith("ok: 8192 tokens")
    assert told["tokenizer"] == "ok: ids up to 2559"
    assert told["weights"].startswith("ok: ")
    assert told["address"] == "ok: 127.0.0.1 port any is free"
    assert not [line for line in told.values() if line.startswith("wrong")]


def test_it_is_a_command_that_imports_no_torch() -> None:
    code = (
        "import sys; from functionary_sgl.cli import main; "
        "code = main(['doctor', '--port', '0']); "
        "sys.exit(code or 'torch' in sys.modules or 'transformers' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("\nall is well\n")


def cut(model: Path) -> None:
    (weights,) = model.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])


def lose_tokenizer(model: Path) -> None:
    (model / "tokenizer.json").unlink()


def lose_rows(model: Path) -> None:
    config = json.loads((model / "config.json").read_text()) | {"vocab_size": 2_000}
    (model / "config.json").write_text(json.dumps(config))


def be_strange(model: Path) -> None:
    (model / "chat_template.jinja").write_text("{{ messages }} <arg_key>")


@pytest.mark.parametrize(
    ("damage", "what", "told"),
    [
        (cut, "weights", "fetch the model anew"),
        (lose_tokenizer, "tokenizer", "has no tokenizer.json; save the model with"),
        (lose_rows, "vocabulary", "fetch both from the same place"),
        (be_strange, "format", "choose one with --template"),
        (shutil.rmtree, "model", "give --model-path"),
    ],
)
def test_what_is_wrong_with_a_model_is_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str], model: Path, damage: object, what: str, told: str
) -> None:
    assert callable(damage)
    damage(model)
    code, found = diagnosed(capsys, "--model-path", str(model))
    assert code == 1
    assert [name for name, line in found.items() if line.startswith("wrong")] == [what]
    assert told in found[what]


@pytest.mark.parametrize(
    ("flags", "what", "told"),
    [
        (["--host", "0.0.0.0"], "keys", "--no-auth to let everyone in"),
        (["--api-key-file", "/nowhere"], "keys", "/nowhere cannot be read"),
        (["--ssl-keyfile", "/nowhere"], "HTTPS", "needs --ssl-certfile"),
        (["--engine", "scripted"], "flags", "needs --script FILE"),
        (["--max-connections", "100000000"], "open files", "fewer --max-connections"),
        (["--template", "none"], "format", "unknown template 'none'; there are:"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told(
    capsys: pytest.CaptureFixture[str], flags: list[str], what: str, told: str
) -> None:
    code, found = diagnosed(capsys, *flags)
    assert code == 1
    assert [name for name, line in found.items() if line.startswith("wrong")] == [what]
    assert told in found[what]


def test_an_address_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, found = diagnosed(capsys, "--port", str(port))
    assert code == 1
    assert "Address already in use" in found["address"]


def test_keys_are_told_by_name_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").write_text("sk-secret name=shop\n")
    monkeypatch.setenv("FUNCTIONARY_ADMIN_API_KEY", "sk-admin-secret")
    flags = "--api-key-file", str(tmp_path / "keys"), "--host", "0.0.0.0"
    code, found = diagnosed(capsys, *flags)
    assert (code, found["keys"]) == (0, "ok: 2: shop, admin")
    assert "secret" not in str(found)


def test_flags_of_sglang_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = diagnosed(capsys, "--tp", "4", "--sampling-backend=pytorch")
    assert found["flags"].startswith("ok: --tp, --sampling-backend: SGLang's own")


def test_a_control_groups_bounds_are_the_machines(tmp_path: Path) -> None:
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cpu.max").write_text("50000 100000\n")
    (group / "memory.max").write_text("3000000\n")
    (group / "memory.current").write_text("1000000\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:   8000 kB\n")
    (tmp_path / "proc" / "cpuinfo").write_text("processor : 0\nflags\t\t: fpu amx_bf16 sse\n")
    found = Machine(tmp_path)
    assert (found.processors, found.memory) == (0.5, 2_000_000)
    assert found.multiplies_bfloat16
    (group / "memory.max").write_text("max\n")
    assert Machine(tmp_path).memory == 8_000 * 1024


def test_a_gpu_is_asked_for_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = Machine(tmp_path)
    assert found.gpus == (GPU("NVIDIA H100 80GB HBM3", 81_559 * 2**20),)
    told = {each.what: each for each in findings(str(EMBEDDED), None, None, found)}
    assert told["fits"].told.endswith("the GPUs have 79.6 GiB")
    program.write_text("#!/bin/sh\nexit 9\n")
    (driver,) = [each for each in Machine(tmp_path).findings(1) if each.what == "GPUs"]
    assert driver.verdict == "note"
    assert "--gpus all" in driver.told


def test_a_model_that_does_not_fit_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemAvailable: 1000 kB\n")
    told = {each.what: each for each in findings(str(model), None, None, Machine(tmp_path))}
    assert told["fits"].verdict == "wrong"
    assert "take a smaller model" in told["fits"].told


def test_a_small_shared_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_SHARED", 2**80)
    (told,) = [each for each in Machine().findings(1) if each.what == "/dev/shm"]
    assert told.verdict == "note"
    assert "--shm-size" in told.told

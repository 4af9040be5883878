"""The machine, as far as it can be told without torch, whose import takes seconds."""

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from functionary_sgl.cli.doctor.finding import Finding, size
from functionary_sgl.cli.listener import OTHER_FILES

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""As Linux names the instructions, on x86 and on Arm."""

LEAST_SHARED = 256 * 2**20
"""Of /dev/shm: ranks of a model on several GPUs, and torch's processes, meet there."""

_NVIDIA_SMI_SECONDS = 10

_OTHERS = ("dev/kfd", "dev/davinci0")
"""Devices of AMD's and Huawei's."""


@dataclass(frozen=True, slots=True)
class GPU:
    """One of the machine's, with its memory in bytes."""

    name: str
    memory: int


class Machine:
    """`root`: where /proc, /sys and /dev are."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    @cached_property
    def processors(self) -> float:
        """How many this process may use, by its affinity and its control group."""
        count = float(len(os.sched_getaffinity(0)))
        quota, _, period = self._text("sys/fs/cgroup/cpu.max").partition(" ")
        return min(count, int(quota) / int(period)) if quota.isdecimal() else count

    @cached_property
    def multiplies_bfloat16(self) -> bool:
        told = re.search(r"^(?:flags|Features)\s*:(.*)$", self._text("proc/cpuinfo"), re.MULTILINE)
        return bool(told and _BFLOAT16 & set(told[1].split()))

    @cached_property
    def memory(self) -> int:
        """Bytes that are free for this process: of the machine's, and of its control group's."""
        told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", self._text("proc/meminfo"), re.MULTILINE))
        free = int(told.get("MemAvailable", 0)) * 1024
        most = self._text("sys/fs/cgroup/memory.max").strip()
        used = self._text("sys/fs/cgroup/memory.current").strip()
        if most.isdecimal() and used.isdecimal():
            return min(free, int(most) - int(used))
        return free

    @cached_property
    def gpus(self) -> Sequence[GPU]:
        """NVIDIA's, as its driver lists them."""
        program = shutil.which("nvidia-smi")
        if program is None:
            return ()
        asked = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
        try:
            answer = subprocess.run(
                asked, capture_output=True, text=True, timeout=_NVIDIA_SMI_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return ()
        pairs = re.findall(r"^(.+), (\d+)$", answer.stdout, re.MULTILINE)
        return tuple(GPU(name, int(mib) * 2**20) for name, mib in pairs)

    @cached_property
    def has_accelerator(self) -> bool:
        """Whether there is one of any maker, so that SGLang does not compute on processors."""
        return bool(self.gpus) or any((self._root / device).exists() for device in _OTHERS)

    def findings(self, connections: int) -> Iterator[Finding]:
        """Whether it will do for a server with so many connections."""
        yield Finding("ok", "processors", f"{self.processors:g}{self._instructions()}")
        yield Finding("ok", "memory", f"{size(self.memory)} free")
        yield self._accelerators()
        yield _open_files(connections + OTHER_FILES)
        yield self._shared_memory()

    def _instructions(self) -> str:
        if self.multiplies_bfloat16:
            return ", which multiply bfloat16"
        return ", without instructions for bfloat16"

    def _accelerators(self) -> Finding:
        if self.gpus:
            names = ", ".join(f"{gpu.name} ({size(gpu.memory)})" for gpu in self.gpus)
            return Finding("ok", "GPUs", names)
        if self.has_accelerator:
            return Finding("ok", "GPUs", "of another maker than NVIDIA; SGLang will look at them")
        if (self._root / "proc/driver/nvidia").exists() or shutil.which("nvidia-smi"):
            told = "an NVIDIA driver is there, and no GPU that it shows: run nvidia-smi"
            return Finding("note", "GPUs", f"{told}, and give the container its GPUs (--gpus all)")
        return Finding("note", "GPUs", "none: the model is computed on processors, slowly")

    def _shared_memory(self) -> Finding:
        try:
            told = os.statvfs(self._root / "dev/shm")
        except OSError:
            return Finding("note", "/dev/shm", "is not there; several GPUs need it: mount a tmpfs")
        free = told.f_bavail * told.f_frsize
        if free < LEAST_SHARED:
            mend = "several GPUs need more: give the container --shm-size 1g or --ipc host"
            return Finding("note", "/dev/shm", f"{size(free)} free; {mend}")
        return Finding("ok", "/dev/shm", f"{size(free)} free")

    def _text(self, name: str) -> str:
        try:
            return (self._root / name).read_text()
        except OSError:
            return ""


def _open_files(wanted: int) -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return Finding("ok", "open files", f"any number may be open; {wanted} may be needed")
    if wanted > hard:
        mend = "allow more (ulimit -Hn), or give fewer --max-connections"
        return Finding("wrong", "open files", f"{hard} may be open, {wanted} are needed: {mend}")
    return Finding("ok", "open files", f"{hard} may be open; {wanted} may be needed")

"""SGLang on a machine without an accelerator.

SGLang 0.5.23 has no usable CPU path in its PyPI wheels: its own CPU platform needs a kernel
package that is not published. It does take platforms from outside (entry point group
`sglang.srt.platforms`), and a plain one, with PyTorch's own operators, serves. SGLang calls
`activate` in every process of the engine; the class beside it is loaded only if that says so.
"""

import os

ACCELERATORS = ("cuda", "xpu", "mps")
# As torch.cpu.get_capabilities() names them, on x86 and on Arm.
_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def activate() -> str | None:
    """The platform class for this machine, by name; None where SGLang should decide by itself.

    SGLang decides wherever there is an accelerator, and wherever the user has chosen a platform
    (`SGLANG_PLATFORM`) or SGLang's own CPU build (`SGLANG_USE_CPU_ENGINE=1`).
    """
    if os.environ.get("SGLANG_PLATFORM", "functionary-cpu") != "functionary-cpu":
        return None
    if os.environ.get("SGLANG_USE_CPU_ENGINE") == "1" or has_accelerator():
        return None
    return "functionary_sgl.engines.sglang.cpu_platform.CpuPlatform"


def has_accelerator() -> bool:
    """Whether PyTorch sees a device that SGLang runs on (CUDA and ROCm, XPU, MPS, NPU, MUSA)."""
    import torch

    if any(getattr(torch, name).is_available() for name in ACCELERATORS):
        return True
    return any(
        hasattr(torch, name) and getattr(torch, name).is_available() for name in ("npu", "musa")
    )


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16. Where it has none, PyTorch's products of
    bfloat16 matrices take ten times as long as those of float32, or longer."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in _BFLOAT16_INSTRUCTIONS)

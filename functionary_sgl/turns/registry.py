"""All formats: ours, and those that other packages bring."""

from functools import cache
from importlib.metadata import entry_points

from functionary_sgl.errors import UsageError
from functionary_sgl.turns.format import Format
from functionary_sgl.turns.formats.glm import GLM_45, GLM_47, LING_3
from functionary_sgl.turns.formats.harmony import FORMAT as GPT_OSS
from functionary_sgl.turns.formats.kimi_k2 import FORMAT as KIMI_K2
from functionary_sgl.turns.formats.llama3_json import FORMAT as LLAMA3_JSON
from functionary_sgl.turns.formats.minimax import FORMAT as MINIMAX
from functionary_sgl.turns.formats.mistral import FORMAT as MISTRAL
from functionary_sgl.turns.formats.mistral import V11, V13
from functionary_sgl.turns.formats.pythonic import LFM2, LLAMA4, OLMO3, PYTHONIC
from functionary_sgl.turns.formats.r1 import FORMAT as R1
from functionary_sgl.turns.formats.tool_call import (
    COGITO,
    GEMMA3,
    GRANITE,
    HERMES,
    QWEN25,
    R1_DISTILLED_QWEN,
)
from functionary_sgl.turns.formats.v1 import FORMAT as V1
from functionary_sgl.turns.formats.v2 import FORMAT as V2
from functionary_sgl.turns.formats.v2_llama3 import FORMAT as V2_LLAMA3
from functionary_sgl.turns.formats.v3_llama3 import FORMAT as V3_LLAMA3
from functionary_sgl.turns.formats.v3_llama3 import LLAVA
from functionary_sgl.turns.formats.v3_llama31 import FORMAT as V3_LLAMA31
from functionary_sgl.turns.formats.v3_llama31 import R1_DISTILLED_LLAMA, REASONING
from functionary_sgl.turns.formats.xlam import LLAMA as XLAM_LLAMA
from functionary_sgl.turns.formats.xlam import QWEN as XLAM_QWEN
from functionary_sgl.turns.formats.xml_call import QWEN3_CODER, SEED_OSS

ENTRY_POINTS = "functionary_sgl.formats"
"""The entry-point group for formats of other packages; each entry point is a Format."""

FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        *(V3_LLAMA3, V3_LLAMA31, V2_LLAMA3, V2, V1, REASONING, LLAVA),
        *(HERMES, GRANITE, QWEN3_CODER, SEED_OSS, MINIMAX, LLAMA3_JSON, MISTRAL, V11, V13),
        *(GLM_45, GLM_47, LING_3, GPT_OSS),
        *(KIMI_K2, PYTHONIC, LLAMA4, LFM2, OLMO3, XLAM_LLAMA, XLAM_QWEN),
        *(R1, R1_DISTILLED_LLAMA, R1_DISTILLED_QWEN, QWEN25, GEMMA3, COGITO),
    )
}


@cache
def formats() -> dict[str, Format]:
    """Ours and those that are installed, by name.

    Raises UsageError for an installed one that cannot be loaded, is no Format, or has the name of
    another.
    """
    found = dict(FORMATS)
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            format = entry.load()
        except Exception as error:  # whatever another package may raise when it is imported
            raise UsageError(f"the format {entry.value} cannot be loaded: {error}") from error
        if not isinstance(format, Format):
            raise UsageError(f"the entry point {entry.name} ({entry.value}) is no Format")
        if format.name in found:
            raise UsageError(f"the format {format.name} of {entry.value} exists already")
        found[format.name] = format
    return found

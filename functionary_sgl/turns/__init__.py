"""Turn programs: for each model family, how an assistant's turn is built.

A program is an SGLang function (`@sgl.function`) of a prompt and an offer. It is the only place
that knows a format's turn structure; `format.py` ties it to its template and its models.
"""

from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.v2 import FORMAT as V2
from functionary_sgl.turns.v2_llama3 import FORMAT as V2_LLAMA3
from functionary_sgl.turns.v3_llama3 import FORMAT as V3_LLAMA3
from functionary_sgl.turns.v3_llama31 import FORMAT as V3_LLAMA31

FORMATS: dict[str, Format] = {
    format.name: format for format in (V3_LLAMA3, V3_LLAMA31, V2_LLAMA3, V2)
}

__all__ = ["FORMATS", "Format", "Offer"]

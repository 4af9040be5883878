"""Turn programs: for each model family, how an assistant's turn is built.

A program is an SGLang function (`@sgl.function`) of a prompt and an offer. It is the only place
that knows a format's turn structure. `formats` has them all, a file each; `registry.py` lists them;
beside them is what they are made of: SGLang's `vocabulary.py`, and `steps.py` that many take.
"""

from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.registry import FORMATS

__all__ = ["FORMATS", "Format", "Offer"]

"""Turn programs: for each model family, how an assistant's turn is built.

A program is an SGLang function (`@sgl.function`) of a prompt and an offer. It is the only place
that knows a format's turn structure; `format.py` ties it to its template and its models.
"""

from functionary_sgl.turns.format import Format
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.registry import FORMATS

__all__ = ["FORMATS", "Format", "Offer"]

"""JSON Schemas from clients: bounded, checked, and split into what a grammar enforces and what not.

Places inside a schema are JSON pointers (RFC 6901), from the schema's root: `/properties/a/not`.
"""

from functionary_sgl.schemas.enforce import Enforceable, enforceable

__all__ = ["Enforceable", "enforceable"]

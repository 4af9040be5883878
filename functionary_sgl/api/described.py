"""Bodies of requests in the OpenAPI document: FastAPI cannot see what `bodies.parsed` reads."""

from typing import Any

from functionary_sgl.api.bodies import Body


def takes(schema: dict[str, Any]) -> dict[str, Any]:
    """What a route's `openapi_extra` says of its body, which has to follow `schema`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def reference(kind: type[Body]) -> dict[str, Any]:
    """The schema of `kind`, which the document has among its components."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}

"""POST /v1/load_lora_adapter and /v1/unload_lora_adapter, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field
from starlette.responses import PlainTextResponse

from functionary_sgl.api.bodies import Body, parsed
from functionary_sgl.api.callers import require_admin_or_own_machine
from functionary_sgl.api.described import takes
from functionary_sgl.api.limits import MAX_ADAPTER_NAME, MAX_ADAPTER_PATH
from functionary_sgl.errors import RequestError
from functionary_sgl.model import Model

router = APIRouter(dependencies=[Depends(require_admin_or_own_machine)])


class LoadRequest(Body):
    """An adapter in a directory of the server's, and the name that requests will have for it."""

    model_config = ConfigDict(extra="forbid")

    lora_name: Annotated[str | None, Field(max_length=MAX_ADAPTER_NAME)] = None
    lora_path: Annotated[str | None, Field(max_length=MAX_ADAPTER_PATH)] = None


class UnloadRequest(Body):
    """An adapter by its name. A number may be there too, as vLLM's clients send it."""

    model_config = ConfigDict(extra="forbid")

    lora_name: str | None = None
    lora_int_id: int | None = None


@router.post("/v1/load_lora_adapter", openapi_extra=takes(LoadRequest.model_json_schema()))
async def load(request: Request) -> PlainTextResponse:
    """Load an adapter, and check that the model can answer with it."""
    asked = await parsed(request, LoadRequest.from_json)
    if not asked.lora_name or not asked.lora_path:
        raise RequestError(
            "Both 'lora_name' and 'lora_path' must be provided.",
            "lora_path" if asked.lora_name else "lora_name",
        )
    model: Model = request.app.state.model
    await model.adapters.load(model.engine, asked.lora_name, asked.lora_path)
    return PlainTextResponse(f"Success: LoRA adapter '{asked.lora_name}' added successfully.")


@router.post("/v1/unload_lora_adapter", openapi_extra=takes(UnloadRequest.model_json_schema()))
async def unload(request: Request) -> PlainTextResponse:
    """Unload an adapter, when the last of its turns has ended; it gets no new ones."""
    asked = await parsed(request, UnloadRequest.from_json)
    if not asked.lora_name:
        raise RequestError(
            "either 'lora_name' and 'lora_int_id' needs to be provided."
            if asked.lora_int_id is None
            else "This server knows adapters by name only; give its 'lora_name'.",
            "lora_name",
        )
    model: Model = request.app.state.model
    await model.adapters.unload(model.engine, asked.lora_name)
    return PlainTextResponse(f"Success: LoRA adapter '{asked.lora_name}' removed successfully.")

"""What the server counts, in Prometheus' terms; `GET /metrics` tells it."""

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry()

CALLS = Counter("functionary_calls", "Function calls in answers.", registry=REGISTRY)

CALLS_NOT_OFFERED = Counter(
    "functionary_calls_not_offered",
    "Those of functions that the request did not offer.",
    registry=REGISTRY,
)

INVALID_ARGUMENTS = Counter(
    "functionary_invalid_arguments",
    "Calls whose arguments are not JSON ('json') or break their schema ('schema'), or were not "
    "checked for want of time ('unchecked'); without those that max_tokens cut short.",
    ["reason"],
    registry=REGISTRY,
)

UNENFORCED_SCHEMAS = Counter(
    "functionary_unenforced_schemas",
    "Schemas in requests that were answered without enforcing every keyword.",
    registry=REGISTRY,
)

REFUSED_SCHEMAS = Counter(
    "functionary_refused_schemas", "Requests refused for a schema.", registry=REGISTRY
)

ENGINE_REQUESTS = Counter(
    "functionary_engine_requests",
    "Requests to the engine, of which a turn has some.",
    registry=REGISTRY,
)

ENGINE_PASSES = Counter(
    "functionary_engine_passes",
    "Passes of the model that these requests took part in, the reading of the prompt as one.",
    registry=REGISTRY,
)

"""What the server counts, in Prometheus' terms; `GET /metrics` tells it, and docs/observability.md
what it means. Nothing here is counted for each token."""

import platform
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

# A series beside each that says when it began: three for two, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

ProcessCollector(registry=REGISTRY)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300)
_SECONDS_A_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2.5)
_SECONDS_OF_A_TRIAL = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30)
_TOKENS = tuple(2**power for power in range(0, 18))

BUILD = Info("functionary_build", "Versions of what serves.", registry=REGISTRY)
BUILD.info(
    {
        "version": version("functionary-sgl"),
        "sglang": version("sglang"),
        "python": platform.python_version(),
    }
)

REQUESTS = Counter(
    "functionary_requests",
    "HTTP requests that are over, by endpoint ('other': none of this server's), status and the "
    "name of the key; status 499: its client left before there was one.",
    ["endpoint", "status", "key"],
    registry=REGISTRY,
)

REQUEST_SECONDS = Histogram(
    "functionary_request_seconds",
    "From a request to the end of its answer.",
    ["endpoint"],
    buckets=_SECONDS,
    registry=REGISTRY,
)

FIRST_TOKEN = Histogram(
    "functionary_time_to_first_token_seconds",
    "From a request to the first text of its answer, or of the arguments of a call.",
    buckets=_SECONDS,
    registry=REGISTRY,
)

PER_OUTPUT_TOKEN = Histogram(
    "functionary_time_per_output_token_seconds",
    "Of an answer, behind its first token: how long one took.",
    buckets=_SECONDS_A_TOKEN,
    registry=REGISTRY,
)

PROMPT_TOKENS = Histogram(
    "functionary_prompt_tokens",
    "Of a request that was answered.",
    buckets=_TOKENS,
    registry=REGISTRY,
)

CACHED_TOKENS = Histogram(
    "functionary_cached_tokens",
    "Of its prompt, those that the engine found in its prefix cache.",
    buckets=(0, *_TOKENS),
    registry=REGISTRY,
)

COMPLETION_TOKENS = Histogram(
    "functionary_completion_tokens",
    "Of all its answers.",
    buckets=_TOKENS,
    registry=REGISTRY,
)

TURNS = Counter(
    "functionary_turns",
    "Answers that are over, of which a request has n, by the mode of tool_choice and by outcome: "
    "stop, length, tool_calls; failed; left (given up by whoever waited).",
    ["tool_choice", "outcome"],
    registry=REGISTRY,
)

ADAPTER_TURNS = Counter(
    "functionary_adapter_turns",
    "Answers that were begun by a LoRA adapter.",
    ["adapter"],
    registry=REGISTRY,
)

TURN_GRAMMARS = Counter(
    "functionary_turn_grammars",
    "Answers that were begun, by whether one grammar for the whole turn was used: yes, no.",
    ["used"],
    registry=REGISTRY,
)

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

GATE_SECONDS = Histogram(
    "functionary_gate_seconds",
    "How long the tools of a request took at the gate for schemas.",
    buckets=_SECONDS_OF_A_TRIAL,
    registry=REGISTRY,
)

SCHEMAS = Counter(
    "functionary_schemas",
    "Schemas of tools at the gate, by verdict (enforced; partly: not every keyword; refused) and "
    "by whether the verdict was remembered: yes, no.",
    ["verdict", "remembered"],
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

ENGINE_RETRIES = Counter(
    "functionary_engine_retries",
    "Those that were sent again, since an engine elsewhere was lost before its first token came.",
    registry=REGISTRY,
)

ANSWERS_AGAIN = Counter(
    "functionary_answers_again",
    "Answers, not streamed, that were begun anew, since an engine elsewhere was lost in one.",
    registry=REGISTRY,
)

ENGINE_FAILURES = Counter(
    "functionary_engine_failures",
    "Those that an engine elsewhere failed to answer, each time that one was sent, by reason: "
    "unreachable, status (of HTTP), silent, cut (off), nonsense.",
    ["reason"],
    registry=REGISTRY,
)

ENGINE_PASSES = Counter(
    "functionary_engine_passes",
    "Passes of the model that these requests took part in, the reading of the prompt as one.",
    registry=REGISTRY,
)

ACCEPTED_DRAFT_TOKENS = Counter(
    "functionary_accepted_draft_tokens",
    "Tokens of answers that were proposed before the model computed them, and proved right.",
    registry=REGISTRY,
)

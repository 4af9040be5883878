"""The server as users start it, with some additions for tests.

Under /native is SGLang's own HTTP application on the very same engine, for SGLang's own
interpreter to talk to; /held counts the requests that the engine holds; /logprobs gives the chunks
of a short generation after the given ids, with log-probabilities. Under /as/NAME the same engine is
served with another format (`dressed.py`), and with `tool-call`, the program of Qwen's models with
the embedded model's control tokens; /as/off is the server with `--constraints off`. /violations
lists what was sent against OpenAI's contract since it was last asked.
"""

import faulthandler
import sys
from dataclasses import replace
from typing import Any

from functionary_sgl.api.app import create_app
from functionary_sgl.api.keys import Keyring
from functionary_sgl.cli import main, server
from functionary_sgl.engines.base import Request, Sampling, TurnContext
from functionary_sgl.turns import FORMATS
from functionary_sgl.turns.formats import tool_call
from tests.contract import Contract
from tests.engine import dressed

TOOL_CALL = replace(
    FORMATS["v3-llama3.1"],
    name="tool-call",
    program=tool_call.program("<|eot_id|>"),
    template=FORMATS["v3-llama3.1"].template_text,
    trims_text=True,
)
OTHERS = FORMATS | {TOOL_CALL.name: TOOL_CALL}


def with_native_routes(create_app: Any) -> Any:
    def create(model: Any, keys: Keyring, *bounds: Any) -> Any:
        from sglang.srt.entrypoints import http_server

        engine = model.engine._engine
        manager = engine.tokenizer_manager
        info = engine._scheduler_init_result.scheduler_infos[0]
        state = http_server._GlobalState(manager, engine.template_manager, info)
        http_server.set_global_state(state)
        app = create_app(model, keys, *bounds)
        app.mount("/native", http_server.app)
        app.add_api_route("/held", lambda: len(manager.rid_to_state))

        async def logprobs(ids: str) -> Any:
            request = Request(
                token_ids=[int(token_id) for token_id in ids.split(",")],
                max_tokens=4,
                turn=TurnContext("t", 0),
                sampling=Sampling(temperature=0),
                top_logprobs=2,
            )
            return [chunk async for chunk in model.engine.generate(request)]

        app.add_api_route("/logprobs", logprobs)
        for name, format in OTHERS.items():
            other = replace(model, prompter=dressed.prompter(format))
            app.mount(f"/as/{name}", create_app(other, keys))
        app.mount("/as/off", create_app(replace(model, constraints="off"), keys))
        contract = Contract(app)

        def violations() -> list[str]:
            found, contract.violations = contract.violations, []
            return found

        app.add_api_route("/violations", violations)
        return contract

    return create


if __name__ == "__main__":
    faulthandler.enable()  # SIGABRT has it say what its threads do
    server.create_app = with_native_routes(create_app)  # type: ignore[attr-defined]
    sys.exit(main(["serve", *sys.argv[1:]]))

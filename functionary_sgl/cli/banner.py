"""What the server says on the terminal when it is ready."""

import json
import socket

from functionary_sgl.model import Model


def banner(model: Model, listener: socket.socket, tls: bool) -> dict[str, str]:
    """What is served, where, and how to try it: a few lines."""
    host, port = listener.getsockname()[:2]
    base = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    body = {"model": model.names[0], "messages": [{"role": "user", "content": "Hi!"}]}
    return {
        "model": ", ".join([*model.names, *model.adapters]),
        "template": f"{model.prompter.format.name} ({model.reason})",
        "address": f"{base}/v1",
        "try": f"curl {base}/v1/chat/completions -H 'Content-Type: application/json' "
        f"-d '{json.dumps(body)}'",
    }

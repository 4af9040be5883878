"""`functionary-sgl engine`: an engine alone, for servers on other machines."""

from collections.abc import Sequence

from functionary_sgl.cli import engine_flags, flags, keys, logs
from functionary_sgl.cli.engine_flags import VARIABLE
from functionary_sgl.cli.listener import bind
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter

PORT = 30000
"""SGLang's own."""


def serve_engine(argv: Sequence[str]) -> int:
    """Serve requests of `functionary-sgl serve --engine-url` until SIGTERM; the exit code."""
    key = engine_flags.taken_key()
    parser = _parser()
    options, others = parser.parse_known_args(flags.from_environment(parser) + list(argv))
    logs.begin(options)
    _check(options.host, options.port, key, options.no_auth)
    options.model_path = options.model_path or str(checkpoint.EMBEDDED)
    loaded = checkpoint.load(options.tokenizer_path or options.model_path)
    found = detect.chosen(loaded, options.template)
    prompter = Prompter(found.format, loaded.tokenizer, loaded.template)
    with logs.json_of_children(options):
        arguments = engine_flags.of_sglang(parser, options, others)
        from functionary_sgl.engines.sglang import http_server

        address = f"http://{options.host}:{options.port}"
        logs.tell(f"loading {options.model_path}, to be asked at {address}")
        http_server.run(
            arguments,
            prompter.tokenizer,
            options.grammar_cache_mb,
            prompter.image_token_id,
            engine_flags.drafts(options),
            options.engine_timeout,
            key,
        )
    return 0


def _parser() -> flags.Parser:
    parser = flags.Parser(
        prog="functionary-sgl engine",
        description="Serve an engine for functionary-sgl serve --engine-url on other machines.",
        epilog="Every flag of SGLang's server is taken too.",
    )
    add = parser.add_argument
    engine_flags.add(parser)
    add("--host", default="127.0.0.1", help="default: 127.0.0.1")
    add("--port", type=flags.port, metavar="N", default=PORT, help=f"default: {PORT}")
    add("--no-auth", action="store_true", help="let everyone in who can reach the engine")
    logs.add_flags(parser)
    return parser


def _check(host: str, port: int, key: str | None, no_auth: bool) -> None:
    """UsageError where the address cannot be had, or strangers would be let in unasked."""
    with bind(host, port) as listener:
        address = listener.getsockname()[0]
    if key is not None and no_auth:
        raise UsageError(f"--no-auth lets everyone in, and {VARIABLE} does not: give one of them")
    if key is None and not no_auth and not keys.is_loopback(address):
        raise UsageError(
            f"anyone who can reach {host} port {port} could use this engine: set {VARIABLE}, for "
            "its servers too, or give --no-auth where nobody else is in its network"
        )

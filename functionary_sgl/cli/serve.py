"""`functionary-sgl serve`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from functionary_sgl import files, tracing
from functionary_sgl.adapters import Adapters
from functionary_sgl.admission import Admission
from functionary_sgl.api.keys import Keyring
from functionary_sgl.cli import engine_flags, flags, http_flags, keys, logs, progress, storing, tls
from functionary_sgl.cli.listener import allow_files, bind
from functionary_sgl.cli.loading import Answering
from functionary_sgl.cli.rereading import Rereading
from functionary_sgl.cli.server import run
from functionary_sgl.engines.base import Engine
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.engines.sglang.engine import SGLangEngine
from functionary_sgl.errors import UsageError
from functionary_sgl.model import Model
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer

if TYPE_CHECKING:  # it has a client for HTTP, which takes half a second to import
    from functionary_sgl.engines.remote.engine import RemoteEngine

EMBEDDED_NAME = "functionary-nano"

WAITING_FOR_EACH = 4
"""How many turns may wait for each that may run, by default: the last of them waits for about as
many turns as that to end, and nobody wants to wait longer."""


def serve(argv: Sequence[str]) -> int:
    """Serve a model over HTTP until SIGINT or SIGTERM; the exit code, 1 if the engine died.

    What can be wrong is looked at in the order of what it costs to find out: flags, the address,
    the model's files, and last the engine.
    """
    parser = _parser()
    variables = keys.Variables.taken()
    engine_key = engine_flags.taken_key()
    options, others = parser.parse_known_args(flags.from_environment(parser) + list(argv))
    source = keys.Source.of(options, variables)
    found = source.read()
    check(options, others)
    logs.begin(options)
    tls.check(options)
    allow_files(options.max_connections)
    with bind(options.host, options.port) as listener, tracing.exported(options.otlp_endpoint):
        keys.check(options, found, listener.getsockname()[0])
        for warning in keys.warnings(options):
            logs.tell(warning)
        rereading = Rereading(source, Keyring(found))
        loading = Answering(listener, options)
        with closing(storing.opened(options)) as store, closing(loading):
            with logs.json_of_children(options):
                model = _model(parser, options, others, engine_key, loading.start)
            logs.begin(options)
            return run(model, options, listener, rereading, store, loading)


def _model(
    parser: flags.Parser,
    options: argparse.Namespace,
    others: Sequence[str],
    engine_key: str | None,
    waiting: Callable[[], None],
) -> Model:
    """The model with its engine; `waiting` is called before that is waited for."""
    embedded = str(checkpoint.EMBEDDED)
    loaded = checkpoint.load(options.tokenizer_path or options.model_path or embedded)
    found = detect.chosen(loaded, options.template)
    if options.engine == "scripted":
        flags.warn_of_unknown([parser])
        tokenizer = loaded.tokenizer.with_control(found.format.control_tokens)
        prompter = Prompter(found.format, tokenizer, loaded.template)
        engine: Engine = _scripted(options, prompter.tokenizer)
        adapters: Mapping[str, str] = {}
    elif options.engine_url:
        flags.warn_of_unknown([parser])
        prompter = Prompter(found.format, loaded.tokenizer, loaded.template)
        waiting()
        engine = remote = _remote(options, engine_key, prompter.tokenizer, loaded.directory)
        adapters = remote.adapters
    else:
        options.model_path = options.model_path or embedded
        prompter = Prompter(found.format, loaded.tokenizer, loaded.template)
        if _is_alone(others):
            waiting()
        engine = started = _sglang(parser, options, others, prompter)
        adapters = started.adapters
    return Model(
        names=_names(options),
        prompter=prompter,
        engine=engine,
        reason=found.reason,
        defaults=loaded.generation_defaults,
        constraints=options.constraints,
        adapters=Adapters(adapters, _names(options), options.lora_dirs),
        max_output_tokens=options.max_output_tokens,
        admission=_admission(options, engine.most_running, engine.most_waiting),
    )


def _is_alone(others: Sequence[str]) -> bool:
    """Whether SGLang's flags, which a file may give too, say nothing of other machines: on those
    that are not the first, it answers on this one's address."""
    names = {one.partition("=")[0] for one in others}
    return names.isdisjoint({"--node-rank", "--config"})


def _admission(
    options: argparse.Namespace, most_running: int | None, most_waiting: int | None
) -> Admission:
    """As flags say; where they do not, as the engine does."""
    if options.max_running_turns is not None:
        most_running = options.max_running_turns
    if options.max_waiting_turns is not None:
        most_waiting = options.max_waiting_turns
    if most_waiting is None and most_running is not None:
        most_waiting = WAITING_FOR_EACH * most_running
    return Admission(most_running, most_waiting)


def parser(command: str, description: str) -> flags.Parser:
    """A parser of the flags of `serve`, for a command that takes them."""
    parser = flags.Parser(
        prog=f"functionary-sgl {command}",
        description=description,
        epilog="Every flag of SGLang's server is taken too (they are listed by python -m "
        "sglang.launch_server --help). Each flag can be set in the environment: "
        "FUNCTIONARY_MODEL_PATH for --model-path.",
    )
    add = parser.add_argument
    engine_flags.add(parser)
    add("--host", default="127.0.0.1", help="default: 127.0.0.1")
    add("--port", type=flags.port, metavar="N", default=8000, help="default: 8000")
    keys.add_flags(parser)
    http_flags.add_flags(parser)
    storing.add_flags(parser)
    logs.add_flags(parser)
    add("--ssl-keyfile", metavar="FILE", help="serve HTTPS with this key ...")
    add("--ssl-certfile", metavar="FILE", help="... and this certificate")
    add(
        "--constraints",
        choices=("off", "names", "schema"),
        default="schema",
        help="what of a call is enforced if its tool is not strict: nothing, the function's name "
        "and arguments in JSON, or their schema too (default)",
    )
    add(
        "--max-output-tokens",
        type=flags.positive,
        metavar="N",
        help="most tokens of an answer, whatever a request asks for; default: what the context "
        "holds",
    )
    add(
        "--max-running-turns",
        type=flags.positive,
        metavar="N",
        help="turns beyond that wait, and are let in fairly between keys; default: what the engine "
        "can hold",
    )
    add(
        "--max-waiting-turns",
        type=flags.count,
        metavar="N",
        help="beyond that, requests are sent away with a 429; default: "
        f"{WAITING_FOR_EACH} for each that may run",
    )
    add(
        "--lora-dirs",
        nargs="+",
        metavar="DIR",
        help="where adapters may be loaded from while the server runs; default: anywhere on this "
        "machine",
    )
    add(
        "--turn-grammars",
        choices=("on", "off"),
        default="on",
        help="ask the engine for names and arguments of a turn in one request; default: on",
    )
    add("--engine", choices=("sglang", "scripted"), default="sglang", help="default: sglang")
    add(
        "--engine-url",
        nargs="+",
        metavar="URL",
        help="ask an engine on another machine (functionary-sgl engine), or a router before "
        "several; with several URLs, SGLang's router is started before them",
    )
    add("--script", metavar="FILE", help="what --engine scripted replays")
    return parser


def _parser() -> flags.Parser:
    return parser("serve", "Serve a model over HTTP.")


def check(options: argparse.Namespace, others: Sequence[str]) -> None:
    """UsageError for flags that do not go together; `others` are not ours."""
    if options.engine_url:
        engine_flags.check_elsewhere(options, others)
    if options.engine == "scripted":
        if others:
            # Without its value, which may be a key.
            raise UsageError(f"unknown flag {others[0].partition('=')[0]} (with --engine scripted)")
        if options.script is None:
            raise UsageError("--engine scripted needs --script FILE, the turns to replay")
        if options.lora_modules:
            raise UsageError("--engine scripted has no use for --lora-modules")
        if options.lora_dirs:
            raise UsageError("--engine scripted has no use for --lora-dirs")
    elif options.script is not None:
        raise UsageError("--script is for --engine scripted")
    for directory in options.lora_dirs or ():
        if not files.is_directory(Path(directory)):
            raise UsageError(f"--lora-dirs: there is no directory {directory}")


def _names(options: argparse.Namespace) -> tuple[str, ...]:
    """The model's name in requests; its path is one too, so that the README's clients work."""
    path = options.model_path
    own = EMBEDDED_NAME if path in (None, str(checkpoint.EMBEDDED)) else path
    return tuple(dict.fromkeys([options.served_model_name or own, own]))


def _scripted(options: argparse.Namespace, tokenizer: Tokenizer) -> ScriptedEngine:
    script = Script.from_file(Path(options.script))
    return ScriptedEngine(script, tokenizer, options.context_length or 8192)


def _remote(
    options: argparse.Namespace, key: str | None, tokenizer: Tokenizer, directory: Path
) -> "RemoteEngine":
    from functionary_sgl.engines.remote.start import start

    engine = start(options.engine_url, key, directory, tokenizer, logs.tell, options.engine_timeout)
    engine.takes_turns &= options.turn_grammars == "on"
    return engine


def _sglang(
    parser: flags.Parser, options: argparse.Namespace, others: Sequence[str], prompter: Prompter
) -> SGLangEngine:
    """SGLang. A model that has fewer ids than the tokenizer of `prompter` is another one's."""
    from functionary_sgl.engines.sglang import launch

    engine = launch.start(
        engine_flags.of_sglang(parser, options, others),
        prompter.tokenizer,
        options.grammar_cache_mb,
        prompter.image_token_id,
        engine_flags.drafts(options),
        options.engine_timeout,
        loading=progress.told(f"loading {options.model_path}"),
    )
    engine.takes_turns &= options.turn_grammars == "on"
    most = prompter.tokenizer.most_id
    if most >= engine.vocabulary_size:
        raise UsageError(
            f"the tokenizer has ids up to {most}, the model {engine.vocabulary_size} ids: they do "
            "not belong together"
        )
    return engine

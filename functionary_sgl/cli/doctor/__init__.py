"""`functionary-sgl doctor`: will this machine, this model and this configuration do?

Nothing is started and nothing left behind, so it may be asked beside a running server; that one's
address is taken then.
"""

from collections.abc import Iterable, Sequence

from functionary_sgl.cli import flags, serve
from functionary_sgl.cli.doctor import configuration, engines, model
from functionary_sgl.cli.doctor.finding import Finding
from functionary_sgl.cli.doctor.machine import Machine
from functionary_sgl.prompt import checkpoint


def diagnose(argv: Sequence[str]) -> int:
    """Print what is found about a server with these flags, which are those of `serve`; 1 if one
    thing at least would keep it from working, else 0."""
    parser = serve.parser("doctor", "Tell whether a server with these flags would work here.")
    options, others = parser.parse_known_args(flags.from_environment(parser) + list(argv))
    machine = Machine()
    path = options.model_path or str(checkpoint.EMBEDDED)
    parts = {
        "machine": machine.findings(options.max_connections),
        "model": model.findings(
            path, options.tokenizer_path, options.template, machine, not options.engine_url
        ),
        "configuration": configuration.findings(options, others),
        "engines": engines.findings(options),
    }
    wrong = sum(_print(name, findings) for name, findings in parts.items())
    print(f"\n{wrong} of these would keep the server from working" if wrong else "\nall is well")
    return int(wrong > 0)


def _print(name: str, findings: Iterable[Finding]) -> int:
    """How many of them are wrong."""
    wrong = 0
    print(name)
    for found in findings:
        print(f"  {found.verdict:5}  {found.what:13}  {found.told}", flush=True)
        wrong += found.verdict == "wrong"
    return wrong

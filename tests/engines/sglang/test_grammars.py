"""What schedulers tell of the grammars that they keep."""

import multiprocessing

from functionary_sgl.engines.sglang.grammars import Grammars


def keep(grammars: Grammars, rank: int) -> None:
    kept = grammars.place(rank)
    kept.hold(rank + 1, 100)
    kept.count(hit=True)
    kept.count(hit=False)
    kept.count(hit=False)


def test_they_are_summed_over_processes() -> None:
    grammars = Grammars(2)
    context = multiprocessing.get_context("spawn")
    schedulers = [context.Process(target=keep, args=(grammars, rank)) for rank in range(2)]
    for scheduler in schedulers:
        scheduler.start()
    for scheduler in schedulers:
        scheduler.join()
    told = {metric.name: metric.samples[0].value for metric in grammars.metrics()}
    assert told == {
        "functionary_engine_grammars": 3,
        "functionary_engine_grammar_bytes": 200,
        "functionary_engine_grammar_hits": 2,
        "functionary_engine_grammar_misses": 4,
    }

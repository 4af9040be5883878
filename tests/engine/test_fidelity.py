"""Where the model's own answer is right, the constraint changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks.fidelity.causes import difference
from functionary_sgl.evaluation import questions
from functionary_sgl.evaluation.client import Client
from functionary_sgl.evaluation.scores import score
from tests.engine.conftest import RunningEngine

PER_CATEGORY = 2


def test_valid_answers_are_not_changed(engine: RunningEngine) -> None:
    """Streamed, and of every kind of question; those whose free answers break a schema do not
    count."""
    asked = questions.read(questions.HELD_OUT, PER_CATEGORY)
    urls = (f"{engine.url}/as/off/v1", f"{engine.url}/v1")
    answers = []
    for url in urls:
        with closing(Client(url, "none")) as client, ThreadPoolExecutor(8) as pool:
            requests = [question.request | {"temperature": 0} for question in asked]
            answers.append(list(pool.map(client.ask, requests)))
    told = [
        (question, free, constrained)
        for question, free, constrained in zip(asked, *answers, strict=True)
        if score(question, free).valid is not False
    ]
    assert len(told) > 0.9 * len(asked)
    assert [one for one in told if difference(*one) is not None] == []

"""A model whose weights give no numbers is not served."""

from tests.engine.conftest import RunningEngine


def test_weights_that_give_no_numbers_end_the_start(numberless: RunningEngine) -> None:
    # The output has an end only when no process of the engine holds it any more.
    out, _ = numberless.process.communicate(timeout=120)
    log = numberless.log.read_text()
    assert numberless.process.returncode == 2, log
    assert out == ""
    assert log.splitlines()[-1].startswith("functionary-sgl: the model's weights give no numbers")
    assert "Traceback" not in log

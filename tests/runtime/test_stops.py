from functionary_sgl.runtime.stops import Stops
from functionary_sgl.runtime.text import StopMatcher
from tests.formats import PROMPTERS

TOKENIZER = PROMPTERS["r1"].tokenizer
END = "<｜tool▁call▁end｜>"


def test_a_control_token_in_a_stop_string_is_an_id() -> None:
    stops = Stops.of(TOKENIZER, [f"\n```{END}"], ["stop"])
    ((token_id, mark),) = stops.marks.items()
    assert token_id == TOKENIZER.control_ids[END]
    matcher = StopMatcher(stops.searched)
    assert matcher.feed(f"x\n```{END}") == f"x\n```{END}"
    assert matcher.feed("\n``") + matcher.feed("`") == ""
    assert matcher.feed(mark) == ""
    assert matcher.matched is not None
    assert stops.given[matcher.matched] == f"\n```{END}"


def test_the_token_alone_ends_it_too() -> None:
    stops = Stops.of(TOKENIZER, [f"\n```{END}"], [])
    matcher = StopMatcher(stops.searched)
    matcher.feed("x" + stops.marks[TOKENIZER.control_ids[END]])
    assert matcher.matched is not None
    assert stops.given[matcher.matched] == END


def test_an_engine_is_told_of_texts_only() -> None:
    stops = Stops.of(TOKENIZER, [END, "text"], [f"of clients, {END}"])
    assert set(stops.texts) == {"text", f"of clients, {END}"}

"""How many turns run where nobody says it."""

import pytest

from functionary_sgl.engines.generate.capacity import most_running


@pytest.mark.parametrize(
    ("flag", "tokens", "copies", "turns"),
    [
        (None, 51_200, 1, 100),
        (None, 51_200, 2, 200),
        (None, 100, 1, 1),
        (7, 51_200, 2, 7),
    ],
)
def test_it_follows_from_the_flag_or_the_cache(
    flag: int | None, tokens: int, copies: int, turns: int
) -> None:
    assert most_running(flag, tokens, copies) == turns

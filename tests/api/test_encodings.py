"""Bodies that come compressed."""

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from backports import zstd

from functionary_sgl.api import bodies
from functionary_sgl.api.encodings import PIECE_BYTES, unpacked
from functionary_sgl.errors import RequestError
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

ASK = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi é"}]}).encode()
MIB = 2**20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd.compress),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})) as served:
        yield served
        assert bodies._ROOM.taken == 0


def post(served: Served, body: bytes, coding: str) -> httpx.Response:
    headers = {"content-encoding": coding}
    return served.http.post("/v1/chat/completions", content=body, headers=headers)


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_they_are_read(served: Served, coding: str, pack: Callable[[bytes], bytes]) -> None:
    assert post(served, pack(ASK), coding).status_code == 200
    long = ASK.replace(b"Hi", b"Hi " * 2000)
    assert post(served, pack(long), coding.upper()).status_code == 200


@pytest.mark.parametrize("coding", ["identity", "", "x-gzip", "identity, gzip", "gzip,"])
def test_other_spellings(served: Served, coding: str) -> None:
    body = gzip.compress(ASK) if "gzip" in coding else ASK
    assert post(served, body, coding).status_code == 200


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, gzip", "aws-chunked", "é"])
def test_what_is_not_known_is_a_415_with_what_is(served: Served, coding: str) -> None:
    response = post(served, ASK, coding.encode())  # type: ignore[arg-type]
    assert response.status_code == 415
    assert "gzip, deflate, zstd" in response.json()["error"]["message"]


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_a_bomb_is_a_413_before_it_takes_memory(
    served: Served, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(b" " * (600 * MIB)) if coding == "zstd" else pack(b" " * (64 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        assert post(served, bomb, coding).status_code == 413
        assert tracemalloc.get_traced_memory()[1] < 80 * MIB
    finally:
        tracemalloc.stop()
    many = pack(b"[" + b"{}," * 100_000)
    assert post(served, many, coding).status_code == 413


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
def test_what_is_damaged_is_a_400(
    served: Served, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(ASK)
    for damaged in (packed[:-1], packed[:9], b"", packed + packed, packed + b"\0", b"\x08" + ASK):
        response = post(served, damaged, coding)
        assert response.status_code == 400
        assert coding in response.json()["error"]["message"]


def test_a_window_larger_than_http_has_is_not_kept() -> None:
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.strategy: 9}
    packed = zstd.compress(random.Random(0).randbytes(MIB) * 30, options=options)
    with pytest.raises(RequestError, match="memory"):
        list(unpacked(packed, "zstd"))


@pytest.mark.parametrize(("coding", "pack"), PACKERS)
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 7])
def test_pieces_are_the_whole(coding: str, pack: Callable[[bytes], bytes], size: int) -> None:
    for whole in (random.Random(size).randbytes(size), b"x" * size):
        pieces = list(unpacked(pack(whole), coding))
        assert b"".join(pieces) == whole
        assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_none_where_nobody_reads_it(served: Served, word: str) -> None:
    body = ASK[:-1] + f', "x_unread": [1, {{"a": {word}}}]}}'.encode()
    response = served.http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert "NaN" in response.json()["error"]["message"]
    quoted = ASK[:-1] + f', "x_unread": "a\\"{word}"}}'.encode()
    assert served.http.post("/v1/chat/completions", content=quoted).status_code == 200

"""HTTPS, and files that are none for it."""

import datetime
import json
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functionary_sgl.cli import main
from tests.paths import ROOT

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


class Pair:
    """A key and its certificate, as files."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.key, self.certificate = directory / "key.pem", directory / "certificate.pem"
        self._private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(1)
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2120, 1, 1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .sign(self._private, hashes.SHA256())
        )
        self.certificate.write_bytes(made.public_bytes(PEM))
        self.write_key(serialization.NoEncryption())

    def write_key(self, encryption: serialization.KeySerializationEncryption) -> None:
        self.key.write_bytes(self._private.private_bytes(PEM, PKCS8, encryption))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "tls")


@pytest.fixture
def script(tmp_path: Path) -> list[str]:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"replies": []}))
    return ["--engine", "scripted", "--script", str(file), "--port", "0"]


def refusal(capsys: pytest.CaptureFixture[str], *flags: object) -> str:
    argv = ["--engine", "scripted", "--script", "none", "--port", "0", *map(str, flags)]
    assert main(["serve", *argv]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_https_is_served(pair: Pair, script: list[str]) -> None:
    flags = ["--ssl-keyfile", str(pair.key), "--ssl-certfile", str(pair.certificate)]
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "server_sglang.py"), *script, *flags],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        address = [server.stdout.readline() for _ in range(4)][2]
        url = address.split()[-1].removesuffix("/v1").replace("127.0.0.1", "localhost")
        assert url.startswith("https://")
        trusted = ssl.create_default_context(cafile=pair.certificate)
        assert httpx.get(f"{url}/health", verify=trusted).status_code == 200
    finally:
        server.terminate()
        server.communicate(timeout=30)


def test_files_that_are_none_are_named(
    pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Pair(tmp_path / "other")
    text = tmp_path / "text.pem"
    text.write_text("nothing of the kind")
    for key, certificate, told in [
        ("/none", pair.certificate, "/none cannot be read"),
        (pair.key, "/none", "/none cannot be read"),
        (pair.key, tmp_path, f"{tmp_path} cannot be read"),
        (text, pair.certificate, f"cannot be served with {text}"),
        (pair.key, text, f"{text}: "),
        (other.key, pair.certificate, "KEY_VALUES_MISMATCH"),
    ]:
        assert told in refusal(capsys, "--ssl-keyfile", key, "--ssl-certfile", certificate)


def test_a_key_needs_its_certificate(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    assert "needs --ssl-certfile" in refusal(capsys, "--ssl-keyfile", pair.key)
    # Which may have the key in it, here it has not.
    assert str(pair.certificate) in refusal(capsys, "--ssl-certfile", pair.certificate)


def test_a_key_with_a_password_is_refused(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    """The library would ask the terminal, which a server has not."""
    pair.write_key(serialization.BestAvailableEncryption(b"secret"))
    flags = ["--ssl-keyfile", pair.key, "--ssl-certfile", pair.certificate]
    assert f"{pair.key} has a password" in refusal(capsys, *flags)

import base64
import hashlib
import ssl
from pathlib import Path

from stack import certificates


def test_a_certificate_vouches_for_its_address(tmp_path: Path) -> None:
    certificate, key = certificates.for_address("127.0.0.1")
    (tmp_path / "c.pem").write_text(certificate)
    (tmp_path / "k.pem").write_text(key)
    ssl.create_default_context(cafile=tmp_path / "c.pem")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    assert certificates.for_address("127.0.0.1")[1] != key


def test_a_hash_is_salted_and_of_the_password() -> None:
    first, second = certificates.hashed("open"), certificates.hashed("open")
    assert first != second
    rounds, salt, digest = first.removeprefix("{PBKDF2}").split("$")
    wanted = hashlib.pbkdf2_hmac("sha512", b"open", base64.b64decode(salt), int(rounds), 32)
    assert base64.b64decode(digest) == wanted

from pathlib import Path

import pytest

from stack import java
from stack.account import Account
from stack.errors import InstallationError

GOOD = 'JAVA_VERSION="25.0.3"\nMODULES="java.base jdk.incubator.vector jdk.jlink"\n'


def jdk(home: Path, release: str | None = GOOD) -> Path:
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text("")
    program.chmod(0o755)
    if release is not None:
        (home / "release").write_text(release)
    return home


@pytest.mark.parametrize(
    ("release", "fault"),
    [
        ({"JAVA_VERSION": "21", "MODULES": "jdk.jlink jdk.incubator.vector"}, None),
        ({"JAVA_VERSION": "25.0.3", "MODULES": "a jdk.incubator.vector jdk.jlink b"}, None),
        (
            {"JAVA_VERSION": "17.0.15", "MODULES": "jdk.jlink jdk.incubator.vector"},
            "version 17.0.15 is too old",
        ),
        ({"JAVA_VERSION": "1.8.0_452"}, "version 1.8.0_452 is too old"),
        ({}, "version unknown is too old"),
        ({"JAVA_VERSION": "25", "MODULES": "jdk.jlink"}, "lacks jdk.incubator.vector"),
        ({"JAVA_VERSION": "25"}, "lacks jdk.incubator.vector, jdk.jlink"),
    ],
)
def test_what_serves(release: dict[str, str], fault: str | None) -> None:
    assert java.fault_of(release) == fault


def test_the_users_choice_comes_first(tmp_path: Path, account: Account) -> None:
    chosen, other = jdk(tmp_path / "chosen"), jdk(tmp_path / "other")
    environ = {"ES_JAVA_HOME": str(chosen), "JAVA_HOME": str(other)}
    assert java.find(account, environ) == chosen


def test_a_choice_that_does_not_serve_is_passed_over(tmp_path: Path, account: Account) -> None:
    runtime, kit = jdk(tmp_path / "runtime", None), jdk(tmp_path / "kit")
    environ = {"ES_JAVA_HOME": str(runtime), "JAVA_HOME": str(kit)}
    assert java.find(account, environ) == kit


def test_the_newest_of_the_system_is_taken(
    tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("java-1.8.0-openjdk", "openjdk-17", "temurin-25-jdk", "java-21-openjdk"):
        jdk(tmp_path / name)
    monkeypatch.setattr(java, "INSTALLATIONS", tmp_path)
    assert java.find(account, {}).name == "temurin-25-jdk"


def test_without_one_the_error_lists_what_was_seen_and_what_to_do(
    tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "INSTALLATIONS", tmp_path / "empty")
    monkeypatch.setenv("PATH", "")
    old = jdk(tmp_path / "old", 'JAVA_VERSION="17.0.1"')
    environ = {"ES_JAVA_HOME": str(tmp_path / "gone"), "JAVA_HOME": str(old)}
    with pytest.raises(InstallationError) as raised:
        java.find(account, environ)
    message = str(raised.value)
    assert "JDK of version 21 or newer" in message
    assert "ES_JAVA_HOME" in message
    assert f"{old}: version 17.0.1 is too old" in message
    assert f"{tmp_path / 'gone'}: holds no bin/java" in message

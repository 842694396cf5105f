import os
from pathlib import Path

import pytest

from stack import packages
from stack.errors import InstallationError
from stack.packages import Requirement


def test_a_package_is_missing_when_its_file_is(tmp_path: Path) -> None:
    (tmp_path / "usr" / "lib" / "a" / "15").mkdir(parents=True)
    there = Requirement(package="there", pattern="usr/lib/a/*")
    gone = Requirement(package="gone", pattern="usr/lib/b/*")
    assert packages.missing([there, gone], root=tmp_path) == ["gone"]


def test_who_may_not_install_is_told_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/apt-get")
    with pytest.raises(InstallationError, match=r"sudo apt-get install .* one two$"):
        packages.install(["one", "two"], tmp_path / "log", print)


def test_another_system_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(InstallationError, match=r"missing: one. This is no Debian"):
        packages.install(["one"], tmp_path / "log", print)


def test_nothing_missing_does_nothing(tmp_path: Path) -> None:
    packages.install([], tmp_path / "log", pytest.fail)
    assert not (tmp_path / "log").exists()


def test_debian_is_kept_from_starting_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "POLICY", policy)
    with packages._services_stay_down():
        assert "exit 101" in policy.read_text()
        assert os.access(policy, os.X_OK)
    assert not policy.exists()


def test_the_administrators_own_rule_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("mine")
    monkeypatch.setattr(packages, "POLICY", policy)
    with packages._services_stay_down():
        assert policy.read_text() == "mine"
    assert policy.read_text() == "mine"

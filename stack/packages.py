"""Debian's packages that the stack and the tests need, installed where they are missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack import commands, java
from stack.account import service_account
from stack.errors import InstallationError
from stack.service import Progress

#: Debian asks this program before it starts a service that it has just installed.
POLICY: Final = Path("/usr/sbin/policy-rc.d")
_APT_ENVIRONMENT: Final = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A package, and the file that tells that it is there."""

    package: str
    pattern: str  # a glob from the root of the file system


SERVICES: Final = (
    Requirement(package="postgresql", pattern="usr/lib/postgresql/*/bin/initdb"),
    Requirement(package="rabbitmq-server", pattern="usr/lib/rabbitmq/bin/rabbitmq-server"),
)
BROWSER: Final = (
    Requirement(package="chromium", pattern="usr/bin/chromium"),
    Requirement(package="fonts-dejavu-core", pattern="usr/share/fonts/truetype/dejavu/*.ttf"),
)
#: The tests load the alert rules into it.
MONITORING: Final = (Requirement(package="prometheus", pattern="usr/bin/promtool"),)
#: Fetches the engine's archive; not needed once the engine is there.
MAVEN: Final = Requirement(package="maven", pattern="usr/bin/mvn")


def missing(requirements: Sequence[Requirement], *, root: Path = Path("/")) -> list[str]:
    """The packages whose file is not there."""
    return [r.package for r in requirements if not any(root.glob(r.pattern))]


def install(packages: Sequence[str], log: Path, progress: Progress) -> None:
    """Install packages without starting the services in them.

    Raises:
        InstallationError: This machine or this user cannot install them; says what to do by hand.
    """
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise InstallationError(
            f"missing: {names}. This is no Debian; install them by its own means, "
            "or use the services of compose.yaml"
        )
    if os.geteuid() != 0:
        raise InstallationError(
            f"missing: {names}. Install them, then try again: "
            f"sudo apt-get install --no-install-recommends {names}"
        )
    with commands.machine_lock("packages"), _services_stay_down():
        _apt_get(["update", "-qq"], "reading Debian's package lists", log, progress)
        options = ["install", "-qq", "-y", "--no-install-recommends"]
        _apt_get([*options, *packages], f"installing {names}", log, progress)


def available_jdk() -> str | None:
    """The package of a development kit that serves, if this Debian has one."""
    for package in java.PACKAGES:
        shown = subprocess.run(
            ["apt-cache", "show", "--quiet", package], check=False, capture_output=True
        )
        if shown.returncode == 0:
            return package
    return None


def install_jdk(log: Path, progress: Progress) -> None:
    """Install a development kit for the engine if none serves and Debian has one.

    Raises:
        InstallationError: None serves, and none can be installed.
    """
    try:
        java.find(service_account())
    except InstallationError:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        _apt_get(["update", "-qq"], "reading Debian's package lists", log, progress)
        package = available_jdk()
        if package is None:
            raise
        install([package], log, progress)


def _apt_get(arguments: list[str], label: str, log: Path, progress: Progress) -> None:
    commands.run_long(
        ["apt-get", *arguments], label=label, log=log, progress=progress, more=_APT_ENVIRONMENT
    )


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Keep Debian from starting the services with its own configuration, on the standard ports."""
    if POLICY.exists():
        yield  # the administrator's own rule stands
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)

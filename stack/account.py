"""The unprivileged user that the services run as: PostgreSQL and the engine refuse to be root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.errors import InstallationError

#: The system user that is made where the stack is started by root.
SERVICE_USER = "disco"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who runs the services."""

    name: str
    uid: int
    gid: int
    switch: bool  # the stack is started by root: services change to this user

    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess.Popen` that make the child run as this user."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give one file or folder to this user, and to nobody else."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def folder(self, path: Path) -> Path:
        """Make a folder of this user's, closed to others, unless it is there."""
        if not path.is_dir():
            path.mkdir(parents=True)
        self.own(path)
        path.chmod(0o700)
        return path

    def write(self, path: Path, text: str, *, mode: int = 0o600) -> Path:
        """Write a file of this user's, all or nothing."""
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.chmod(mode)
        self.own(partial)
        return partial.replace(path)

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may work in the folder: each folder above must let it pass."""
        if not self.switch:
            return True
        probe = subprocess.run(
            ["test", "-x", str(folder)], check=False, cwd="/", **self.process_options()
        )
        return probe.returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether this user may execute the program."""
        return self.can_enter(program)


def service_account() -> Account:
    """The caller, or for root the system user, made if need be.

    Raises:
        InstallationError: The system user is missing and cannot be made.
    """
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        return Account(name=me.pw_name, uid=me.pw_uid, gid=me.pw_gid, switch=False)
    return _system_account()


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _make_system_user()
        entry = pwd.getpwnam(SERVICE_USER)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)


def _make_system_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd is None:
        raise InstallationError(
            f"the services need an unprivileged user and there is no useradd: make a system user "
            f"{SERVICE_USER!r}, or run as another user than root"
        )
    arguments = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    made = subprocess.run(
        [useradd, *arguments, "--shell", "/usr/sbin/nologin", SERVICE_USER],
        check=False,
        capture_output=True,
        text=True,
    )
    # Status 9: another run made the user meanwhile.
    if made.returncode not in {0, 9}:
        raise InstallationError(
            f"useradd could not make the system user {SERVICE_USER!r}: {made.stderr.strip()}; "
            "make it by hand, or run as another user than root"
        )

"""PostgreSQL: a primary, and a replica that streams from it."""

import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from stack.errors import InstallationError, StackError, StartError
from stack.loopback import LOOPBACK
from stack.service import Launch, Progress, Service
from stack.waiting import wait_until

USER: Final = "postgres"
#: The database that the settings point at.
DATABASE: Final = "disco"
SLOT: Final = "replica"
INSTALLATIONS: Final = Path("/usr/lib/postgresql")

#: For two cores that everything shares. A commit is durable: the demo loses nothing.
SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "3GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    # Short queries of many ids: compiling them or waking parallel workers does not pay.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Streaming. The slot keeps what a stopped replica still needs, up to a limit; past it the
    # replica is copied anew.
    # Streaming needs less; what the project is compared with decodes the log.
    "wal_level": "logical",
    # Most pages are new to the log since the last checkpoint; lz4 costs a tenth of the default.
    "wal_compression": "lz4",
    "max_wal_senders": "6",
    "max_replication_slots": "4",
    "max_slot_wal_keep_size": "8GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "hot_standby": "on",
    # A long read on the replica must not lose rows to the primary's vacuum.
    "hot_standby_feedback": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
}


class Postgres(Service):
    """What the primary and the replica have in common."""

    # Fast shutdown: connections are ended, their transactions rolled back.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def launch(self) -> Launch:
        """Start the server itself, in the foreground of its session."""
        return Launch(
            command=[str(self.program("postgres")), "-D", str(self.data)],
            environment=self.environment(),
            folder=self.folder,
        )

    def is_ready(self) -> bool:
        """Ask it for a number."""
        try:
            return self.query("SELECT 1", within=3) == "1"
        except StackError:
            return False

    def query(self, sql: str, *, database: str = "postgres", within: float = 30) -> str:
        """The answer to one statement as psql prints it unaligned, without the last line's end.

        Raises:
            StackError: The server cannot be reached, or refuses the statement.
        """
        return self._psql(["-A", "-t", "-c", sql], what=repr(sql), database=database, within=within)

    def run_file(self, script: Path, *, database: str, within: float = 120) -> None:
        """Run the statements of a file as one transaction.

        Raises:
            StackError: The server cannot be reached, or refuses one of them.
        """
        self._psql(["-1", "-f", str(script)], what=str(script), database=database, within=within)

    def _psql(self, options: list[str], *, what: str, database: str, within: float) -> str:
        address = ["-h", LOOPBACK, "-p", str(self.port(self.name)), "-U", USER, "-d", database]
        general = ["-X", "-q", "-v", "ON_ERROR_STOP=1"]
        try:
            done = subprocess.run(
                [str(self.program("psql")), *general, *address, *options],
                check=False,
                capture_output=True,
                text=True,
                timeout=within,
                env={
                    "PGPASSWORD": self.register.state.password,
                    "PGCONNECT_TIMEOUT": "3",
                    "LANG": "C.UTF-8",
                },
            )
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{self.name} did not answer {what} within {within:g} s") from error
        if done.returncode != 0:
            raise StackError(f"{self.name} refused {what}: {done.stderr.strip()}")
        return done.stdout.removesuffix("\n")

    def program(self, name: str) -> Path:
        """A program of the installation that fits the data."""
        return installation(self.data) / name

    def write_settings(self, more: Mapping[str, str]) -> None:
        """Write the server's configuration; whatever stood there before is gone."""
        settings = {**SETTINGS, "port": str(self.port(self.name)), **more}
        self.account.write(self.data / "postgresql.conf", render_settings(settings))

    def build_data(self, command: list[str], *, target: Path, **environment: str) -> None:
        """Have a tool make the data in `target`, then put them in place in one step."""
        shutil.rmtree(target, ignore_errors=True)
        with self.log.open("ab") as log:
            self.account.own(self.log)
            done = subprocess.run(
                command,
                check=False,
                cwd=self.folder,
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self.account.process_options(),
            )
        if done.returncode != 0:
            tool = Path(command[0]).name
            raise StartError(
                self.name, f"could not be made: {tool} ended with {done.returncode}", self.log
            )
        target.replace(self.data)

    def await_predecessors(self) -> None:
        """Wait for the processes of a killed postmaster: they notice, and end by themselves."""
        lock = self.data / "postmaster.pid"
        wait_until(lambda: not _in_folder(self.data), within=15)
        lock.unlink(missing_ok=True)


class Primary(Postgres):
    """Where everything is written."""

    name: ClassVar[str] = "postgresql"
    ports: ClassVar[tuple[str, ...]] = ("postgresql",)

    def prepare(self, progress: Progress) -> None:
        """Make an empty cluster unless there is one."""
        if self.data.exists():
            self.await_predecessors()
        else:
            progress(f"{self.name}: making an empty database cluster")
            self._initialise()
        self.write_settings({})

    def settle(self) -> None:
        """The database that the settings point at."""
        if DATABASE not in self.query("SELECT datname FROM pg_database").splitlines():
            self.query(f"CREATE DATABASE {DATABASE}")

    @property
    def identifier(self) -> str:
        """The number that a cluster gets when it is made, and that its copies share."""
        return self.query("SELECT system_identifier FROM pg_control_system()")

    def slot(self, column: str) -> str | None:
        """What the primary knows of the replica's slot; None if there is no slot."""
        query = f"SELECT slot_name, {column} FROM pg_replication_slots"  # noqa: S608 (a constant)
        answers = dict(line.split("|", 1) for line in self.query(query, within=5).splitlines())
        return answers.get(SLOT)

    def renew_slot(self) -> None:
        """A new slot for a new replica: the old one may have lost what it should keep.

        Raises:
            StackError: The old one is still in use.
        """
        if not wait_until(lambda: self.slot("active") != "t", within=15):
            raise StackError(f"another server streams from the slot {SLOT!r} of {self.name}")
        if self.slot("active") is not None:
            self.query(f"SELECT pg_drop_replication_slot('{SLOT}')")
        self.query(f"SELECT pg_create_physical_replication_slot('{SLOT}', true)")

    def _initialise(self) -> None:
        target = self.folder / "data.partial"
        password = self.account.write(self.folder / "password", self.register.state.password)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        self.build_data(
            [
                str(self.program("initdb")),
                f"--pgdata={target}",
                f"--username={USER}",
                f"--pwfile={password}",
                *options,
            ],
            target=target,
        )


class Replica(Postgres):
    """What documents are hydrated from: a physical copy that streams from the primary."""

    name: ClassVar[str] = "postgresql-replica"
    ports: ClassVar[tuple[str, ...]] = ("postgresql-replica",)
    is_copy: ClassVar[bool] = True

    # It may have to catch up on all that the slot has kept.
    start_deadline: ClassVar[float] = 120

    def prepare(self, progress: Progress) -> None:
        """Copy the primary unless there is a copy that can go on; then follow it."""
        if self.data.exists():
            self.await_predecessors()
            if not self._can_go_on():
                progress(f"{self.name}: it cannot follow from where it was")
                shutil.rmtree(self.data)
        if not self.data.exists():
            progress(f"{self.name}: copying the primary")
            self._copy()
        (self.data / "postgresql.auto.conf").unlink(missing_ok=True)
        self.account.write(self.data / "standby.signal", "")
        self.write_settings({"primary_conninfo": self._connection(), "primary_slot_name": SLOT})

    def is_ready(self) -> bool:
        """Whether it answers, follows, and has received all that the primary has.

        The replica's own word is not enough: it says "streaming" for a moment even if the primary
        no longer has what it asks for.
        """
        state = "(SELECT state FROM pg_stat_replication WHERE pid = active_pid)"
        try:
            follows = self.query("SELECT pg_is_in_recovery()", within=3) == "t"
            return follows and self._primary.slot(state) == "streaming"
        except StackError:
            return False

    def settle(self) -> None:
        """Follow at once: a delay or a pause is a test's, and ends with it."""
        self.delay(0)
        self.resume_replay()

    def delay(self, milliseconds: int) -> None:
        """Apply each commit only this long after it happened on the primary; 0 for at once."""
        current = self.query("SHOW recovery_min_apply_delay")
        if milliseconds == 0 and current == "0":
            return
        self.query(f"ALTER SYSTEM SET recovery_min_apply_delay = '{milliseconds}ms'")
        self.query("SELECT pg_reload_conf()")

    def pause_replay(self) -> None:
        """Receive, and apply nothing."""
        self.query("SELECT pg_wal_replay_pause()")

    def resume_replay(self) -> None:
        """Apply what was received since the pause, and go on."""
        self.query("SELECT pg_wal_replay_resume() WHERE pg_is_wal_replay_paused()")

    @property
    def _primary(self) -> Primary:
        return Primary(self.register, self.account)

    def _can_go_on(self) -> bool:
        """Whether it copies this primary, and this primary has kept what it still needs."""
        kept = self._primary.slot("wal_status") in {"reserved", "extended", "unreserved"}
        return kept and self._control("Database system identifier") == self._primary.identifier

    def _control(self, label: str) -> str | None:
        """A value of the data's control file; None if the file cannot be read."""
        shown = subprocess.run(
            [str(self.program("pg_controldata")), str(self.data)],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment(),
            **self.account.process_options(),
        )
        values = dict(line.partition(":")[::2] for line in shown.stdout.splitlines())
        return values.get(label, "").strip() or None

    def _copy(self) -> None:
        self._primary.renew_slot()
        target = self.folder / "data.partial"
        self.build_data(
            [
                str(installation(None) / "pg_basebackup"),
                f"--pgdata={target}",
                f"--dbname={self._connection()}",
                f"--slot={SLOT}",
                "--wal-method=stream",
                "--checkpoint=fast",
                "--no-password",
            ],
            target=target,
        )

    def _connection(self) -> str:
        port, password = self.port(Primary.name), self.register.state.password
        entry = f"{LOOPBACK}:{port}:*:{USER}:{password}\n"
        passwords = self.account.write(self.folder / "passwords", entry)
        return f"host={LOOPBACK} port={port} user={USER} passfile={passwords}"


def installation(data: Path | None) -> Path:
    """The folder of PostgreSQL's programs; the newest, or the one that fits existing data.

    Raises:
        InstallationError: There is none, or none that can read the data.
    """
    found = _installations()
    if data is not None and (data / "PG_VERSION").exists():
        wanted = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        if wanted not in found:
            raise InstallationError(
                f"{data} was made by PostgreSQL {wanted}, installed is "
                f"{', '.join(found) or 'none'}: install postgresql-{wanted}, or start anew after "
                "`disco stack down --purge`"
            )
        return found[wanted]
    if not found:
        raise InstallationError(f"no PostgreSQL server below {INSTALLATIONS}: install postgresql")
    return found[max(found, key=int)]


def _installations() -> dict[str, Path]:
    programs = INSTALLATIONS.glob("*/bin/postgres")
    return {p.parts[-3]: p.parent for p in programs if re.fullmatch(r"\d+", p.parts[-3])}


def render_settings(settings: Mapping[str, str]) -> str:
    """The text of a `postgresql.conf`."""
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def _in_folder(folder: Path) -> bool:
    """Whether a server process has the folder as its own (each one works in its data folder)."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text() == "postgres\n" and (
                entry / "cwd"
            ).readlink() == folder:
                return True
        except OSError:
            continue
    return False

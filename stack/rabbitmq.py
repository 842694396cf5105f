"""RabbitMQ, and the port mapper (epmd) that an Erlang node needs."""

import subprocess
from pathlib import Path
from typing import Any, ClassVar, Final

from stack import loopback
from stack.errors import InstallationError, StackError
from stack.loopback import LOOPBACK
from stack.service import Launch, Progress, Service

USER: Final = "disco"
SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD: Final = Path("/usr/bin/epmd")

#: No busy waiting on two shared cores; distribution on the loopback address alone.
ERLANG_ARGUMENTS: Final = (
    "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
)


class PortMapper(Service):
    """Tells Erlang programs the port of the node, the command-line tools among them."""

    name: ClassVar[str] = "epmd"
    ports: ClassVar[tuple[str, ...]] = ("epmd",)
    stop_deadline: ClassVar[float] = 5

    def prepare(self, progress: Progress) -> None:
        """Nothing to prepare: it keeps no data."""
        del progress

    def launch(self) -> Launch:
        """Start it as a process of its own, so that no node starts one that nobody ends."""
        _require(EPMD)
        port = str(self.port("epmd"))
        return Launch(
            command=[str(EPMD), "-port", port, "-address", LOOPBACK],
            environment=self.environment(),
            folder=self.folder,
        )

    def is_ready(self) -> bool:
        """Ask for the names of the nodes."""
        asked = [str(EPMD), "-port", str(self.port("epmd")), "-names"]
        return _succeeds(asked)


class Broker(Service):
    """RabbitMQ with the management API, which makes virtual hosts for tests in milliseconds."""

    name: ClassVar[str] = "rabbitmq"
    ports: ClassVar[tuple[str, ...]] = ("rabbitmq", "rabbitmq-management", "rabbitmq-distribution")
    start_deadline: ClassVar[float] = 120

    @property
    def node(self) -> str:
        """The Erlang node's name, as `rabbitmqctl -n` takes it."""
        return f"disco-{self.register.state.name}@localhost"

    def prepare(self, progress: Progress) -> None:
        """Write the configuration; the server makes its data itself."""
        del progress
        self.account.folder(self.data)
        self.account.folder(self.folder / "logs")
        self.account.write(self.folder / "rabbitmq.conf", self._configuration())
        self.account.write(self.folder / "enabled_plugins", "[rabbitmq_management].\n")

    def launch(self) -> Launch:
        """Start the script beneath the wrapper, which allows root or `rabbitmq` alone."""
        _require(SERVER)
        return Launch(command=[str(SERVER)], environment=self._environment(), folder=self.folder)

    def is_ready(self) -> bool:
        """Whether the node answers and listens for AMQP."""
        try:
            self.call("GET", f"health/checks/port-listener/{self.port('rabbitmq')}", within=3)
        except StackError:
            return False
        return True

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, within: float = 30
    ) -> Any:
        """One request to the management API.

        Args:
            method: GET, PUT, POST or DELETE.
            path: What comes after `/api/`, its parts percent-encoded.
            body: The JSON document to send.
            within: Seconds to wait.

        Returns:
            The JSON document of the answer, None if it has none.

        Raises:
            StackError: No answer, or one that says no.
        """
        return loopback.call(
            self.port("rabbitmq-management"),
            f"/api/{path}",
            method=method,
            body=body,
            user=(USER, self.register.state.password),
            within=within,
        )

    def _configuration(self) -> str:
        return render_configuration(
            amqp_port=self.port("rabbitmq"),
            management_port=self.port("rabbitmq-management"),
            password=self.register.state.password,
        )

    def _environment(self) -> dict[str, str]:
        return self.environment(
            RABBITMQ_NODENAME=self.node,
            RABBITMQ_NODE_IP_ADDRESS=LOOPBACK,
            RABBITMQ_DIST_PORT=str(self.port("rabbitmq-distribution")),
            RABBITMQ_CONFIG_FILE=str(self.folder / "rabbitmq.conf"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.folder / "enabled_plugins"),
            RABBITMQ_MNESIA_BASE=str(self.data),
            RABBITMQ_LOG_BASE=str(self.folder / "logs"),
            RABBITMQ_PID_FILE=str(self.folder / "pid"),
            RABBITMQ_CONF_ENV_FILE="/dev/null",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=ERLANG_ARGUMENTS,
            # Make the script become the node instead of waiting for it as a parent.
            RABBITMQ_ALLOW_INPUT="1",
            RABBITMQ_SERVER_START_ARGS="-noinput",
            ERL_EPMD_PORT=str(self.port("epmd")),
            ERL_EPMD_ADDRESS=LOOPBACK,
        )


def render_configuration(*, amqp_port: int, management_port: int, password: str) -> str:
    """The text of `rabbitmq.conf`."""
    return f"""\
listeners.tcp.local = {LOOPBACK}:{amqp_port}
management.tcp.ip = {LOOPBACK}
management.tcp.port = {management_port}
default_user = {USER}
default_pass = {password}
loopback_users.{USER} = true
# A laptop's share. Quorum queues keep up to one log file in memory each: keep it small.
vm_memory_high_watermark.absolute = 2GB
disk_free_limit.absolute = 500MB
raft.wal_max_size_bytes = 67108864
# The API is there to operate, not to measure: statistics would cost each message.
management_agent.disable_metrics_collector = true
log.console = true
log.console.level = info
log.file = false
"""


def _require(program: Path) -> None:
    if not program.exists():
        raise InstallationError(f"{program} is missing: install rabbitmq-server")


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=5).returncode == 0
    except subprocess.TimeoutExpired:
        return False

"""The services of one stack: which there are, in which order they start, where their data lie."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack.account import Account, service_account
from stack.elasticsearch import Engine
from stack.errors import StackError
from stack.loopback import LOOPBACK
from stack.postgresql import DATABASE, USER, Primary, Replica
from stack.rabbitmq import USER as BROKER_USER
from stack.rabbitmq import Broker, PortMapper
from stack.service import Service
from stack.state import Register, StackFolder, StackState, new_state

#: What `up` gives the engine unless told otherwise.
DEFAULT_HEAP: Final = "1g"
SERVICE_TYPES: Final = (Primary, Replica, PortMapper, Broker, Engine)
SERVICE_NAMES: Final = tuple(service.name for service in SERVICE_TYPES)


class Stack:
    """One stack, which need not run."""

    def __init__(self, register: Register, account: Account) -> None:
        self.register = register
        self.account = account
        self.primary = Primary(register, account)
        self.replica = Replica(register, account)
        self.port_mapper = PortMapper(register, account)
        self.broker = Broker(register, account)
        self.engine = Engine(register, account)

    @property
    def chains(self) -> Sequence[Sequence[Service]]:
        """Chains start side by side, the services of a chain one after the other."""
        return (
            (self.engine,),
            (self.primary, self.replica),
            (self.port_mapper, self.broker),
        )

    @property
    def services(self) -> Sequence[Service]:
        """All services, in the order in which people think of them."""
        return (self.primary, self.replica, self.port_mapper, self.broker, self.engine)

    def service(self, name: str) -> Service:
        """The service of that name; raises `StackError` if there is none."""
        for service in self.services:
            if service.name == name:
                return service
        names = ", ".join(service.name for service in self.services)
        raise StackError(f"no service {name!r}: there are {names}")

    def settings(self) -> dict[str, str]:
        """What the product needs to know, by the names of its settings."""
        password = self.register.state.password

        def database(service: Service) -> str:
            address = f"{LOOPBACK}:{service.port(service.name)}"
            return f"postgresql://{USER}:{password}@{address}/{DATABASE}"

        broker = f"{LOOPBACK}:{self.broker.port('rabbitmq')}"
        return {
            "database_url": database(self.primary),
            "replica_url": database(self.replica),
            "broker_url": f"amqp://{BROKER_USER}:{password}@{broker}/",
            **self.engine.settings(),
        }


def find(folder: StackFolder) -> Stack | None:
    """The stack of that folder; None if it was never started."""
    state = folder.load()
    return None if state is None else _assemble(folder, state, service_account())


def make(folder: StackFolder, *, heap: str | None, secure: bool = False) -> Stack:
    """The stack of that folder, made unless there is one.

    Args:
        folder: Where it lives.
        heap: The engine's heap from its next start on; None leaves it as it is.
        secure: Whether the engine of a new stack asks for a password, and speaks TLS alone.

    Raises:
        StackError: It is there, and was made otherwise.
    """
    account = service_account()
    folder.path.mkdir(parents=True, exist_ok=True)
    state = folder.load() or new_state(
        folder.name, data=_data_folder(folder, account), heap=heap or DEFAULT_HEAP, secure=secure
    )
    if secure and not state.secure:
        raise StackError(
            f"stack {folder.name} was made without security: choose another --name, or delete it "
            f"with `disco stack down --name {folder.name} --purge`"
        )
    stack = _assemble(folder, state, account)
    if heap is not None:
        stack.register.set_heap(heap)
    return stack


def _assemble(folder: StackFolder, state: StackState, account: Account) -> Stack:
    return Stack(Register(folder, state), account)


def _data_folder(folder: StackFolder, account: Account) -> Path:
    """The stack's own folder if the services' user can get there, else one outside."""
    for made in (folder.path.parent, folder.path):
        made.chmod(0o755)  # whatever the caller's umask; what is secret is closed by itself
    if account.can_enter(folder.path):
        return folder.path
    outside = (
        state_folder()
        / f"{folder.name}-{hashlib.sha256(str(folder.path).encode()).hexdigest()[:12]}"
    )
    outside.mkdir(parents=True, exist_ok=True)
    for made in (outside.parent, outside):
        made.chmod(0o755)
    return outside


def state_folder() -> Path:
    """Where data lie that cannot lie in the work tree: `DISCO_STATE`, or the system's place for it.

    Only root needs it: anyone else runs the services as himself, who can get to his work tree.
    """
    return Path(os.environ.get("DISCO_STATE") or "/var/lib/disco")

"""The stack's life: up from nothing, whatever happens to it meanwhile, and down to nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psutil
import pytest

from core import settings as product_settings
from stack import faults, operations, processes
from stack.errors import StackError, StartError
from stack.loopback import LOOPBACK
from stack.operations import Status
from stack.processes import ProcessRecord
from stack.waiting import wait_until
from tests.integration.stack.conftest import NAME, OwnStack
from tests.services import ROOT

SERVICES = ("postgresql", "postgresql-replica", "epmd", "rabbitmq", "elasticsearch")


def disco(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command itself, in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "stack", *arguments, "--name", NAME],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def status(own: OwnStack) -> Status:
    return operations.status(NAME, root=own.root)


def process(own: OwnStack, service: str) -> ProcessRecord:
    record = own.open().register.process(service)
    assert record is not None
    return record


def pids(own: OwnStack) -> dict[str, int | None]:
    return {service.name: service.pid for service in status(own).services}


def test_all_services_are_up_and_known_to_the_product(running: OwnStack) -> None:
    found = status(running)
    assert found.up
    assert [service.name for service in found.services] == list(SERVICES)
    assert all(service.memory for service in found.services)
    loaded = product_settings.load({"DISCO_CONFIG": str(found.settings_file)})
    written = tomllib.loads(found.settings_file.read_text())
    assert written == running.open().settings()
    assert loaded.engine_url == written["engine_url"]


def test_every_port_is_open_to_this_machine_alone(running: OwnStack) -> None:
    ours = {record.pid for s in SERVICES for record in processes.family(process(running, s))}
    listening = [
        connection.laddr
        for connection in psutil.net_connections("tcp")
        if connection.pid in ours and connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= len(SERVICES)
    addresses = {address.ip for address in listening if address}
    assert addresses <= {LOOPBACK, "::1", f"::ffff:{LOOPBACK}"}


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's services run as that user")
def test_for_root_the_services_run_as_another_user_who_reaches_the_data(running: OwnStack) -> None:
    stack = running.open()
    for service in stack.services:
        assert psutil.Process(process(running, service.name).pid).uids().effective != 0
    assert not stack.register.state.data.is_relative_to(running.root)


def test_a_second_up_is_quick_and_starts_nothing(running: OwnStack) -> None:
    before = pids(running)
    began = time.monotonic()
    again = running.up()
    assert time.monotonic() - began < 3
    assert again.started == ()
    assert pids(running) == before


@pytest.mark.parametrize("service", SERVICES)
def test_up_starts_only_what_was_killed(running: OwnStack, service: str) -> None:
    before, settings = pids(running), running.open().settings()
    faults.kill(running.open(), service)
    assert not status(running).up
    assert running.up().started == (service,)
    after = pids(running)
    assert {name for name in SERVICES if after[name] != before[name]} == {service}
    assert status(running).up
    assert running.open().settings() == settings


def test_everything_killed_at_once_comes_back_with_its_data(running: OwnStack) -> None:
    primary = running.open().primary
    primary.query("CREATE TABLE IF NOT EXISTS kept (x int)", database="disco")
    primary.query("INSERT INTO kept VALUES (1)", database="disco")
    for service in SERVICES:
        processes.send(process(running, service), signal.SIGKILL)
    assert set(running.up().started) == set(SERVICES)
    assert int(primary.query("SELECT count(*) FROM kept", database="disco")) >= 1


def test_a_hung_service_is_silent_and_goes_on_at_up(running: OwnStack) -> None:
    with faults.paused(running.open(), "rabbitmq"):
        states = {service.name: service.state for service in status(running).services}
        assert states == {name: "silent" if name == "rabbitmq" else "up" for name in SERVICES}
    assert wait_until(lambda: status(running).up, within=20)


def test_a_process_whose_record_was_lost_is_replaced(running: OwnStack) -> None:
    lost = process(running, "rabbitmq")
    running.open().register.forget("rabbitmq")
    assert running.up().started == ("rabbitmq",)
    assert not processes.is_running(lost)


def test_a_replica_that_is_broken_is_copied_anew(running: OwnStack) -> None:
    stack = running.open()
    faults.kill(stack, "postgresql-replica")
    shutil.rmtree(stack.replica.data / "pg_wal")
    assert running.up().started == ("postgresql-replica",)
    assert any("copying it anew" in line for line in running.said)
    faults.await_replica(running.open())


def test_a_replica_that_missed_too_much_is_copied_anew(running: OwnStack) -> None:
    """The primary no longer has the log that the replica would need to go on."""
    stack = running.open()
    faults.kill(stack, "postgresql-replica")
    stack.primary.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    stack.primary.query("SELECT pg_reload_conf()")

    def is_lost() -> bool:
        stack.primary.query("SELECT pg_logical_emit_message(false, 'fill', 'the log')")
        stack.primary.query("SELECT pg_switch_wal()")
        stack.primary.query("CHECKPOINT")
        return stack.primary.slot("wal_status") == "lost"

    assert wait_until(is_lost, within=60)
    stack.primary.query("ALTER SYSTEM RESET max_slot_wal_keep_size")
    stack.primary.query("SELECT pg_reload_conf()")
    assert running.up().started == ("postgresql-replica",)
    assert "postgresql-replica: it cannot follow from where it was" in running.said
    faults.await_replica(running.open())


def test_half_written_data_of_an_interrupted_first_start_are_made_anew(running: OwnStack) -> None:
    stack = running.open()
    databases = ("postgresql", "postgresql-replica")
    operations.down(NAME, root=running.root, progress=print, only=databases)
    stack.primary.was_ready.unlink()
    (stack.primary.data / "PG_VERSION").unlink()
    assert running.up().started == databases
    assert "postgresql: clearing what an interrupted first start left" in running.said
    faults.await_replica(running.open())


def test_a_service_that_cannot_start_names_its_log_and_the_reason(running: OwnStack) -> None:
    stack = running.open()
    faults.kill(stack, "rabbitmq")
    broken = stack.broker.data / f"{stack.broker.node}-feature_flags"
    kept = broken.read_bytes()
    broken.write_text("this is no Erlang term")
    began = time.monotonic()
    try:
        with pytest.raises(StartError) as raised:
            running.up()
    finally:
        broken.write_bytes(kept)
    assert time.monotonic() - began < stack.broker.start_deadline
    assert raised.value.service == "rabbitmq"
    assert str(stack.broker.log) in str(raised.value)
    assert "feature_flags" in str(raised.value)
    assert running.up().started == ("rabbitmq",)


def test_a_port_that_was_taken_meanwhile_is_given_up(running: OwnStack) -> None:
    stack = running.open()
    taken = stack.engine.port("elasticsearch")
    faults.kill(stack, "elasticsearch")
    assert wait_until(lambda: not processes.marked(stack.engine.folder), within=20)
    with socket.create_server((LOOPBACK, taken)):
        running.up()
        chosen = running.open().engine.port("elasticsearch")
    assert chosen != taken
    assert f"elasticsearch: port {taken} is taken by another program, using {chosen}" in (
        running.said
    )
    assert str(chosen) in status(running).settings_file.read_text()


def test_a_replica_that_lags_shows_the_past_until_it_may_go_on(running: OwnStack) -> None:
    stack = running.open()
    stack.primary.query("CREATE TABLE IF NOT EXISTS seen (x int)", database="disco")
    faults.await_replica(stack)
    count = "SELECT count(*) FROM seen"
    before = stack.replica.query(count, database="disco")
    with faults.paused_replay(stack):
        stack.primary.query("INSERT INTO seen VALUES (1)", database="disco")
        assert stack.replica.query(count, database="disco") == before
    faults.await_replica(stack)
    assert stack.replica.query(count, database="disco") == str(int(before) + 1)
    with faults.lagging_replica(stack, seconds=60):
        stack.primary.query("INSERT INTO seen VALUES (1)", database="disco")
        with pytest.raises(StackError, match="has not reached"):
            faults.await_replica(stack, within=1)
    faults.await_replica(stack, within=10)


def test_up_ends_a_lag_that_a_test_left_behind(running: OwnStack) -> None:
    stack = running.open()
    stack.replica.delay(60_000)
    stack.replica.pause_replay()
    assert running.up().started == ()
    stack.primary.query("CREATE TABLE IF NOT EXISTS later (x int)", database="disco")
    faults.await_replica(stack, within=10)


def test_the_command_tells_people_and_programs(running: OwnStack) -> None:
    told = disco(running.root, "up")
    assert told.returncode == 0, told.stderr
    assert "everything was up" in told.stdout
    assert "DISCO_CONFIG=.stack/own/disco.toml" in told.stdout
    document = json.loads(disco(running.root, "status", "--json").stdout)
    assert document["up"] is True
    assert [service["name"] for service in document["services"]] == list(SERVICES)
    assert json.loads(disco(running.root, "up", "--dry-run", "--json").stdout) == {"steps": []}
    planned = disco(running.root, "down", "--purge", "--dry-run").stdout.splitlines()
    assert planned[: len(SERVICES)] == [f"stop {name}" for name in SERVICES]
    assert status(running).up


def test_down_keeps_the_data_and_leaves_strangers_alone(running: OwnStack) -> None:
    stack = running.open()
    stack.primary.query("CREATE TABLE IF NOT EXISTS stays (x int)", database="disco")
    # A record that a stranger's process number got into: this test's own.
    own = processes.identify(os.getpid())
    assert own is not None
    stack.register.record("stranger", own)
    everything = [record for s in SERVICES for record in processes.family(process(running, s))]
    told = disco(running.root, "down")
    assert told.returncode == 0, told.stderr
    assert not any(processes.is_running(record) for record in everything)
    assert all(processes.marked(service.folder) == [] for service in stack.services)
    assert disco(running.root, "status").returncode == 1
    assert "nothing ran" in disco(running.root, "down").stdout
    assert set(running.up().started) == set(SERVICES)
    assert stack.primary.query("SELECT count(*) FROM stays", database="disco") == "0"


def test_a_stack_that_is_not_there_is_no_error_to_ask_for(tmp_path: Path) -> None:
    assert not operations.status("none", root=tmp_path).up
    assert operations.down("none", root=tmp_path, progress=print).stopped == ()
    told = disco(tmp_path, "status")
    assert told.returncode == 1
    assert "there is no stack own" in told.stdout
    assert list(tmp_path.iterdir()) == []

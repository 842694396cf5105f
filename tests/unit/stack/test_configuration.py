"""The configuration files that the services read."""

import json
from pathlib import Path

from stack import elasticsearch, postgresql, rabbitmq
from stack.account import Account
from stack.state import Register


def test_postgresql_values_are_quoted() -> None:
    text = postgresql.render_settings({"port": "5432", "search_path": "it's"})
    assert text == "port = '5432'\nsearch_path = 'it''s'\n"


def test_postgresql_listens_on_the_loopback_address_alone() -> None:
    assert postgresql.SETTINGS["listen_addresses"] == "127.0.0.1"
    assert postgresql.SETTINGS["unix_socket_directories"] == ""


def test_rabbitmq_listens_on_the_loopback_address_alone() -> None:
    text = rabbitmq.render_configuration(amqp_port=5672, management_port=15672, password="p")
    lines = text.splitlines()
    assert "listeners.tcp.local = 127.0.0.1:5672" in lines
    assert "management.tcp.ip = 127.0.0.1" in lines
    assert "management.tcp.port = 15672" in lines
    assert "default_pass = p" in lines
    assert "inet_dist_use_interface {127,0,0,1}" in rabbitmq.ERLANG_ARGUMENTS


def test_elasticsearch_settings() -> None:
    text = elasticsearch.render_settings(
        name="x", http_port=9200, transport_port=9300, data=Path("/d: #"), logs=Path("/l")
    )
    settings = dict(line.split(": ", 1) for line in text.splitlines())
    assert json.loads(settings["network.host"]) == "127.0.0.1"
    assert json.loads(settings["cluster.name"]) == "disco-x"
    assert json.loads(settings["path.data"]) == "/d: #"
    assert json.loads(settings["http.port"]) == 9200
    assert json.loads(settings["xpack.security.enabled"]) is False


def test_elasticsearch_writes_no_file_beside_its_programs() -> None:
    shipped = "-XX:+UseG1GC\n-XX:ErrorFile=hs_err_pid%p.log\n-Xlog:gc*:file=gc.log:utctime\n"
    text = elasticsearch.render_java_options(shipped, logs=Path("/logs"))
    assert text.splitlines() == [
        "-XX:+UseG1GC",
        "-XX:ErrorFile=/logs/hs_err_pid%p.log",
        "-XX:HeapDumpPath=/logs",
    ]


def test_a_service_gets_nothing_of_the_callers_environment(
    register: Register, account: Account
) -> None:
    environment = postgresql.Primary(register, account).environment(MORE="1")
    assert set(environment) == {
        "PATH", "LANG", "HOME", "USER", "LOGNAME", "DISCO_STACK_SERVICE", "MORE",
    }  # fmt: skip
    assert environment["DISCO_STACK_SERVICE"] == str(register.state.data / "postgresql")

"""Elasticsearch, one node."""

import json
from pathlib import Path
from typing import Any, ClassVar, Final

from stack import certificates, engine_archive, java, loopback
from stack.errors import StackError
from stack.loopback import LOOPBACK
from stack.service import Launch, Progress, Service

LAUNCHER: Final = "org.elasticsearch.server.launcher.ServerLauncher"
NODE: Final = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"
USER: Final = "disco"
#: Files of a secure node's configuration.
CERTIFICATE: Final = "http.pem"
KEY: Final = "http.key"
#: Options of the archive's `jvm.options` that name files relative to the engine's home, which is
#: not the service's to write.
_FILE_OPTIONS: Final = ("-Xlog:gc", "-XX:ErrorFile", "-XX:HeapDumpPath")


class Engine(Service):
    """The search engine."""

    name: ClassVar[str] = "elasticsearch"
    ports: ClassVar[tuple[str, ...]] = ("elasticsearch", "elasticsearch-transport")
    start_deadline: ClassVar[float] = 180
    stop_deadline: ClassVar[float] = 60

    @property
    def configuration(self) -> Path:
        """The folder that the node reads its configuration from."""
        return self.folder / "config"

    def prepare(self, progress: Progress) -> None:
        """Write the configuration; the node makes its data itself."""
        home = engine_archive.provide(self.account, self.register.folder.installation_log, progress)
        for folder in (self.data, self.folder / "logs", self.folder / "tmp"):
            self.account.folder(folder)
        self.account.folder(self.configuration)
        for name, adapt in (("log4j2.properties", str), ("jvm.options", self._java_options)):
            text = (home / "config" / name).read_text(encoding="utf-8")
            self.account.write(self.configuration / name, adapt(text))
        self.account.write(self.configuration / "elasticsearch.yml", self._settings())
        if self.register.state.secure:
            self._secure()

    def launch(self) -> Launch:
        """Start the launcher, as the official script does; the node is its child."""
        home = engine_archive.home()
        jdk = java.find(self.account)
        launcher = str(home / "lib" / "tools" / "server-launcher" / "*")
        heap = self.register.state.heap
        return Launch(
            command=[
                str(jdk / "bin" / "java"), "-Xms4m", "-Xmx64m", "-XX:+UseSerialGC",
                "-cp", launcher, LAUNCHER,
            ],
            environment=self.environment(
                JAVA=str(jdk / "bin" / "java"),
                JAVA_TYPE="ES_JAVA_HOME",
                ES_JAVA_HOME=str(jdk),
                ES_HOME=str(home),
                ES_PATH_CONF=str(self.configuration),
                ES_DISTRIBUTION_TYPE="zip",
                ES_TMPDIR=str(self.folder / "tmp"),
                ES_JAVA_OPTS=f"-Xms{heap} -Xmx{heap}",
                CLI_JAVA_OPTS="",
            ),
            folder=home,  # the launcher looks for its modules there
            child_argument=NODE,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """Whether the node has taken up its indices."""
        try:
            health = self.get("_cluster/health?wait_for_status=yellow&timeout=1s", within=4)
        except StackError:
            return False
        return bool(health["timed_out"] is False)

    def get(self, path: str, *, within: float = 30) -> Any:
        """The JSON answer to one request; raises `StackError` if there is none."""
        return self.call("GET", path, within=within)

    def call(self, method: str, path: str, *, within: float = 30) -> Any:
        """The JSON answer to a request without a body; raises `StackError` if there is none."""
        is_secure = self.register.state.secure
        return loopback.call(
            self.port("elasticsearch"),
            f"/{path}",
            method=method,
            user=(USER, self.register.state.password) if is_secure else None,
            authority=self.authority if is_secure else None,
            within=within,
        )

    @property
    def authority(self) -> Path:
        """The PEM file to check the certificate of a secure engine with."""
        return self.register.folder.path / "engine-ca.pem"

    def settings(self) -> dict[str, str]:
        """What the product needs to know, by the names of its settings."""
        port = self.port("elasticsearch")
        if not self.register.state.secure:
            return {"engine_url": f"http://{LOOPBACK}:{port}"}
        return {
            "engine_url": f"https://{LOOPBACK}:{port}",
            "engine_username": USER,
            "engine_password": self.register.state.password,
            "engine_ca_file": str(self.authority),
        }

    def _secure(self) -> None:
        """Write a certificate, and the file of users with the one user."""
        if not (self.configuration / CERTIFICATE).exists():
            certificate, key = certificates.for_address(LOOPBACK)
            self.account.write(self.configuration / CERTIFICATE, certificate)
            self.account.write(self.configuration / KEY, key)
            self.authority.write_text(certificate, encoding="ascii")
        hashed = certificates.hashed(self.register.state.password)
        self.account.write(self.configuration / "users", f"{USER}:{hashed}\n")
        self.account.write(self.configuration / "users_roles", f"superuser:{USER}\n")

    def _java_options(self, shipped: str) -> str:
        return render_java_options(shipped, logs=self.folder / "logs")

    def _settings(self) -> str:
        return render_settings(
            name=self.register.state.name,
            http_port=self.port("elasticsearch"),
            transport_port=self.port("elasticsearch-transport"),
            data=self.data,
            logs=self.folder / "logs",
            secure=self.register.state.secure,
        )


def render_java_options(shipped: str, *, logs: Path) -> str:
    """The text of `jvm.options`: what the engine ships, with files in a folder of ours."""
    kept = [line for line in shipped.splitlines() if not line.startswith(_FILE_OPTIONS)]
    ours = [f"-XX:ErrorFile={logs}/hs_err_pid%p.log", f"-XX:HeapDumpPath={logs}"]
    return "\n".join([*kept, *ours]) + "\n"


def render_settings(
    *, name: str, http_port: int, transport_port: int, data: Path, logs: Path, secure: bool = False
) -> str:
    """The text of `elasticsearch.yml`."""
    settings: dict[str, Any] = {
        "cluster.name": f"disco-{name}",
        "node.name": "disco",
        "path.data": str(data),
        "path.logs": str(logs),
        "network.host": LOOPBACK,
        "http.port": http_port,
        "transport.port": transport_port,
        "discovery.type": "single-node",
        "xpack.security.enabled": secure,
        # A laptop's disk is often nine tenths full; the engine would refuse to write.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    if secure:
        settings |= {
            "xpack.security.http.ssl.enabled": True,
            "xpack.security.http.ssl.certificate": CERTIFICATE,
            "xpack.security.http.ssl.key": KEY,
            "xpack.security.authc.password_hashing.algorithm": "pbkdf2",
        }
    # A JSON value is a YAML value.
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())

"""Settings from an explicit environment and a file."""

from pathlib import Path

import pytest

from core.settings import Settings, SettingsError, describe, help_texts, load, sources


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file of the work tree is found."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.toml"
    path.write_text('index_prefix = "filed"\nprefetch = 7\nreplica_patience = 2\n')
    return path


def complaint(environ: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ, file=file)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_defaults_need_no_environment() -> None:
    assert load({}) == Settings()


def test_variables_have_our_prefix_and_types() -> None:
    settings = load(
        {
            "DISCO_PREFETCH": "5",
            "DISCO_REPLICA_PATIENCE": "1.5",
            "DISCO_REPLICA_URL": "postgresql://r",
            "PATH": "x",
        }
    )
    assert (settings.prefetch, settings.replica_patience) == (5, 1.5)
    assert settings.replica_url == "postgresql://r"


def test_a_file_is_read(file: Path) -> None:
    settings = load({}, file=file)
    assert (settings.index_prefix, settings.prefetch, settings.replica_patience) == (
        "filed",
        7,
        2.0,
    )


def test_a_file_is_named_by_a_variable_or_stands_here(file: Path, tmp_path: Path) -> None:
    assert load({"DISCO_CONFIG": str(file)}).index_prefix == "filed"
    (tmp_path / "disco.toml").write_text('index_prefix = "here"')
    assert load({}).index_prefix == "here"


def test_the_environment_wins_over_the_file(file: Path) -> None:
    settings = load({"DISCO_INDEX_PREFIX": "named"}, file=file)
    assert (settings.index_prefix, settings.prefetch) == ("named", 7)


def test_where_a_value_comes_from_is_known(file: Path) -> None:
    found = sources({"DISCO_INDEX_PREFIX": "named"}, file=file)
    assert found["index_prefix"] == "DISCO_INDEX_PREFIX"
    assert found["prefetch"] == str(file)
    assert found["broker_url"] == "default"


def test_an_unknown_variable_is_told_with_the_nearest_name() -> None:
    said = complaint({"DISCO_PREFECH": "5"})
    assert "DISCO_PREFECH" in said
    assert "'prefetch'" in said


def test_an_unknown_variable_without_a_near_name_is_told_where_to_look() -> None:
    assert "disco doctor" in complaint({"DISCO_QQQQQQQQ": "5"})


def test_an_unknown_key_of_a_file_names_the_file(file: Path) -> None:
    file.write_text("prefech = 5")
    said = complaint({}, file)
    assert f"{file}: prefech" in said
    assert "'prefetch'" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("PREFETCH", "many"), ("PREFETCH", "1.5"), ("PREFETCH", ""), ("CLOCK_TOLERANCE", "soon")],
)
def test_a_variable_of_the_wrong_type(name: str, value: str) -> None:
    said = complaint({f"DISCO_{name}": value})
    assert f"DISCO_{name}" in said
    assert repr(value) in said


@pytest.mark.parametrize(
    "line",
    [
        *(
            "prefetch = true",
            "prefetch = 1.5",
            'prefetch = "x"',
            "prefetch = [1]",
            "index_prefix = 5",
        ),
        *(
            "index_prefix = true",
            'broker_url = ["a"]',
            "clock_tolerance = false",
            "clock_tolerance = {}",
        ),
    ],
)
def test_a_value_of_the_wrong_type_in_a_file(file: Path, line: str) -> None:
    file.write_text(line)
    assert line.partition(" ")[0] in complaint({}, file)


@pytest.mark.parametrize("name", ["prefetch", "interactive_batch", "batch_batch", "delivery_limit"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_number_that_must_be_positive(name: str, value: str) -> None:
    assert name in complaint({f"DISCO_{name.upper()}": value})


@pytest.mark.parametrize(
    "prefix", ["", "Disco", "dis-co", "dis co", "dis.co", "_disco", "dïsco", "a/b", "a*"]
)
def test_a_prefix_that_no_index_name_can_have(prefix: str) -> None:
    assert "index_prefix" in complaint({"DISCO_INDEX_PREFIX": prefix})


@pytest.mark.parametrize("value", ["0", "-1", "1201"])
def test_a_patience_that_is_none_or_outlasts_the_brokers(value: str) -> None:
    assert "build_patience" in complaint({"DISCO_BUILD_PATIENCE": value})


@pytest.mark.parametrize("prefix", ["disco", "d", "disco_2", "test_123_a"])
def test_a_prefix_that_index_names_can_have(prefix: str) -> None:
    assert load({"DISCO_INDEX_PREFIX": prefix}).index_prefix == prefix


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.toml" in complaint({"DISCO_CONFIG": str(tmp_path / "nowhere.toml")})


def test_a_file_that_is_no_toml(file: Path) -> None:
    file.write_text("prefetch = = 1")
    assert "not valid TOML" in complaint({}, file)


def test_secrets_are_hidden() -> None:
    settings = Settings(
        engine_password="geheim1",
        cursor_secret="geheim2",
        database_url="postgresql://u:geheim3@host:5432/d",
        broker_url="amqp://u:geheim4@host/",
    )
    for text in (repr(settings), str(settings), str(describe(settings))):
        assert "geheim" not in text
        assert "host:5432" in text


def test_every_setting_says_what_it_is() -> None:
    assert all(help_texts().values())

import json
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.errors import StackError, StackNameError
from stack.processes import ProcessRecord
from stack.state import Register, StackFolder, StackState, new_state

RECORD = ProcessRecord(pid=7, started=11, boot="b")

records = st.builds(
    ProcessRecord, pid=st.integers(1, 2**22), started=st.integers(-1), boot=st.text(max_size=9)
)
states = st.builds(
    StackState,
    name=st.text(max_size=9),
    data=st.sampled_from([Path("/stack/x"), Path("/var/lib/disco/x"), Path("/stack/x/below")]),
    password=st.text(max_size=9),
    heap=st.sampled_from(["1g", "512m"]),
    ports=st.dictionaries(st.text(max_size=5), st.integers(1, 65535), max_size=4),
    processes=st.dictionaries(st.text(max_size=5), records, max_size=4),
)


@given(state=states)
def test_what_is_written_is_read(state: StackState) -> None:
    folder = Path("/stack/x")
    document = json.loads(json.dumps(state.to_json(folder)))
    assert StackState.from_json(document, folder) == state


@pytest.mark.parametrize("name", ["demo", "a", "test-2", "a" * 31])
def test_names_that_fit(name: str, tmp_path: Path) -> None:
    assert StackFolder(name, root=tmp_path).path == tmp_path / ".stack" / name


@pytest.mark.parametrize("name", ["", "Demo", "../x", "a/b", "-a", "1a", "a_b", "a" * 32, "a\n"])
def test_names_that_do_not_fit(name: str, tmp_path: Path) -> None:
    with pytest.raises(StackNameError, match="use a-z"):
        StackFolder(name, root=tmp_path)


def test_a_stack_that_was_never_started_is_none(tmp_path: Path) -> None:
    assert StackFolder("none", root=tmp_path).load() is None
    assert not (tmp_path / ".stack").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', "null"])
def test_a_damaged_file_is_named_with_the_remedy(text: str, register: Register) -> None:
    register.choose_port("x")
    file = register.folder.path / "stack.json"
    file.write_text(text)
    with pytest.raises(StackError, match=rf"{file} is damaged .*delete the folder"):
        register.folder.load()


def test_every_change_is_saved(register: Register) -> None:
    port = register.port("postgresql")
    register.record("postgresql", RECORD)
    register.set_heap("2g")
    loaded = register.folder.load()
    assert loaded is not None
    assert loaded.ports == {"postgresql": port}
    assert loaded.processes == {"postgresql": RECORD}
    assert loaded.heap == "2g"
    register.forget("postgresql")
    assert register.folder.load() == register.state
    assert register.process("postgresql") is None


def test_a_port_is_kept_until_another_is_chosen(register: Register) -> None:
    first = register.port("x")
    assert register.port("x") == first
    assert register.port("y") != first
    second = register.choose_port("x")
    assert second != first
    assert register.port("x") == second


def test_passwords_are_for_the_owners_eyes(register: Register) -> None:
    register.port("x")
    register.folder.write_settings("secret = 1\n")
    for file in (register.folder.path / "stack.json", register.folder.settings_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_passwords_differ(tmp_path: Path) -> None:
    one, other = (new_state("x", data=tmp_path, heap="1g").password for _ in range(2))
    assert one != other
    assert len(one) >= 32


def test_a_copy_of_the_work_tree_forgets_the_originals_processes(
    register: Register, tmp_path: Path
) -> None:
    register.port("x")
    register.record("postgresql", RECORD)
    shutil.copytree(register.folder.path, tmp_path / "copy" / ".stack" / "unit")
    copied = StackFolder("unit", root=tmp_path / "copy").load()
    assert copied is not None
    assert copied.processes == {}
    assert copied.ports == {}
    assert copied.data == tmp_path / "copy" / ".stack" / "unit"
    assert copied.password == register.state.password

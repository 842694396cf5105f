import re

from demo import schema


def test_the_sections_are_the_whole_file() -> None:
    text = schema.SCHEMA_FILE.read_text()
    parts = [schema.section(name) for name in ("tables", "keys", "triggers")]
    markers = "".join(f"-- section: {name}" for name in ("tables", "keys", "triggers"))
    assert sum(map(len, parts)) + len(markers) + text.index("\n-- section: tables") + 1 == len(text)


def test_every_statement_of_the_keys_is_run() -> None:
    # A statement ends with a line's semicolon; one that the splitter missed would be lost.
    statements = [statement for _, statement in schema.key_statements()]
    assert len(statements) == len(re.findall(r";$", schema.section("keys"), re.MULTILINE))


def test_every_table_is_created_and_has_keys() -> None:
    created = set(re.findall(r"^create table (\w+)", schema.section("tables"), re.MULTILINE))
    assert created == set(schema.TABLES)
    assert {table for table, _ in schema.key_statements()} == created


def test_every_foreign_key_can_be_followed_backwards() -> None:
    # Deleting a row looks for its children: without an index on the column that is a scan each.
    keys = schema.section("keys")
    for table, statement in schema.key_statements():
        for column in re.findall(r"foreign key \((\w+)\)", statement):
            leading = rf"(?:primary key|unique(?: nulls not distinct)?) \({column}\b"
            index = rf"create index \w+ on {table} \({column}\)"
            assert re.search(leading, statement) or re.search(index, keys), (table, column)

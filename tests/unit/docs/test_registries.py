"""No file records where packages come from: that is the machine's business."""

import pytest

from tests.unit.docs.markdown import ROOT, texts

# In two parts, so that this file does not name them either.
REGISTRIES = tuple(
    f"{host}.{domain}"
    for host, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo.maven", "apache"),
        ("repo1", "maven"),
        ("maven", "google"),
        ("central", "sonatype"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian"),
        ("ftp", "debian"),
        ("security", "debian"),
        ("proxy", "golang"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("registry-1", "docker"),
        ("docker", "elastic"),
        ("artifacts", "elastic"),
        ("ghcr", "io"),
        ("quay", "io"),
    )
)


def test_no_file_names_a_registry() -> None:
    found = [
        (str(path), registry)
        for path, text in texts()
        for registry in REGISTRIES
        if registry in text.lower()
    ]
    assert not found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locked_packages_carry_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "index-url" not in text

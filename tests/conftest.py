"""What every test gets. Fixtures of the real services stand in `tests/services.py`."""

pytest_plugins = ["tests.services"]

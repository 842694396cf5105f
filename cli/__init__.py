"""The one command, `disco`."""

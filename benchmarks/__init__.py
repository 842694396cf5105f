"""Measurements against the running stack, each with its bar."""

"""Completions while somebody types: phrases, snapshots, and the engine that searches them."""

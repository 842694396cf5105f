"""Event, coalesce, hydrate, write; verify and repair."""

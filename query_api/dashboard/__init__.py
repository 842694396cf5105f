"""The dashboard: how the service does, on one page."""

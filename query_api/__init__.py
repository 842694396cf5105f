"""The one way in: search over HTTP, and the web pages."""

"""Who may do what over HTTP: keys and their scopes."""

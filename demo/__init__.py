"""The demo catalogue, an application that writes to it and publishes events, a load generator."""

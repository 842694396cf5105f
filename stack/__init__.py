"""Real PostgreSQL, RabbitMQ and Elasticsearch on one machine, for the demo and the tests."""

"""What the tests against a real Kafka are made of: processes, the broker, the services, records, and the auditor."""

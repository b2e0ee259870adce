"""The kit of the tests against a real Kafka: processes, the broker, the services, records, and the auditor."""

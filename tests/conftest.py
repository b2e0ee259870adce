"""What the rings in Python share."""


def pytest_configure(config):
    config.addinivalue_line("markers", "core: also runs with the system's librdkafka (the part `library` of run.sh)")

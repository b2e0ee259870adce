"""Shared by the rings in Python."""


def pytest_configure(config):
    config.addinivalue_line("markers", "core: also runs with the system's librdkafka (the part `library` of run.sh)")

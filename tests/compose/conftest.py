"""The daemon, and the images that are made once for all tests of this folder."""
import pytest

import containers


@pytest.fixture(scope="session")
def daemon():
    own = containers.Daemon()
    try:
        own.start()
    except containers.Unavailable as why:
        pytest.skip(str(why))
    yield own
    own.stop()


@pytest.fixture(scope="session")
def images(daemon):
    try:
        containers.make_images()
    except containers.Unavailable as why:
        pytest.skip(str(why))
    containers.say(containers.STAND_INS)

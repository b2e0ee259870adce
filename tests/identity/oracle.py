"""Asks botocore whom it would call Bedrock as. Reads JSON objects {"env", "profile"} from standard input, a line each
(`profile`: as if the settings named it, or null), and answers each with {"key", "token"}, {"bearer"} or {"refused"}; a
fork of this process answers, so that no environment sees what another one left."""
import json
import logging
import os
import sys

import botocore.credentials
import botocore.session
import botocore.tokens


def enter(env):
    """Makes this process one that was started in the environment."""
    os.environ.clear()
    os.environ.update(env)
    cache = os.path.expanduser("~/.aws/sso/cache")      # these two know the home of the time when they were imported
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)


def ask(profile):
    logging.getLogger("botocore").addHandler(logging.NullHandler())
    try:
        bearer = None if profile else os.environ.get("AWS_BEARER_TOKEN_BEDROCK")
        if bearer:
            return {"bearer": bearer}
        credentials = botocore.session.Session(profile=profile).get_credentials()
        if credentials is None:
            return {"refused": "no provider has any"}
        frozen = credentials.get_frozen_credentials()
    except Exception as error:                          # pylint: disable=broad-except  # whatever it is, botocore gave up
        return {"refused": f"{type(error).__name__}: {error}"}
    if not frozen.access_key or not frozen.secret_key:
        return {"refused": "empty keys"}
    return {"key": frozen.access_key, "token": frozen.token or None}


def answer(line):
    """The answer's text, from a fork."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()                                     # getpass must find no terminal
        enter(line["env"])
        os.write(theirs, json.dumps(ask(line["profile"])).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


if __name__ == "__main__":
    for asked in sys.stdin:
        print(answer(json.loads(asked)), flush=True)

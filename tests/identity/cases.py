"""What an environment of the table is made of: variables, files, cached logins, services.

`{home}`, `{sts}` and the other services' names stand for places; a variable that is None is not set. An access key id that
begins with AKIA is known to the services, with the secret of `keys`."""
import dataclasses
import hashlib
import json
import re
import typing

import p256
from servers import HOUR, SERVICES, stamp

ROLE = "arn:aws:iam::111122223333:role/"
START = "https://canary.awsapps.com/start"
USUAL = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{imds}",
    "AWS_ENDPOINT_URL_STS": "{sts}",
    "AWS_ENDPOINT_URL_SSO": "{sso}",
    "AWS_ENDPOINT_URL_SSO_OIDC": "{oidc}",
    "AWS_ENDPOINT_URL_SIGNIN": "{signin}",
}


@dataclasses.dataclass
class Case:
    name: str
    env: dict = dataclasses.field(default_factory=dict)
    config: typing.Optional[str] = None                 # ~/.aws/config
    credentials: typing.Optional[str] = None            # ~/.aws/credentials
    files: dict = dataclasses.field(default_factory=dict)   # path below ~: text
    world: typing.Callable = lambda world: None         # prepares the services
    profile: typing.Optional[str] = None                # bedrock.identity.profile of the settings
    real: bool = False                                  # the services lie at their own addresses
    differs: str = ""                                   # why the worker must find something else than botocore
    expect: str = ""                                    # then: "key" or "refused"


def keys(name, token=None):
    lines = f"aws_access_key_id = AKIA{name}\naws_secret_access_key = canary-secret-of-AKIA{name}\n"
    return lines + (f"aws_session_token = {token}\n" if token else "")


def env_keys(name, **more):
    return {"AWS_ACCESS_KEY_ID": f"AKIA{name}", "AWS_SECRET_ACCESS_KEY": f"canary-secret-of-AKIA{name}", **more}


def printer(answer):
    """A script for credential_process."""
    return f"#!/bin/sh\ncat <<'EOF'\n{answer if isinstance(answer, str) else json.dumps(answer)}\nEOF\n"


def process_keys(name, **more):
    return {"Version": 1, "AccessKeyId": f"AKIA{name}", "SecretAccessKey": "canary-secret", **more}


# --- cached logins ---

def sso_file(name, **fields):
    """{path: text} of a cached login; `name` is that of the session or the start URL."""
    path = f".aws/sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json"
    return {path: json.dumps({key: value for key, value in fields.items() if value is not None})}


def sso_token(seconds, **more):
    return {"startUrl": START, "region": "us-east-1", "accessToken": "canary-access", "expiresAt": stamp(seconds), **more}


def registration(seconds=30 * 24 * HOUR):
    return {"clientId": "client", "clientSecret": "canary-secret-of-client", "registrationExpiresAt": stamp(seconds),
            "refreshToken": "canary-refresh"}


def knows_sso(world):
    world.sso_tokens.add("canary-access")
    world.refresh_tokens.add("canary-refresh")


def knows_only_refresh(world):
    world.refresh_tokens.add("canary-refresh")


LEGACY = f"""[default]
sso_start_url = {START}
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Reader
"""
SESSION = f"""[default]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Reader
[sso-session corp]
sso_start_url = {START}
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""
LOGIN = "arn:aws:iam::111122223333:user/canary"
LOGIN_PEM, LOGIN_POINT = p256.private_key_pem(0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF)


def login_token(seconds, **more):
    return {"accessToken": {"accessKeyId": "AKIALOGIN", "secretAccessKey": "canary-secret", "sessionToken": "canary-token",
                            "accountId": "111122223333", "expiresAt": stamp(seconds)},
            "tokenType": "aws_sigv4", "refreshToken": "canary-refresh", "idToken": "canary.id.token",
            "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": LOGIN_PEM, **more}


def login_file(token, name=LOGIN, folder=".aws/login/cache"):
    return {f"{folder}/{hashlib.sha256(name.encode()).hexdigest()}.json": token if isinstance(token, str)
            else json.dumps({key: value for key, value in token.items() if value is not None})}


def knows_login(world):
    world.login_tokens["canary-refresh"] = LOGIN_POINT


def denies_login(error):
    def prepare(world):
        world.login_tokens["canary-refresh"] = error
    return prepare


# --- services ---

def role_of_instance(world, role="instance-role"):
    world.instance_role = role


def modes(name, *answers, last=None):
    def prepare(world):
        service = world.services[name]
        service.modes = list(answers)
        service.mode = last if last is not None else service.mode
    return prepare


def both(*prepares):
    def prepare(world):
        for each in prepares:
            each(world)
    return prepare


def denies(*roles):
    return lambda world: world.denied_roles.update(ROLE + role for role in roles) or world.denied_roles.update(roles)


def wants(token):
    def prepare(world):
        world.container_token = token
    return prepare


def role(name, *lines):
    return f"[profile {name}]\nrole_arn = {ROLE}{name}\n" + "".join(line + "\n" for line in lines)


def chain(count):
    """`count` roles, each assumed by the keys of the next."""
    return "".join(role(f"r{i}", f"source_profile = r{i + 1}") for i in range(count - 1)) \
        + role(f"r{count - 1}", "source_profile = default")


WEB = {"AWS_ROLE_ARN": ROLE + "web", "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}
FULL = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{container}/get"}
DEFAULT = f"[default]\n{keys('DEFAULT')}"


PLACE = re.compile(r"\{(home|" + "|".join(kind.name for kind in SERVICES) + r")(?::(\w+))?\}")


def fill(text, home, world):
    """The text with its places: `{sts}` is a URL, `{sts:localhost}` the same with another host."""
    def place(found):
        name, host = found.groups()
        url = str(home) if name == "home" else world.url(name)
        return url.replace("127.0.0.1", host) if host else url
    return PLACE.sub(place, text)

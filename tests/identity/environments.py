"""The table of environments: variables, files and services, as operators have them. test_chain.py runs each one with
botocore and with the worker: both find the same keys, or both refuse.

`{home}`, `{sts}` and the other services' names stand for places; a variable that is None is not set. An access key id that begins with AKIA is known to the services, with the secret of `keys`."""
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

CASES = [
    # --- variables ---
    Case("keys_of_the_environment", env_keys("ENV")),
    Case("keys_and_a_session_token", env_keys("ENV", AWS_SESSION_TOKEN="canary-token")),
    Case("the_old_name_of_the_session_token", env_keys("ENV", AWS_SECURITY_TOKEN="canary-token")),
    Case("both_names_of_the_session_token",
         env_keys("ENV", AWS_SECURITY_TOKEN="canary-old", AWS_SESSION_TOKEN="canary-new")),
    Case("the_environment_wins_over_the_files", env_keys("ENV"), credentials=DEFAULT),
    Case("an_id_without_its_secret", {"AWS_ACCESS_KEY_ID": "AKIAENV"}, credentials=DEFAULT),
    Case("a_secret_without_its_id", {"AWS_SECRET_ACCESS_KEY": "canary"}, credentials=DEFAULT),
    Case("a_secret_without_its_id_and_no_file", {"AWS_SECRET_ACCESS_KEY": "canary"}),
    Case("an_empty_id", env_keys("ENV", AWS_ACCESS_KEY_ID=""), credentials=DEFAULT),
    Case("an_empty_secret", env_keys("ENV", AWS_SECRET_ACCESS_KEY=""), credentials=DEFAULT),
    Case("an_empty_session_token", env_keys("ENV", AWS_SESSION_TOKEN="")),
    Case("keys_beside_a_profile_that_exists", env_keys("ENV", AWS_PROFILE="x"), config=f"[profile x]\n{keys('X')}"),
    Case("keys_beside_a_profile_that_is_missing", env_keys("ENV", AWS_PROFILE="nowhere"), credentials=DEFAULT),
    Case("keys_beside_a_role_of_the_profile", env_keys("ENV", AWS_PROFILE="r"),
         config=role("r", "source_profile = default"), credentials=DEFAULT),
    Case("keys_that_have_expired", env_keys("ENV", AWS_CREDENTIAL_EXPIRATION=stamp(-60))),
    Case("keys_that_expire_later", env_keys("ENV", AWS_CREDENTIAL_EXPIRATION=stamp(HOUR))),
    Case("nothing_at_all"),
    Case("a_bearer_token", {**env_keys("ENV"), "AWS_BEARER_TOKEN_BEDROCK": "canary-bearer"}),

    # --- files ---
    Case("default_of_the_credentials_file", credentials=DEFAULT),
    Case("default_of_the_config_file", config=DEFAULT),
    Case("keys_in_both_files", config=f"[default]\n{keys('CONFIG')}", credentials=f"[default]\n{keys('CREDENTIALS')}"),
    Case("id_in_one_file_and_secret_in_the_other", config="[default]\naws_secret_access_key = canary-secret-of-AKIAX\n",
         credentials="[default]\naws_access_key_id = AKIAX\n"),
    Case("secret_in_one_file_and_keys_in_the_other", config=f"[default]\n{keys('CONFIG')}",
         credentials="[default]\naws_secret_access_key = canary\n"),
    Case("a_profile_of_the_config_file", {"AWS_PROFILE": "x"}, config=f"[profile x]\n{keys('X')}"),
    Case("a_profile_without_its_prefix_in_the_config_file", {"AWS_PROFILE": "x"}, config=f"[x]\n{keys('X')}"),
    Case("a_profile_with_a_prefix_in_the_credentials_file", {"AWS_PROFILE": "x"}, credentials=f"[profile x]\n{keys('X')}"),
    Case("a_profile_of_the_credentials_file", {"AWS_PROFILE": "x"}, credentials=f"{DEFAULT}[x]\n{keys('X')}"),
    Case("default_with_a_prefix_last", config=f"[default]\n{keys('PLAIN')}[profile default]\n{keys('PREFIXED')}"),
    Case("default_with_a_prefix_only", config=f"[profile default]\n{keys('PREFIXED')}"),
    Case("the_other_name_of_the_profile_variable", {"AWS_DEFAULT_PROFILE": "x"},
         credentials=f"{DEFAULT}[x]\n{keys('X')}"),
    Case("both_names_of_the_profile_variable", {"AWS_DEFAULT_PROFILE": "x", "AWS_PROFILE": "y"},
         credentials=f"[x]\n{keys('X')}[y]\n{keys('Y')}"),
    Case("a_profile_that_is_missing", {"AWS_PROFILE": "nowhere"}, credentials=DEFAULT),
    Case("the_default_profile_named_but_missing", {"AWS_PROFILE": "default"}, credentials=f"[x]\n{keys('X')}"),
    Case("a_profile_name_in_double_quotes", {"AWS_PROFILE": "my profile"}, config=f'[profile "my profile"]\n{keys("X")}'),
    Case("a_profile_name_in_single_quotes", {"AWS_PROFILE": "x"}, config=f"[profile 'x']\n{keys('X')}"),
    Case("a_profile_name_after_many_blanks", {"AWS_PROFILE": "x"}, config=f"[profile \t x ]\n{keys('X')}"),
    Case("a_profile_name_of_another_case", {"AWS_PROFILE": "X"}, config=f"[profile x]\n{keys('X')}"),
    Case("comments_on_lines_of_their_own", credentials=f"# one\n[default]\n; two\n{keys('X')}  # three\n"),
    Case("names_in_upper_case", credentials="[default]\nAWS_ACCESS_KEY_ID = AKIAX\nAws_Secret_Access_Key = canary\n"),
    Case("no_blanks_around_the_equals_sign", credentials="[default]\naws_access_key_id=AKIAX\naws_secret_access_key=a=b=\n"),
    Case("tabs_around_the_equals_sign",
         credentials="[default]\naws_access_key_id\t=\tAKIAX\naws_secret_access_key\t=\tcanary\n"),
    Case("lines_that_end_with_cr_lf", credentials=DEFAULT.replace("\n", "\r\n")),
    Case("a_file_without_a_last_line_feed", credentials=DEFAULT.rstrip("\n")),
    Case("blank_lines_everywhere", credentials="\n\n" + DEFAULT.replace("\n", "\n\n")),
    Case("an_empty_key", credentials="[default]\naws_access_key_id =\naws_secret_access_key =\n"),
    Case("a_session_token_of_the_profile", credentials=f"[default]\n{keys('X', 'canary-token')}"),
    Case("the_old_name_of_the_session_token_in_a_file",
         credentials=f"[default]\n{keys('X')}aws_security_token = canary-token\n"),
    Case("a_property_before_any_section", credentials=f"region = x\n{DEFAULT}"),
    Case("a_section_without_its_bracket", credentials=f"[default\n{keys('X')}"),
    Case("keys_of_a_nested_section_do_not_count",
         config=f"[default]\ns3 =\n  aws_access_key_id = AKIANESTED\n  aws_secret_access_key = x\n"),
    Case("keys_after_a_nested_section", config=f"[default]\ns3 =\n  addressing_style = path\n{keys('X')}"),
    Case("other_sections_do_not_count", config=f"[plugins]\n{keys('P')}[preview]\n{keys('Q')}[sso-session default]\n"
         f"{keys('S')}[services default]\n{keys('V')}"),
    Case("a_config_file_elsewhere", {"AWS_CONFIG_FILE": "{home}/elsewhere"}, files={"elsewhere": DEFAULT}),
    Case("a_config_file_below_the_home", {"AWS_CONFIG_FILE": "~/elsewhere"}, files={"elsewhere": DEFAULT}),
    Case("a_credentials_file_below_the_home", {"AWS_SHARED_CREDENTIALS_FILE": "~/elsewhere"},
         files={"elsewhere": DEFAULT}),
    Case("a_path_with_a_variable", {"AWS_CONFIG_FILE": "$SOMEWHERE/elsewhere", "SOMEWHERE": "{home}"},
         files={"elsewhere": DEFAULT}),
    Case("a_path_with_a_variable_in_braces", {"AWS_SHARED_CREDENTIALS_FILE": "${SOMEWHERE}/elsewhere", "SOMEWHERE": "{home}"},
         files={"elsewhere": DEFAULT}),
    Case("a_config_file_that_is_missing", {"AWS_CONFIG_FILE": "{home}/nowhere"}, config=f"[default]\n{keys('CONFIG')}",
         credentials=DEFAULT),
    Case("a_config_file_that_is_a_folder", {"AWS_CONFIG_FILE": "{home}/folder"}, credentials=DEFAULT,
         files={"folder/x": ""}),
    Case("an_empty_credentials_file", config=DEFAULT, credentials=""),
    Case("a_profile_without_keys", {"AWS_PROFILE": "x"}, config="[profile x]\nregion = eu-west-1\n", credentials=DEFAULT),
    Case("a_token_beside_keys_of_the_other_file", config=f"[default]\naws_session_token = canary\n", credentials=DEFAULT),

    # --- roles ---
    Case("a_role_by_a_source_profile", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = default"),
         credentials=DEFAULT),
    Case("a_role_in_the_default_profile", config=f"[default]\nrole_arn = {ROLE}d\nsource_profile = x\n",
         credentials=f"[x]\n{keys('X')}"),
    Case("a_role_of_the_credentials_file", {"AWS_PROFILE": "r"},
         credentials=f"[r]\nrole_arn = {ROLE}r\nsource_profile = x\n[x]\n{keys('X')}"),
    Case("a_role_with_everything", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "external_id = a b+c/é", "role_session_name = me@work",
                     "duration_seconds = 900")),
    Case("a_duration_that_is_no_number", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "duration_seconds = long")),
    Case("a_role_by_temporary_keys", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = default"),
         credentials=f"[default]\n{keys('X', 'canary-token-of-AKIAX')}"),
    Case("a_chain_of_roles", {"AWS_PROFILE": "a"}, credentials=DEFAULT,
         config=role("a", "source_profile = b") + role("b", "source_profile = c") + role("c", "source_profile = default")),
    Case("a_chain_of_ten_roles", {"AWS_PROFILE": "r0"}, credentials=DEFAULT, config=chain(10)),
    Case("a_chain_of_twenty_roles", {"AWS_PROFILE": "r0"}, credentials=DEFAULT, config=chain(20),
         differs="a chain has at most 16 profiles", expect="refused"),
    Case("a_chain_that_bites_its_tail", {"AWS_PROFILE": "a"}, credentials=DEFAULT,
         config=role("a", "source_profile = b") + role("b", "source_profile = a")),
    Case("a_chain_that_bites_its_middle", {"AWS_PROFILE": "a"}, credentials=DEFAULT,
         config=role("a", "source_profile = b") + role("b", "source_profile = c") + role("c", "source_profile = b")),
    Case("a_role_by_the_keys_of_its_own_profile", {"AWS_PROFILE": "r"},
         config=role("r", "source_profile = r", keys("OWN"))),
    Case("a_role_by_itself_without_keys", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = r"),
         credentials=DEFAULT),
    Case("a_source_profile_that_is_missing", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = nowhere"),
         credentials=DEFAULT),
    Case("a_source_profile_without_keys", {"AWS_PROFILE": "r"},
         config=role("r", "source_profile = x") + "[profile x]\nregion = us-east-1\n", credentials=DEFAULT),
    Case("a_source_profile_with_keys_and_a_role", {"AWS_PROFILE": "r"},
         config=role("r", "source_profile = x") + role("x", "source_profile = default", keys("X")), credentials=DEFAULT),
    Case("a_source_profile_with_half_a_key", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = x") + "[profile x]\naws_access_key_id = AKIAX\n"),
    Case("a_source_profile_with_a_process", {"AWS_PROFILE": "r"},
         config=role("r", "source_profile = x") + "[profile x]\ncredential_process = sh {home}/run\n",
         files={"run": printer({"Version": 1, "AccessKeyId": "AKIAPROCESS",
                                "SecretAccessKey": "canary-secret-of-AKIAPROCESS"})}),
    Case("a_source_profile_with_web_identity", {"AWS_PROFILE": "r"}, files={"token": "canary.jwt"},
         config=role("r", "source_profile = w") + role("w", "web_identity_token_file = {home}/token")),
    Case("a_source_profile_with_a_login", {"AWS_PROFILE": "r"}, files=sso_file(START, **sso_token(HOUR)), world=knows_sso,
         config=role("r", "source_profile = default") + LEGACY),
    Case("a_role_without_a_source", {"AWS_PROFILE": "r"}, config=role("r"), credentials=DEFAULT),
    Case("a_role_without_a_source_beside_keys", {"AWS_PROFILE": "r"}, config=role("r", keys("OWN"))),
    Case("a_role_with_two_sources", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "credential_source = Environment")),
    Case("a_role_by_the_environment", env_keys("ENV"), profile="r",
         config=role("r", "credential_source = Environment")),
    Case("a_role_by_an_empty_environment", {"AWS_PROFILE": "r"}, config=role("r", "credential_source = Environment"),
         credentials=DEFAULT),
    Case("a_role_by_the_container", {**FULL, "AWS_PROFILE": "r"}, config=role("r", "credential_source = EcsContainer")),
    Case("a_role_by_a_container_that_is_missing", {"AWS_PROFILE": "r"},
         config=role("r", "credential_source = EcsContainer"), credentials=DEFAULT),
    Case("a_role_by_the_instance", {"AWS_PROFILE": "r"}, config=role("r", "credential_source = Ec2InstanceMetadata"),
         world=role_of_instance),
    Case("a_role_by_an_instance_without_one", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "credential_source = Ec2InstanceMetadata")),
    Case("a_credential_source_that_is_unknown", {"AWS_PROFILE": "r"}, config=role("r", "credential_source = Moon"),
         credentials=DEFAULT),
    Case("a_credential_source_in_lower_case", {**FULL, "AWS_PROFILE": "r"},
         config=role("r", "credential_source = ecscontainer")),
    Case("a_chain_that_ends_at_the_instance", {"AWS_PROFILE": "a"}, world=role_of_instance,
         config=role("a", "source_profile = b") + role("b", "credential_source = Ec2InstanceMetadata")),
    Case("a_role_that_is_denied", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = default"),
         credentials=f"{DEFAULT}[r]\n{keys('OWN')}", world=denies("r")),
    Case("a_role_that_wants_mfa", {"AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "mfa_serial = arn:aws:iam::111122223333:mfa/me")),
    Case("a_role_by_keys_that_sts_does_not_know", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = x"),
         credentials="[x]\naws_access_key_id = AKIAX\naws_secret_access_key = wrong\n"),
    Case("a_role_wins_over_the_keys_of_its_profile", {"AWS_PROFILE": "r"}, config=role("r", "source_profile = default"),
         credentials=f"{DEFAULT}[r]\n{keys('OWN')}"),

    # --- web identity ---
    Case("web_identity_of_the_environment", WEB, files={"token": "canary.jwt\n"}),
    Case("web_identity_with_a_session_name", {**WEB, "AWS_ROLE_SESSION_NAME": "pod-7"}, files={"token": "canary.jwt"}),
    Case("web_identity_wins_over_the_files", WEB, files={"token": "canary.jwt"}, config=DEFAULT, credentials=DEFAULT),
    Case("keys_win_over_web_identity", {**WEB, **env_keys("ENV")}, files={"token": "canary.jwt"}),
    Case("a_role_of_the_profile_wins_over_web_identity", {**WEB, "AWS_PROFILE": "r"}, files={"token": "canary.jwt"},
         config=role("r", "source_profile = default"), credentials=DEFAULT),
    Case("web_identity_of_a_profile", {"AWS_PROFILE": "w"}, files={"token": "canary.jwt"},
         config=role("w", "web_identity_token_file = {home}/token", "role_session_name = from-profile")),
    Case("web_identity_of_both", {**WEB, "AWS_PROFILE": "w"}, files={"token": "canary.jwt", "other": "other.jwt"},
         config=role("w", "web_identity_token_file = {home}/other")),
    Case("web_identity_with_the_role_of_the_profile", {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token", "AWS_PROFILE": "w"},
         files={"token": "canary.jwt"}, config=role("w", "web_identity_token_file = {home}/token")),
    Case("web_identity_without_a_role", {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}, files={"token": "canary.jwt"},
         credentials=DEFAULT),
    Case("a_role_of_the_environment_without_a_token", {"AWS_ROLE_ARN": ROLE + "web"}, credentials=DEFAULT),
    Case("an_empty_name_of_a_token_file", {**WEB, "AWS_WEB_IDENTITY_TOKEN_FILE": ""}, credentials=DEFAULT),
    Case("a_token_file_that_is_missing", WEB, credentials=DEFAULT),
    Case("a_token_that_has_expired", WEB, files={"token": "old.jwt"}, credentials=DEFAULT,
         world=lambda world: world.expired_tokens.add("old.jwt")),
    Case("a_profile_of_the_settings_wins_over_web_identity", WEB, files={"token": "canary.jwt"}, credentials=DEFAULT,
         profile="default"),

    # --- SSO ---
    Case("a_legacy_login", config=LEGACY, files=sso_file(START, **sso_token(HOUR)), world=knows_sso),
    Case("a_legacy_login_as_old_clients_wrote_it", config=LEGACY, world=knows_sso,
         files=sso_file(START, **sso_token(HOUR, expiresAt=stamp(HOUR).replace("Z", "UTC")))),
    Case("a_legacy_login_that_has_expired", config=LEGACY, files=sso_file(START, **sso_token(-60)), world=knows_sso),
    Case("a_legacy_login_is_never_renewed", config=LEGACY, files=sso_file(START, **sso_token(-60), **registration()),
         world=knows_sso),
    Case("a_legacy_login_that_never_was", config=LEGACY, credentials="[other]\nregion = x\n"),
    Case("a_login", config=SESSION, files=sso_file("corp", **sso_token(HOUR), **registration()), world=knows_sso),
    Case("a_login_under_the_legacy_name", config=SESSION, files=sso_file(START, **sso_token(HOUR)), world=knows_sso),
    Case("a_login_that_is_renewed_before_its_end", config=SESSION, world=knows_sso,
         files=sso_file("corp", **sso_token(5 * 60), **registration())),
    Case("a_login_that_is_renewed_after_its_end", config=SESSION, world=knows_only_refresh,
         files=sso_file("corp", **sso_token(-60), **registration())),
    Case("a_login_that_ends_soon_and_cannot_be_renewed", config=SESSION, files=sso_file("corp", **sso_token(5 * 60)),
         world=knows_sso),
    Case("a_login_that_has_ended_and_cannot_be_renewed", config=SESSION, files=sso_file("corp", **sso_token(-60)),
         world=knows_sso),
    Case("a_login_whose_registration_has_ended", config=SESSION, world=knows_sso,
         files=sso_file("corp", **sso_token(-60), **registration(-60))),
    Case("a_login_whose_renewal_is_refused", config=SESSION, world=lambda world: world.sso_tokens.add("canary-access"),
         files=sso_file("corp", **sso_token(5 * 60), **registration())),
    Case("an_ended_login_whose_renewal_is_refused", config=SESSION, files=sso_file("corp", **sso_token(-60), **registration())),
    Case("a_login_that_the_portal_does_not_know", config=SESSION, files=sso_file("corp", **sso_token(HOUR))),
    Case("a_login_without_a_file", config=SESSION, credentials="[other]\nregion = x\n"),
    Case("a_login_file_that_is_no_json", config=SESSION, files={
        f".aws/sso/cache/{hashlib.sha1(b'corp').hexdigest()}.json": '{"accessToken": "canary-acc'}, world=knows_sso),
    Case("a_login_file_without_an_end", config=SESSION, world=knows_sso,
         files=sso_file("corp", **sso_token(HOUR, expiresAt=None))),
    Case("an_sso_session_that_is_missing", config=SESSION.replace("[sso-session corp]", "[sso-session other]"),
         files=sso_file("corp", **sso_token(HOUR)), world=knows_sso),
    Case("an_sso_session_of_another_region", config=SESSION.replace("sso_session", "sso_region = eu-west-1\nsso_session", 1),
         files=sso_file("corp", **sso_token(HOUR)), world=knows_sso),
    Case("an_sso_session_without_a_region",
         config=SESSION.replace("sso_region = us-east-1\n", "").replace("sso_session", "sso_region = us-east-1\nsso_session", 1),
         files=sso_file("corp", **sso_token(HOUR)), world=knows_sso),
    Case("an_sso_session_without_a_start_url", config=SESSION.replace(f"sso_start_url = {START}\n", ""),
         files=sso_file("corp", **sso_token(HOUR)), world=knows_sso),
    Case("an_account_without_a_role_name", config=LEGACY.replace("sso_role_name = Reader\n", ""), world=knows_sso,
         files=sso_file(START, **sso_token(HOUR)), credentials=DEFAULT),
    Case("a_start_url_without_an_account", config=f"[default]\nsso_start_url = {START}\nsso_region = us-east-1\n",
         files=sso_file(START, **sso_token(HOUR)), credentials=DEFAULT, world=knows_sso),
    Case("a_session_without_an_account", config="[default]\nsso_session = corp\n" + SESSION[SESSION.index("[sso-session"):],
         files=sso_file("corp", **sso_token(HOUR)), credentials=DEFAULT, world=knows_sso),
    Case("sso_wins_over_keys", config=SESSION, credentials=DEFAULT, files=sso_file("corp", **sso_token(HOUR)),
         world=knows_sso),
    Case("a_broken_login_does_not_fall_through", config=SESSION, credentials=DEFAULT,
         files=sso_file("corp", **sso_token(-60)), world=knows_sso),
    Case("web_identity_wins_over_sso", WEB, config=SESSION, world=knows_sso,
         files={"token": "canary.jwt", **sso_file("corp", **sso_token(HOUR))}),
    Case("an_sso_role_that_is_denied", config=SESSION, files=sso_file("corp", **sso_token(HOUR)), credentials=DEFAULT,
         world=both(knows_sso, denies("Reader"))),
    Case("the_session_of_another_profile", {"AWS_PROFILE": "two"}, world=knows_sso,
         config=SESSION + "[profile two]\nsso_session = corp\nsso_account_id = 444455556666\nsso_role_name = Writer\n",
         files=sso_file("corp", **sso_token(HOUR))),

    # --- aws login ---
    Case("a_console_login", config=f"[default]\nlogin_session = {LOGIN}\n", files=login_file(login_token(HOUR))),
    Case("a_console_login_is_renewed_before_its_end", config=f"[default]\nlogin_session = {LOGIN}\n", world=knows_login,
         files=login_file(login_token(60))),
    Case("a_console_login_is_renewed_after_its_end", config=f"[default]\nlogin_session = {LOGIN}\n", world=knows_login,
         files=login_file(login_token(-60))),
    Case("a_console_login_of_another_region", config=f"[default]\nlogin_session = {LOGIN}\n", world=knows_login,
         files=login_file(login_token(-60, signInRegion="eu-west-1"))),
    Case("a_console_login_that_ends_soon_and_is_not_renewed", config=f"[default]\nlogin_session = {LOGIN}\n",
         files=login_file(login_token(12 * 60)), world=denies_login("TOKEN_EXPIRED")),
    Case("a_console_login_that_may_not_be_renewed", config=f"[default]\nlogin_session = {LOGIN}\n", credentials="",
         files=login_file(login_token(-60)), world=denies_login("INSUFFICIENT_PERMISSIONS")),
    Case("a_console_login_after_a_new_password", config=f"[default]\nlogin_session = {LOGIN}\n",
         files=login_file(login_token(-60)), world=denies_login("USER_CREDENTIALS_CHANGED")),
    Case("a_console_login_without_a_file", config=f"[default]\nlogin_session = {LOGIN}\n{keys('CONFIG')}"),
    Case("a_console_login_without_a_key", config=f"[default]\nlogin_session = {LOGIN}\n",
         files=login_file(login_token(HOUR, dpopKey=None))),
    Case("a_console_login_with_a_broken_key", config=f"[default]\nlogin_session = {LOGIN}\n", world=knows_login,
         files=login_file(login_token(-60, dpopKey=LOGIN_PEM[:90]))),
    Case("a_console_login_that_is_no_json", config=f"[default]\nlogin_session = {LOGIN}\n", files=login_file("{")),
    Case("a_console_login_elsewhere", {"AWS_LOGIN_CACHE_DIRECTORY": "~/logins"},
         config=f"[default]\nlogin_session = {LOGIN}\n", files=login_file(login_token(HOUR), folder="logins")),
    Case("keys_of_the_credentials_file_win_over_a_console_login", config=f"[default]\nlogin_session = {LOGIN}\n",
         credentials=DEFAULT, files=login_file(login_token(HOUR))),
    Case("a_console_login_wins_over_a_process_and_keys_of_the_config_file",
         config=f"[default]\nlogin_session = {LOGIN}\ncredential_process = sh {{home}}/run\n{keys('CONFIG')}",
         files={"run": printer(process_keys("PROCESS")), **login_file(login_token(HOUR))}),

    # --- credential_process ---
    Case("a_process", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS", SessionToken="canary-token", Expiration=stamp(HOUR)))}),
    Case("a_process_whose_keys_never_end", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS"))}),
    Case("a_process_of_the_credentials_file", credentials="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS"))}),
    Case("a_process_with_quotes", config="[default]\ncredential_process = sh '{home}/my \"run\"' \"a b\" c\\ d\n",
         files={'my "run"': '#!/bin/sh\n[ "$1-$2-$#" = "a b-c d-2" ] || exit 1\n' + printer(process_keys("QUOTED"))}),
    Case("a_process_without_a_shell", config="[default]\ncredential_process = sh {home}/run $HOME *\n",
         files={"run": '#!/bin/sh\n[ "$1" = "\\$HOME" ] && [ "$2" = "*" ] || [ "$1" = \'$HOME\' ] || exit 1\n'
                + printer(process_keys("PLAIN"))}),
    Case("a_process_with_an_open_quote", config="[default]\ncredential_process = sh '{home}/run\n",
         files={"run": printer(process_keys("PROCESS"))}),
    Case("a_process_of_another_version", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS", Version=2))}),
    Case("a_process_that_fails", config=f"[default]\ncredential_process = sh {{home}}/run\n{keys('CONFIG')}",
         files={"run": printer(process_keys("PROCESS")) + "echo canary >&2\nexit 3\n"}),
    Case("a_process_that_is_missing", config=f"[default]\ncredential_process = {{home}}/nowhere\n{keys('CONFIG')}"),
    Case("an_empty_process", config=f"[default]\ncredential_process =\n{keys('CONFIG')}"),
    Case("a_process_that_says_nothing", config="[default]\ncredential_process = true\n"),
    Case("a_process_without_a_secret", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer({"Version": 1, "AccessKeyId": "AKIAPROCESS"})}),
    Case("a_process_whose_keys_have_expired", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS", SessionToken="t", Expiration=stamp(-60)))}),
    Case("a_process_that_says_more", config="[default]\ncredential_process = sh {home}/run\n",
         files={"run": printer(process_keys("PROCESS", AccountId="111122223333", Extra={"a": [1]}))}),
    Case("a_process_wins_over_keys_of_the_config_file", config=f"[default]\ncredential_process = sh {{home}}/run\n{keys('C')}",
         files={"run": printer(process_keys("PROCESS"))}),
    Case("keys_of_the_credentials_file_win_over_a_process", config="[default]\ncredential_process = sh {home}/run\n",
         credentials=DEFAULT, files={"run": printer(process_keys("PROCESS"))}),

    # --- container ---
    Case("a_container", FULL),
    Case("a_container_by_name", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{container:localhost}/get"}),
    Case("a_container_with_a_token", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic canary"},
         world=wants("Basic canary")),
    Case("a_container_with_a_token_file", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token"},
         files={"token": "canary"}, world=wants("canary")),
    Case("a_container_with_both_tokens", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token",
                                          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"},
         files={"token": "canary"}, world=wants("canary")),
    Case("a_container_with_a_wrong_token", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"}, world=wants("canary")),
    Case("a_container_token_with_a_line_feed", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token"},
         files={"token": "canary\nX-Injected: yes"}),
    Case("a_container_token_with_a_last_line_feed", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token"},
         files={"token": "canary\n"}, world=wants("canary")),
    Case("a_container_token_with_a_carriage_return", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary\rx"}),
    Case("a_container_token_file_that_is_missing", {**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/nowhere"}),
    Case("a_container_after_the_keys_of_the_config_file", FULL, config=DEFAULT),
    Case("a_container_before_the_instance", FULL, world=role_of_instance),
    Case("a_broken_container_does_not_fall_through", FULL,
         world=both(role_of_instance, modes("container", last=500))),
    Case("a_container_that_fails_once", FULL, world=modes("container", 500)),
    Case("a_container_at_another_loopback_address", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.2:1/get"}),
    Case("a_container_at_a_strange_host", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/get"}),
    Case("a_container_at_a_host_like_loopback", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.example.com/get"}),
    Case("a_container_behind_user_info", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1@example.com/get"}),
    Case("a_container_with_tls_that_is_not_there", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://127.0.0.1:1/get"}),
    Case("a_container_address_that_is_none", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "get"}),
    Case("a_container_by_a_path", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/abc?id=1"}, real=True),
    Case("a_container_by_a_path_with_a_token", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/abc",
                                                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary"},
         world=wants("canary"), real=True),
    Case("a_container_by_both", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/abc",
                                 "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{trap}/get"}, real=True),
    Case("a_pod_identity", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token"},
         files={"token": "canary"}, world=wants("canary"), real=True),
    Case("a_pod_identity_by_ipv6", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1/credentials",
                                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token"},
         files={"token": "canary"}, world=wants("canary"), real=True),

    # --- instance ---
    Case("an_instance", world=role_of_instance),
    Case("an_instance_without_a_role"),
    Case("an_instance_at_its_own_address", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": None}, world=role_of_instance, real=True),
    Case("an_instance_by_ipv6", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": None,
                                 "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, world=role_of_instance, real=True),
    Case("an_instance_mode_of_the_profile", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": None}, world=role_of_instance, real=True,
         config="[default]\nec2_metadata_service_endpoint_mode = ipv6\n"),
    Case("an_instance_mode_that_is_unknown", {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"}, world=role_of_instance),
    Case("an_instance_mode_beside_an_endpoint", {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, world=role_of_instance),
    Case("an_instance_endpoint_of_the_profile", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": None}, world=role_of_instance,
         config="[default]\nec2_metadata_service_endpoint = {imds}/\n"),
    Case("an_instance_endpoint_of_both", world=role_of_instance,
         config="[default]\nec2_metadata_service_endpoint = {trap}\n"),
    Case("an_instance_endpoint_that_is_no_url", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "not a url"}, world=role_of_instance),
    Case("metadata_disabled", {"AWS_EC2_METADATA_DISABLED": "true"}, world=role_of_instance),
    Case("metadata_disabled_in_capitals", {"AWS_EC2_METADATA_DISABLED": "TRUE"}, world=role_of_instance),
    Case("metadata_not_disabled", {"AWS_EC2_METADATA_DISABLED": "false"}, world=role_of_instance),
    Case("metadata_disabled_by_another_word", {"AWS_EC2_METADATA_DISABLED": "1"}, world=role_of_instance),
    Case("an_instance_whose_keys_are_old", world=both(role_of_instance, modes("imds", "well", "well", "old"))),
    Case("an_instance_whose_role_is_broken", world=lambda world: role_of_instance(world, "")),
    Case("an_instance_with_a_profile_without_keys", {"AWS_PROFILE": "x"}, config="[profile x]\nregion = eu-west-1\n",
         world=role_of_instance),
    Case("an_instance_behind_a_proxy", {"HTTP_PROXY": "{trap}", "http_proxy": "{trap}", "NO_PROXY": "none"},
         world=role_of_instance, differs="metadata is never proxied", expect="key"),
    Case("an_instance_with_version_1_only", differs="version 2 only", expect="refused",
         world=both(role_of_instance, modes("imds", 403), lambda world: setattr(world, "has_imds_v1", True))),

    # --- endpoints ---
    Case("sts_by_a_services_section", {"AWS_ENDPOINT_URL_STS": None, "AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "services = local")
         + "[services local]\nsts =\n  endpoint_url = {sts}\nbedrock_runtime =\n  endpoint_url = {trap}\n"),
    Case("sts_by_the_endpoint_of_the_profile", {"AWS_ENDPOINT_URL_STS": None, "AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "endpoint_url = {sts}")),
    Case("sts_by_the_endpoint_of_the_environment", {"AWS_ENDPOINT_URL_STS": None, "AWS_ENDPOINT_URL": "{sts}",
                                                    "AWS_PROFILE": "r"},
         credentials=DEFAULT, config=role("r", "source_profile = default", "endpoint_url = {trap}")),
    Case("a_services_section_that_is_missing", {"AWS_ENDPOINT_URL_STS": None, "AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "services = nowhere")),
    Case("endpoints_that_are_ignored", {"AWS_ENDPOINT_URL_STS": "{sts}", "AWS_PROFILE": "r", "HTTPS_PROXY": "http://127.0.0.1:1",
                                        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_MAX_ATTEMPTS": "1"},
         credentials=DEFAULT, config=role("r", "source_profile = default")),
    Case("sts_in_the_region_of_the_profile", {"AWS_DEFAULT_REGION": None, "AWS_PROFILE": "r"}, credentials=DEFAULT,
         config=role("r", "source_profile = default", "region = eu-west-1")),

    # --- a profile of the settings ---
    Case("a_profile_of_the_settings", env_keys("ENV", AWS_PROFILE="y"), profile="x",
         credentials=f"[x]\n{keys('X')}[y]\n{keys('Y')}"),
    Case("a_profile_of_the_settings_that_is_missing", env_keys("ENV"), profile="nowhere", credentials=DEFAULT),
    Case("a_profile_of_the_settings_without_keys", env_keys("ENV"), profile="x", config="[profile x]\nregion = x\n"),
]
NAMES = {case.name: case for case in CASES}


PLACE = re.compile(r"\{(home|" + "|".join(kind.name for kind in SERVICES) + r")(?::(\w+))?\}")


def fill(text, home, world):
    """The text with its places: `{sts}` is a URL, `{sts:localhost}` the same with another host."""
    def place(found):
        name, host = found.groups()
        url = str(home) if name == "home" else world.url(name)
        return url.replace("127.0.0.1", host) if host else url
    return PLACE.sub(place, text)

"""Everything that gives out AWS credentials, on this machine: STS, the portal and the OIDC service of IAM Identity Center
(SSO), the sign-in service of `aws login`, a container's endpoint and the instance metadata service. They check what they
get (signatures with botocore's signer, proofs of possession with p256.py), and each can misbehave.

The access key id that a service gives out is a hash of what it was asked: two clients that get the same one have asked
the same, as the same caller."""
import base64
import datetime
import hashlib
import http.server
import json
import re
import socket
import socketserver
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import p256
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HOUR = 3600
HUGE = 10 * 1024 * 1024
MODES = ("well", "hang", "html", "half", "half_json", "huge", "bomb", "redirect", "garbage", "empty", "close", "old",
         "crlf", "deep", "nul", "list", "numbers")


def stamp(seconds, now=None):
    """An instant `seconds` from now, as AWS writes it."""
    at = datetime.datetime.fromtimestamp((now or time.time()) + seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def key_of(*parts):
    """The access key id for what was asked."""
    text = "|".join(str(part) for part in parts)
    return "ASIA" + base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


class Keys:
    """Access keys by id: a service accepts those that it knows."""

    def __init__(self):
        self.secrets = {}                               # id: (secret, token or None)

    def add(self, key_id, secret=None, token=None):
        self.secrets[key_id] = (secret or f"canary-secret-of-{key_id}", token)
        return key_id

    def issue(self, *asked):
        """(id, secret, token) of temporary keys."""
        key_id = key_of(*asked)
        self.secrets[key_id] = (f"canary-secret-of-{key_id}", f"canary-token-of-{key_id}")
        return (key_id, *self.secrets[key_id])


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status, code, message="refused", content_type="application/json", body=None):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.content_type, self.body = content_type, body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_all(self):
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with service.lock:
            service.requests.append((self.command, self.path, headers, body))
            mode = service.modes.pop(0) if service.modes else service.mode
        self.answer(service, mode, headers, body)

    do_GET = do_POST = do_PUT = do_HEAD = handle_all

    def answer(self, service, mode, headers, body):
        if mode == "hang":
            service.closing.wait(120)
            self.close_connection = True
            return
        if mode == "close":
            self.close_connection = True
            return
        if isinstance(mode, int):
            return self.send(mode, *service.failure)
        if mode == "redirect":
            return self.send(302, "text/plain", b"", {"Location": service.world.url("trap") + self.path})
        try:
            content_type, text = service.serve(self.command, self.path, headers, body, mode)
        except Refused as refused:
            text = refused.body or json.dumps({"__type": refused.code, "message": refused.message}).encode()
            return self.send(refused.status, refused.content_type, text, {"x-amzn-ErrorType": refused.code})
        self.send_spoilt(mode, content_type, text)

    def send_spoilt(self, mode, content_type, text):
        if mode == "html":
            return self.send(200, "text/html", b"<html><body><h1>Sign in to the hotel's network</h1></body></html>")
        if mode == "half":
            self.send_head(200, content_type, len(text))
            self.wfile.write(text[:len(text) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        if mode == "half_json":
            text = text[:len(text) // 2]
        elif mode == "huge":
            text = text[:-1] + b" " * HUGE + text[-1:]
        elif mode == "bomb":
            text = (b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "lol">'
                    + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12))
                    + b"]><AssumeRoleResponse><AccessKeyId>&a11;</AccessKeyId></AssumeRoleResponse>")
        elif mode == "garbage":
            text = hashlib.sha512(b"garbage").digest() * 8
        elif mode == "empty":
            text = b""
        elif mode == "deep":
            text = b"[" * 100000 if text[:1] == b"{" else b"<a>" * 100000
        elif mode == "list":
            text = b"[" + text + b"]"
        elif mode == "nul":
            text = text.replace(b"ASIA", b"AS\x00IA").replace(b'"AKIA', b'"AK\x00IA')
        self.send(200, content_type, text)

    def send_head(self, status, content_type, length, more=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, status, content_type, text, more=None):
        self.send_head(status, content_type, len(text), more)
        if self.command != "HEAD":
            try:
                self.wfile.write(text)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True            # a client that has read enough


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client may go at any time."""


class Server6(Server):
    address_family = socket.AF_INET6


class Service:
    """One of the services; `mode` says how it answers, and the first requests take theirs from `modes`."""
    name = ""
    failure = ("application/json", b'{"message": "canary of a failed service"}')

    def __init__(self, world, addresses=None):
        self.world, self.requests, self.modes, self.mode = world, [], [], "well"
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.servers = [(Server6 if ":" in address[0] else Server)(address, Handler)
                        for address in addresses or [("127.0.0.1", 0)]]
        for server in self.servers:
            server.service = self
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        host, port = self.servers[0].server_address[:2]
        return f"http://{'[' + host + ']' if ':' in host else host}" + (f":{port}" if port != 80 else "")

    def close(self):
        self.closing.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def serve(self, method, path, headers, body, mode):
        """(content type, bytes) of a good answer, or Refused."""
        raise NotImplementedError


def spoil_key(mode, key_id):
    return key_id + "\r\nX-Injected: canary" if mode == "crlf" else key_id


def life(world, mode):
    """Seconds until the keys of an answer expire."""
    return -2 * HOUR if mode == "old" else world.life


class Sts(Service):
    name = "sts"
    failure = ("text/xml", b"<ErrorResponse><Error><Code>InternalFailure</Code><Message>try again</Message></Error></ErrorResponse>")

    def serve(self, method, path, headers, body, mode):
        if method != "POST":
            raise self.refusal(400, "InvalidAction", "POST only")
        fields = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        if fields.pop("Version") != "2011-06-15":
            raise self.refusal(400, "InvalidAction", "wrong version")
        action = fields.pop("Action")
        if action == "AssumeRole":
            return self.assume(self.caller(method, path, headers, body), fields, mode)
        if action == "AssumeRoleWithWebIdentity":
            if "authorization" in headers:
                raise self.refusal(400, "SignatureDoesNotMatch", "this action is unsigned")
            token = fields.pop("WebIdentityToken")
            if token.strip() in self.world.expired_tokens:
                raise self.refusal(400, "ExpiredTokenException", f"Token expired: {token}")
            return self.assume("token " + token.strip(), fields, mode, "AssumeRoleWithWebIdentity")
        if action == "GetCallerIdentity":
            caller = self.caller(method, path, headers, body)
            arn = self.world.arns.get(caller, f"arn:aws:iam::111122223333:user/{caller}")
            return self.answer(action, f"<Arn>{arn}</Arn><UserId>AIDA{caller}</UserId><Account>111122223333</Account>")
        raise self.refusal(400, "InvalidAction", f"Could not find operation {action}")

    @staticmethod
    def refusal(status, code, message):
        body = (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n'
                f"    <Code>{code}</Code>\n    <Message>{escape(message)}</Message>\n  </Error>\n"
                "  <RequestId>0a1b2c3d-0000-4000-8000-000000000000</RequestId>\n</ErrorResponse>\n").encode()
        return Refused(status, code, message, "text/xml", body)

    @staticmethod
    def answer(action, result):
        return "text/xml", (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <{action}Result>\n    {result}\n'
            f"  </{action}Result>\n  <ResponseMetadata>\n    <RequestId>0a1b2c3d-0000-4000-8000-000000000000</RequestId>\n"
            f"  </ResponseMetadata>\n</{action}Response>\n").encode()

    def caller(self, method, path, headers, body):
        """The access key id that signed the request."""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sts/aws4_request, "
                             r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", headers.get("authorization", ""))
        if found is None:
            raise self.refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        key_id, day, region, signed, _ = found.groups()
        if key_id not in self.world.keys.secrets:
            raise self.refusal(403, "InvalidClientTokenId", f"The security token included in the request is invalid: {key_id}")
        secret, token = self.world.keys.secrets[key_id]
        sent = headers["x-amz-date"]
        at = datetime.datetime.strptime(sent, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(at - time.time() - self.world.clock_offset) > 15 * 60 or day != sent[:8]:
            raise self.refusal(403, "SignatureDoesNotMatch", f"Signature expired: {sent} is now earlier than it should be")
        if token is not None and headers.get("x-amz-security-token") != token:
            raise self.refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid")
        self.regions.append(region)
        self.check_signature(method, path, headers, body, (key_id, secret, token), region, signed, sent)
        return key_id

    def check_signature(self, method, path, headers, body, keys, region, signed, sent):
        names = signed.split(";")
        if not {"host", "x-amz-date"} <= set(names) or (keys[2] and "x-amz-security-token" not in names):
            raise self.refusal(403, "SignatureDoesNotMatch", "host, date and token must be signed")
        request = AWSRequest(method=method, url=f"http://{headers['host']}{path}", data=body,
                             headers={name: headers[name] for name in names if name != "host"})
        request.context["timestamp"] = sent
        signer = SigV4Auth(Credentials(*keys), "sts", region)
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        if not headers["authorization"].endswith(f"Signature={signature}"):
            raise self.refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")

    def assume(self, caller, fields, mode, action="AssumeRole"):
        role = fields.pop("RoleArn")
        name = fields.pop("RoleSessionName")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", name) or not re.fullmatch(r"arn:[\w+=/:,.@-]{20,2048}", role):
            raise self.refusal(400, "ValidationError", "1 validation error detected")
        if role in self.world.denied_roles:
            raise self.refusal(403, "AccessDenied", f"User: {caller} is not authorized to perform: sts:{action} on {role}")
        if re.match(r"(botocore-session-|bedrock-worker)", name):
            name = "the client's own"
        key_id, secret, token = self.world.keys.issue(action, caller, role, name, sorted(fields.items()))
        self.world.arns[key_id] = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/" + name
        seconds = life(self.world, mode)
        return self.answer(action, f"""<Credentials>
      <AccessKeyId>{escape(spoil_key(mode, key_id))}</AccessKeyId>
      <SecretAccessKey>{secret}</SecretAccessKey>
      <SessionToken>{token}</SessionToken>
      <Expiration>{stamp(seconds)}</Expiration>
    </Credentials>
    <AssumedRoleUser>
      <Arn>{self.world.arns[key_id]}</Arn>
      <AssumedRoleId>AROA123EXAMPLE123:{name}</AssumedRoleId>
    </AssumedRoleUser>
    <PackedPolicySize>6</PackedPolicySize>""")

    def __init__(self, *given):
        self.regions = []
        super().__init__(*given)


class Portal(Service):
    name = "sso"

    def serve(self, method, path, headers, body, mode):
        parts = urllib.parse.urlsplit(path)
        asked = dict(urllib.parse.parse_qsl(parts.query))
        token = headers.get("x-amz-sso_bearer_token")
        if method != "GET" or parts.path != "/federation/credentials":
            raise Refused(404, "UnknownOperationException")
        if "authorization" in headers:
            raise Refused(400, "InvalidRequestException", "this operation is unsigned")
        if token not in self.world.sso_tokens:
            raise Refused(401, "UnauthorizedException", "Session token not found or invalid")
        if asked["role_name"] in self.world.denied_roles:
            raise Refused(403, "ForbiddenException", "No access")
        key_id, secret, session = self.world.keys.issue("sso", asked["role_name"], asked["account_id"], token)
        expires = int((time.time() + life(self.world, mode)) * 1000)
        if mode == "numbers":
            expires = -1e300
        return "application/json", json.dumps({"roleCredentials": {
            "accessKeyId": spoil_key(mode, key_id), "secretAccessKey": secret, "sessionToken": session,
            "expiration": expires}}).encode()


class Oidc(Service):
    """CreateToken: a refresh token is good for one use."""
    name = "oidc"

    def serve(self, method, path, headers, body, mode):
        if (method, path) != ("POST", "/token") or "authorization" in headers:
            raise Refused(400, "InvalidRequestException")
        asked = json.loads(body)
        if asked["grantType"] != "refresh_token":
            raise Refused(400, "UnsupportedGrantTypeException")
        if asked["clientSecret"] != "canary-secret-of-" + asked["clientId"]:
            raise Refused(401, "InvalidClientException")
        with self.lock:
            if asked["refreshToken"] not in self.world.refresh_tokens:
                raise Refused(400, "InvalidGrantException", "Invalid refresh token provided")
            self.world.refresh_tokens.remove(asked["refreshToken"])
        token = "canary-access-" + hashlib.sha1(asked["refreshToken"].encode()).hexdigest()
        renewed = "canary-refresh-" + hashlib.sha1(asked["refreshToken"].encode()).hexdigest()
        self.world.sso_tokens.add(token)
        self.world.refresh_tokens.add(renewed)
        expires_in = 1e300 if mode == "numbers" else HOUR
        return "application/json", json.dumps({
            "accessToken": spoil_key(mode, token), "expiresIn": expires_in, "refreshToken": renewed,
            "tokenType": "Bearer"}).encode()


class SignIn(Service):
    """CreateOAuth2Token of `aws login`, with its proof of possession (RFC 9449)."""
    name = "signin"

    def serve(self, method, path, headers, body, mode):
        if (method, path) != ("POST", "/v1/token") or "authorization" in headers:
            raise Refused(400, "ValidationException")
        asked = json.loads(body)
        head, payload, public = p256.read_proof(headers["dpop"])
        if (head["typ"], head["alg"], head["jwk"]["kty"], head["jwk"]["crv"]) != ("dpop+jwt", "ES256", "EC", "P-256"):
            raise self.refusal("INVALID_REQUEST")
        if payload["htm"] != "POST" or payload["htu"] != self.url + "/v1/token" or payload["jti"] in self.proofs:
            raise self.refusal("INVALID_REQUEST")
        if abs(payload["iat"] - time.time() - self.world.clock_offset) > 300 or not isinstance(payload["iat"], int):
            raise self.refusal("INVALID_REQUEST")
        self.proofs.add(payload["jti"])
        if asked["grantType"] != "refresh_token" or asked["clientId"] != "arn:aws:signin:::devtools/same-device":
            raise self.refusal("INVALID_REQUEST")
        with self.lock:
            known = self.world.login_tokens.get(asked["refreshToken"])
            if known == public and self.single_use:
                del self.world.login_tokens[asked["refreshToken"]]
        if known != public:
            raise self.refusal(known if isinstance(known, str) else "TOKEN_EXPIRED")
        key_id, secret, token = self.world.keys.issue("login", asked["refreshToken"])
        renewed = "canary-login-" + hashlib.sha1(asked["refreshToken"].encode()).hexdigest()
        self.world.login_tokens[renewed] = public
        expires_in = 1e300 if mode == "numbers" else -60 if mode == "old" else 900
        return "application/json", json.dumps({
            "accessToken": {"accessKeyId": spoil_key(mode, key_id), "secretAccessKey": secret, "sessionToken": token},
            "tokenType": "aws_sigv4", "expiresIn": expires_in, "refreshToken": renewed}).encode()

    @staticmethod
    def refusal(error):
        return Refused(400, "AccessDeniedException", body=json.dumps({"error": error, "message": "denied"}).encode())

    def __init__(self, *given):
        self.proofs, self.single_use = set(), False
        super().__init__(*given)


class Container(Service):
    name = "container"

    def serve(self, method, path, headers, body, mode):
        if method != "GET":
            raise Refused(405, "MethodNotAllowed")
        if self.world.container_token is not None and headers.get("authorization") != self.world.container_token:
            raise Refused(401, "Unauthorized", "Authorization token is missing or wrong")
        if not path.startswith(("/v2/credentials", "/v1/credentials", "/get")):
            raise Refused(404, "NotFound")
        key_id, secret, token = self.world.keys.issue("container", path, headers.get("authorization") or None)
        return "application/json", json.dumps({
            "AccessKeyId": spoil_key(mode, key_id), "SecretAccessKey": secret, "Token": token, "AccountId": "111122223333",
            "RoleArn": "arn:aws:iam::111122223333:role/task", "Expiration": stamp(life(self.world, mode))}).encode()


class Imds(Service):
    """Version 2 only, as on instances with HttpTokens=required, unless the world has version 1 too."""
    name = "imds"

    def serve(self, method, path, headers, body, mode):
        if method == "PUT" and path == "/latest/api/token":
            seconds = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            if not seconds.isdigit() or not 1 <= int(seconds) <= 21600 or "x-forwarded-for" in headers:
                raise Refused(400 if seconds else 403, "BadRequest")
            token = f"canary-imds-{len(self.tokens)}=="
            self.tokens[token] = time.monotonic() + int(seconds)
            return "text/plain", token.encode()
        if method != "GET":
            raise Refused(405, "MethodNotAllowed")
        if not self.world.has_imds_v1 and self.tokens.get(headers.get("x-aws-ec2-metadata-token"), 0) <= time.monotonic():
            raise Refused(401, "Unauthorized")
        folder = "/latest/meta-data/iam/security-credentials/"
        role = self.world.instance_role
        if path == folder and role is not None:
            return "text/plain", role.encode()
        if role is not None and path == folder + urllib.parse.quote(role):
            key_id, secret, token = self.world.keys.issue("imds", role)
            return "text/plain", json.dumps({
                "Code": "Success", "LastUpdated": stamp(-60), "Type": "AWS-HMAC", "AccessKeyId": spoil_key(mode, key_id),
                "SecretAccessKey": secret, "Token": token, "Expiration": stamp(life(self.world, mode))}).encode()
        if path.rstrip("/") == "/latest/meta-data/placement/availability-zone":
            return "text/plain", b"eu-central-1b"
        if path == "/latest/meta-data/placement/region" and self.knows_region:
            return "text/plain", b"eu-central-1"
        raise Refused(404, "NotFound")

    def __init__(self, *given):
        self.tokens, self.knows_region = {}, True
        super().__init__(*given)


class Trap(Service):
    """Where a client must never come."""
    name = "trap"

    def serve(self, method, path, headers, body, mode):
        return "application/json", json.dumps({
            "AccessKeyId": "AKIATRAPPED000000000", "SecretAccessKey": "trap", "Token": "trap",
            "Expiration": stamp(HOUR)}).encode()


SERVICES = (Sts, Portal, Oidc, SignIn, Container, Imds, Trap)


class World:
    """All services, and what they know. `real`: {name: [(address, port), …]} of those that do not lie on 127.0.0.1."""

    def __init__(self, real=None):
        self.keys, self.arns = Keys(), {}
        self.life, self.clock_offset = HOUR, 0
        self.denied_roles, self.expired_tokens = set(), set()
        self.sso_tokens, self.refresh_tokens, self.login_tokens = set(), set(), {}
        self.container_token, self.instance_role, self.has_imds_v1 = None, None, False
        self.services = {kind.name: kind(self, (real or {}).get(kind.name)) for kind in SERVICES}

    def __getattr__(self, name):
        services = self.__dict__.get("services", {})
        if name not in services:
            raise AttributeError(name)
        return services[name]

    def url(self, name):
        return self.services[name].url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for service in self.services.values():
            service.close()

"""A broker that lets nobody do what no ACL grants, with two listeners over TLS beside the plain one of the superuser:
LOGIN (SASL_SSL with SCRAM-SHA-256 and -512, PLAIN, OAUTHBEARER) and MUTUAL (client certificates). Its OAUTHBEARER takes
tokens of Amazon MSK's IAM, whose signature tests/kafka/msk/MskTokens.java verifies, and JWTs without a signature."""
import subprocess

from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, ResourcePatternType,
                                   ResourceType, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion)

from kit.broker import LIBS, Broker, free_ports
from kit.processes import PATIENCE, ROOT, WORK
from kit.records import admin
from kit.services import SECRET, access_key

HANDLER = ROOT / "tests" / "kafka" / "msk" / "MskTokens.java"
CLASSES = WORK / "msk"
PASSWORD = "password-canary-Kx7/9+2"
SESSION = "session-canary/IQoJb3Jp+w=="       # of worker w9's key
WORKERS = 10
KAFKA = "org.apache.kafka.common.security"


def openssl(*words, folder):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def make_certificates(folder):
    """ca.pem; server.pem (certificate and key) for 127.0.0.1; client.pem and client.key, the latter encrypted."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca", "-keyout", "ca.key",
            "-out", "ca.pem", folder=folder)
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    for name, subject in (("server", "/CN=broker"), ("client", "/CN=mtls-user")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.plain", "-out",
                f"{name}.csr", folder=folder)
        openssl("x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{name}.pem", folder=folder)
    openssl("pkcs8", "-topk8", "-in", "client.plain", "-out", "client.key", "-passout", f"pass:{PASSWORD}", "-v2",
            "aes-256-cbc", folder=folder)
    keystore = (folder / "server.plain").read_text() + (folder / "server.pem").read_text()
    (folder / "keystore.pem").write_text(keystore)


def compile_handler():
    stamp = CLASSES / ".source"
    if stamp.exists() and stamp.read_text() == HANDLER.read_text():
        return
    CLASSES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-d", str(CLASSES), "-cp", f"{LIBS}/*", str(HANDLER)], check=True, capture_output=True)
    stamp.write_text(HANDLER.read_text())


class SecureBroker(Broker):
    def __init__(self, folder):
        super().__init__(folder, classes=CLASSES)
        self.login_port, self.mutual_port = free_ports(2)
        self.certificates = WORK / "certificates"
        plain = f"PLAINTEXT://127.0.0.1:{self.port},USERS://127.0.0.1:{self.users_port}," \
                f"LOGIN://127.0.0.1:{self.login_port},MUTUAL://127.0.0.1:{self.mutual_port}"
        login = "listener.name.login"
        self.properties = {
            "listeners": f"{plain},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": plain,
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,USERS:SASL_PLAINTEXT,"
                                              "LOGIN:SASL_SSL,MUTUAL:SSL",
            f"{login}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            f"{login}.plain.sasl.jaas.config":
                f'{KAFKA}.plain.PlainLoginModule required user_plain-user="{PASSWORD}";',
            f"{login}.scram-sha-256.sasl.jaas.config": f"{KAFKA}.scram.ScramLoginModule required;",
            f"{login}.scram-sha-512.sasl.jaas.config": f"{KAFKA}.scram.ScramLoginModule required;",
            f"{login}.oauthbearer.sasl.jaas.config":
                f'{KAFKA}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker" '
                + "".join(f'secret_{access_key(f"w{number}")}="{SECRET}" ' for number in range(WORKERS))
                + f'session_{access_key("w9")}="{SESSION}";',
            f"{login}.oauthbearer.sasl.server.callback.handler.class": "MskTokens",
            f"{login}.oauthbearer.connections.max.reauth.ms": "6000",
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": self.certificates / "keystore.pem",
            "ssl.truststore.type": "PEM", "ssl.truststore.location": self.certificates / "ca.pem",
            "allow.everyone.if.no.acl.found": "false",
        }

    def format(self):
        make_certificates(self.certificates)
        compile_handler()
        super().format()

    @property
    def login_bootstrap(self):
        return f"127.0.0.1:{self.login_port}"

    @property
    def mutual_bootstrap(self):
        return f"127.0.0.1:{self.mutual_port}"

    def add_users(self, names):
        """Users of SCRAM with PASSWORD."""
        client = admin(self.bootstrap)              # without a name it would end before its answer comes
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            wanted = [UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
                      for name in names]
            for done in client.alter_user_scram_credentials(wanted).values():
                done.result(PATIENCE)

    def grant(self, user, rights):
        """Rights as (resource, name, operation) or (…, "prefixed")."""
        bindings = [AclBinding(kind, name, ResourcePatternType.PREFIXED if more else ResourcePatternType.LITERAL,
                               f"User:{user}", "*", operation, AclPermissionType.ALLOW)
                    for kind, name, operation, *more in rights]
        client = admin(self.bootstrap)
        for done in client.create_acls(bindings).values():
            done.result(PATIENCE)


def needed_rights(topics, group):
    """Exactly the rights that deploy/README.md lists for the worker's user."""
    read, write = AclOperation.READ, AclOperation.WRITE
    outputs = (topics.responses, topics.chunks, topics.usage, topics.letters)
    return [(ResourceType.TOPIC, topics.requests, read), (ResourceType.GROUP, group, read),
            *((ResourceType.TOPIC, topic, write) for topic in outputs),
            (ResourceType.TRANSACTIONAL_ID, f"{group}-", write, "prefixed")]

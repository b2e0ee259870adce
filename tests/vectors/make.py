#!/usr/bin/env python3
"""Makes the vectors of this folder with botocore, an independent implementation.

    python3 tests/vectors/make.py            writes sigv4.inc, msk_tokens.inc, eventstream.inc and eventstream/*.bin beside itself
    python3 tests/vectors/make.py --check    says whether the files are up to date

sigv4.inc: real Bedrock requests as botocore's client sends them, and bare requests with odd parts; canonical request,
string to sign and Authorization header are botocore's. msk_tokens.inc: tokens for Amazon MSK, presigned by botocore and
put together as AWS's own signer for Python does (aws_msk_iam_sasl_signer, __construct_auth_token). eventstream: frames built here byte by byte, valid and corrupt;
eventstream.inc has what botocore reads from each.
"""
import base64
import datetime
import json
import os
import random
import struct
import sys
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.eventstream
import botocore.session

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = datetime.datetime(2026, 11, 22, 10, 11, 12, tzinfo=datetime.timezone.utc)
NOW_MS = int(NOW.timestamp() * 1000)
KEY_ID, SECRET, TOKEN = 'AKIDVECTORS', 'vectors/secret+key/of/no/account', 'token/with+signs=' + 'x' * 300
written = {}


def c_text(text):
    """A C literal; escapes are cut off from what follows them."""
    data = text if isinstance(text, bytes) else text.encode()
    out = ''
    for byte in data:
        if byte in b'"\\':
            out += '\\' + chr(byte)
        elif byte == 10:
            out += '\\n'
        elif 32 <= byte < 127 and byte != 63:    # no trigraphs
            out += chr(byte)
        else:
            out += '\\%03o' % byte
    return '"' + out + '"'


# ---- SigV4 ----

class Recorder(botocore.auth.SigV4Auth):
    def canonical_request(self, request):
        request.context['canonical'] = super().canonical_request(request)
        return request.context['canonical']

    def string_to_sign(self, request, canonical_request):
        request.context['to_sign'] = super().string_to_sign(request, canonical_request)
        return request.context['to_sign']


def sign(method, url, headers, body, region, token=None, service='bedrock'):
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    credentials = botocore.credentials.Credentials(KEY_ID, SECRET, token)
    Recorder(credentials, service, region).add_auth(request)
    return request


def client_request(model, operation, region, endpoint, **arguments):
    """The request of botocore's own Bedrock client: its URL, headers and body."""
    session = botocore.session.Session()
    session.set_credentials(KEY_ID, SECRET)
    client = session.create_client('bedrock-runtime', region_name=region, endpoint_url=endpoint,
                                   config=botocore.config.Config(retries={'max_attempts': 1}))
    seen = []

    class Answer:
        status_code, content, headers, raw = 200, b'{}', {}, None

    def hear(request, **_):
        seen.append(request)
        return Answer()
    client.meta.events.register('before-send.bedrock-runtime.*', hear)
    try:
        getattr(client, operation)(modelId=model, **arguments)
    except Exception:    # there is no answer; only the request is wanted
        pass
    return seen[0]


def host_of(url):
    return botocore.auth._host_from_url(url)


def path_and_query(url):
    rest = url.split('://', 1)[1]
    path = rest[rest.index('/'):] if '/' in rest else ''
    return (path.split('?', 1) + [''])[:2]


def sigv4_row(name, method, url, headers, body, region, token=None):
    request = sign(method, url, headers, body, region, token)
    path, query = path_and_query(url)
    lines = ''.join('%s:%s\n' % (n.lower(), v) for n, v in headers)
    texts = [name, method, host_of(url), path, query, lines]
    fields = [c_text(t) for t in texts]
    fields += ['%d, %s' % (len(body), c_text(body)), c_text(region)]
    fields += ['NULL' if token is None else c_text(token)]
    fields += [c_text(request.context['canonical']), c_text(request.context['to_sign']),
               c_text(request.headers['Authorization'])]
    return 'VECTOR(' + ',\n    '.join(fields) + ')\n'


def sigv4():
    model = 'anthropic.claude-3-sonnet-20240229-v1:0'
    account = 'arn:aws:bedrock:us-east-1:123456789012:'
    models = {
        'a model id with a colon': model,
        'an inference profile': 'us.' + model,
        'the ARN of a model': 'arn:aws:bedrock:us-east-1::foundation-model/' + model,
        'the ARN of an inference profile': account + 'inference-profile/us.' + model,
        'the ARN of a provisioned model': account + 'provisioned-model/abc123def456',
        'the ARN of a prompt': account + 'prompt/ABCDE12345:1',
        'the ARN of an imported model': account + 'imported-model/q1w2e3',
    }
    body = {'messages': [{'role': 'user', 'content': [{'text': 'Grüße, 世界 😀'}]}]}
    rows = []
    for name, identifier in models.items():
        for operation in ('converse', 'converse_stream'):
            sent = client_request(identifier, operation, 'us-east-1', None, **body)
            headers = [('Content-Type', sent.headers['Content-Type'].decode()
                        if isinstance(sent.headers['Content-Type'], bytes) else sent.headers['Content-Type'])]
            rows.append(sigv4_row('%s, %s' % (name, operation), 'POST', sent.url, headers, sent.body, 'us-east-1'))
    sent = client_request(model, 'converse', 'eu-central-1', 'http://127.0.0.1:9000/base/path', **body)
    json_type = [('Content-Type', 'application/json')]
    rows.append(sigv4_row('an endpoint with port and path', 'POST', sent.url, json_type, sent.body, 'eu-central-1'))
    url = 'https://bedrock-runtime.us-east-1.amazonaws.com'
    label = url + '/model/m%3A0/converse'
    rows += [
        sigv4_row('a session token', 'POST', label, json_type, b'{}', 'us-east-1', TOKEN),
        sigv4_row('an empty body', 'POST', label, json_type, b'', 'us-east-1'),
        sigv4_row('bytes that are no text', 'POST', label, json_type, bytes(range(256)), 'us-east-1'),
        sigv4_row('no further headers', 'GET', url + '/async-invoke', [], b'', 'us-east-1'),
        sigv4_row('many headers in any order', 'POST', label, [
            ('X-Amzn-Bedrock-Trace', 'ENABLED'), ('Content-Type', 'application/json'), ('Accept', 'application/json'),
            ('X-Amzn-Bedrock-GuardrailIdentifier', 'gr-1'), ('X-Amzn-Bedrock-Request-Metadata', '{"a": "b"}')],
            b'{}', 'us-east-1', TOKEN),
        sigv4_row('white space in values', 'POST', label, [
            ('Content-Type', '  application/json  '), ('X-Amzn-Bedrock-Trace', ' a   b \t c '),
            ('X-Empty', ''), ('X-Quoted', '"a   b"')], b'{}', 'us-east-1'),
        sigv4_row('one name with several values', 'POST', label, [
            ('X-Several', 'b'), ('Content-Type', 'application/json'), ('X-Several', 'a'), ('X-Several', ' c  c ')],
            b'{}', 'us-east-1'),
        sigv4_row('a query out of order', 'GET', url + '/async-invoke?b=2&a=2&a=1&c&d=&nextToken=a%2Fb%3D%3D',
                  [], b'', 'us-east-1'),
        sigv4_row('a path with dots', 'GET', url + '/a/./b/../c', [], b'', 'us-east-1'),
        sigv4_row('a path with dots at its end', 'GET', url + '/a/b/..', [], b'', 'us-east-1'),
        sigv4_row('a path above the root', 'GET', url + '/../../a', [], b'', 'us-east-1'),
        sigv4_row('a path with empty segments', 'GET', url + '//a///b//', [], b'', 'us-east-1'),
        sigv4_row('no path at all', 'GET', url, [], b'', 'us-east-1'),
        sigv4_row('a path of unreserved signs', 'GET', url + '/A-Z_0.9~', [], b'', 'us-east-1'),
        sigv4_row('a path of other signs', 'GET', url + '/a b!$&\'()*+,;=:@ü', [], b'', 'us-east-1'),
        sigv4_row('the default port', 'POST', 'https://localhost:443/x', json_type, b'{}', 'us-east-1'),
        sigv4_row('another port', 'POST', 'https://localhost:8443/x', json_type, b'{}', 'us-gov-west-1'),
    ]
    return ('/* VECTOR(name, method, host, path, query, headers, body length, body, region, session token,\n'
            ' *        canonical request, string to sign, Authorization). Made by make.py. */\n'
            '/* clang-format off */\n' + ''.join(rows) + '/* clang-format on */\n')


# ---- tokens for Amazon MSK ----

def msk_token(region, token, agent):
    request = botocore.awsrequest.AWSRequest(method='GET', url='https://kafka.%s.amazonaws.com/' % region,
                                             params={'Action': 'kafka-cluster:Connect'})
    credentials = botocore.credentials.Credentials(KEY_ID, SECRET, token)
    botocore.auth.SigV4QueryAuth(credentials, 'kafka-cluster', region, expires=900).add_auth(request)
    request.params = {'User-Agent': agent}
    return base64.urlsafe_b64encode(request.prepare().url.encode()).decode().rstrip('=')


def msk_tokens():
    rows = []
    for region, token in (('us-east-1', None), ('us-east-1', TOKEN), ('cn-north-1', None), ('eusc-de-east-1', TOKEN),
                          ('us-gov-west-1', 'x'), ('ap-southeast-2', TOKEN + '//++==~ .-_')):
        for agent in ('bedrock-worker/0.1.0', 'x'):
            rows.append('TOKEN(%s, %s, %s,\n    %s)\n' % (
                c_text(region), 'NULL' if token is None else c_text(token), c_text(agent),
                c_text(msk_token(region, token, agent))))
    return ('/* TOKEN(region, session token, user agent, token). Made by make.py. */\n'
            '/* clang-format off */\n' + ''.join(rows) + '/* clang-format on */\n')


# ---- event streams ----

def value(kind, data):
    return struct.pack('>H', len(data)) + data if kind in (6, 7) else data


def frame(headers, payload):
    block = b''.join(struct.pack('B', len(name)) + name.encode() + struct.pack('B', kind) + value(kind, data)
                     for name, kind, data in headers)
    prelude = struct.pack('>II', 16 + len(block) + len(payload), len(block))
    text = prelude + struct.pack('>I', zlib.crc32(prelude)) + block + payload
    return text + struct.pack('>I', zlib.crc32(text))


def message(kind, event_type, payload):
    names = {'event': ':event-type', 'exception': ':exception-type'}
    return frame([(names[kind], 7, event_type.encode()), (':content-type', 7, b'application/json'),
                  (':message-type', 7, kind.encode())], json.dumps(payload, ensure_ascii=False).encode())


def with_prelude(total, headers_len, rest):
    prelude = struct.pack('>II', total, headers_len)
    return prelude + struct.pack('>I', zlib.crc32(prelude)) + rest


def spoiled(text, at):
    return text[:at] + bytes([text[at] ^ 0x40]) + text[at + 1:]


def eventstreams():
    chance = random.Random(3)
    start = message('event', 'messageStart', {'role': 'assistant', 'p': 'abcdef'})
    delta = message('event', 'contentBlockDelta', {'contentBlockIndex': 0, 'delta': {'text': 'Voilà 世界'}})
    stop = message('event', 'messageStop', {'stopReason': 'end_turn'})
    every = frame([('true', 0, b''), ('false', 1, b''), ('byte', 2, b'\x80'), ('short', 3, b'\x80\x00'),
                   ('int', 4, b'\x80\x00\x00\x01'), ('long', 5, b'\x80' + b'\x00' * 7), ('bytes', 6, bytes(range(256))),
                   (':event-type', 7, 'ü'.encode()), ('time', 8, struct.pack('>q', 1700000000000)),
                   ('uuid', 9, bytes(range(16))), (':message-type', 7, b'event')], bytes(range(256)))
    throttled = message('exception', 'throttlingException', {'message': 'Too many tokens.'})
    error = frame([(':message-type', 7, b'error'), (':error-code', 7, b'InternalError'),
                   (':error-message', 7, b'An internal error occurred.')], b'')
    return {
        'one_event': start,
        'several_events': start + delta + stop,
        'no_headers_no_payload': frame([], b''),
        'payload_alone': frame([], b'{"a":1}'),
        'headers_alone': frame([(':message-type', 7, b'event'), (':event-type', 7, b'ping')], b''),
        'every_type_of_header': every,
        'an_unknown_message_type': frame([(':message-type', 7, b'novelty'), (':event-type', 7, b'x')], b'{}'),
        'a_message_type_that_is_no_text': frame([(':message-type', 4, b'\x00\x00\x00\x01')], b'{}'),
        'an_exception': start + throttled,
        'an_error': start + error,
        'a_long_payload': message('event', 'x', {'text': ''.join(chance.choice('abcdefgh') for _ in range(70000))}),
        'a_long_header': frame([(':message-type', 7, b'event'), ('long', 7, b'x' * 32767)], b'{}'),
        'cut_in_the_prelude': start + delta[:7],
        'cut_in_the_headers': start + delta[:20],
        'cut_before_the_last_byte': start + delta[:-1],
        'a_spoiled_length': start + spoiled(delta, 2),
        'a_spoiled_length_of_headers': start + spoiled(delta, 6),
        'a_spoiled_prelude_crc': start + spoiled(delta, 10),
        'a_spoiled_header': start + spoiled(delta, 15),
        'a_spoiled_payload': start + spoiled(delta, len(delta) - 6),
        'a_spoiled_crc': start + spoiled(delta, len(delta) - 1),
        'headers_longer_than_the_frame': with_prelude(32, 100, b'\x00' * 200),
        'too_many_header_bytes': with_prelude(200000, 131073, b'\x00' * 64),
        'too_many_payload_bytes': with_prelude(25165824 + 17, 0, b'\x00' * 64),
        'two_headers_of_one_name': frame([('a', 7, b'x'), ('a', 7, b'y')], b'{}'),
    }


def botocore_reads(data):
    """The events that botocore reads, and whether it found the stream broken."""
    events, broken = [], False
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(data)
    try:
        for event in buffer:
            fields = [event.headers.get(name) for name in
                      (':message-type', ':event-type', ':exception-type', ':error-code')]
            events.append((fields, event.payload))
    except botocore.eventstream.ParserError:
        broken = True
    return events, broken


def eventstream():
    rows = []
    for name, data in eventstreams().items():
        events, broken = botocore_reads(data)
        fields, payload = events[-1] if events else ([None] * 4, b'')
        kind = fields[0] if isinstance(fields[0], str) else ''
        kind_type = next((text for text in fields[1:] if isinstance(text, str)), '')
        rows.append('STREAM(%s, %d, %s, %s, %s, %d, 0x%08xU)\n' % (
            c_text(name), len(events), 'true' if broken else 'false', c_text(kind), c_text(kind_type),
            len(payload), zlib.crc32(payload)))
        written['eventstream/%s.bin' % name] = data
    return ('/* STREAM(file, events read, broken, then of the last event: message type, type, payload length, its\n'
            ' *        CRC-32). Made by make.py. */\n/* clang-format off */\n' + ''.join(rows) + '/* clang-format on */\n')


def main():
    botocore.auth.get_current_datetime = lambda *_: NOW
    written['sigv4.inc'] = sigv4().encode()
    written['msk_tokens.inc'] = msk_tokens().encode()
    written['eventstream.inc'] = eventstream().encode()
    stale = []
    for name, data in sorted(written.items()):
        path = os.path.join(HERE, name)
        if '--check' in sys.argv:
            if not os.path.exists(path) or open(path, 'rb').read() != data:
                stale.append(name)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(data)
    if stale:
        sys.exit('not what botocore %s says: %s' % (botocore.__version__, ', '.join(stale)))


main()

#include "app/settings/learn.h"

#include "base/secrets.h"
#include "wire/formats/base64.h"
#include "wire/formats/proxy.h"

static int hex_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte = (char)(byte | 0x20);
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static void add_decoded(struct buf *buf, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? hex_of(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_of(text.ptr[i + 2]) : -1;
        bool is_escape = text.ptr[i] == '%' && high >= 0 && low >= 0;
        buf_add_byte(buf, is_escape ? (char)(high * 16 + low) : text.ptr[i]);
        i += is_escape ? 2 : 0;
    }
}

void learn_proxy(struct slice url)
{
    struct slice password = proxy_password(url);
    struct buf decoded OWNED_BY(buf_wipe), basic OWNED_BY(buf_wipe);
    buf_init(&decoded, PROXY_BYTES_MAX);
    buf_init(&basic, 2 * PROXY_BYTES_MAX);
    if (password.len == 0 || buf_reserve(&decoded, PROXY_BYTES_MAX) == NULL ||
        buf_reserve(&basic, 2 * PROXY_BYTES_MAX) == NULL)
        return;
    secrets_learn(password, true);
    add_decoded(&decoded, password);
    secrets_learn(buf_slice(&decoded), true);
    buf_reset(&decoded);
    add_decoded(&decoded, proxy_userinfo(url));
    base64_add(&basic, buf_slice(&decoded));
    secrets_learn(buf_slice(&basic), true);
}

void learn_headers(struct slice lines)
{
    while (lines.len > 0) {
        struct slice line = slice_sub(lines, 0, slice_find(lines, '\n'));
        secrets_learn(slice_trim(slice_sub(line, slice_find(line, ':') + 1, line.len)), true);
        lines = slice_sub(lines, line.len + 1, lines.len);
    }
}

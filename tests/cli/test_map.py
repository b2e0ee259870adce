"""`bedrock-worker map` shows the metadata of a committed offset."""
import zlib

import pytest

from programs import call

SYMBOLS = [chr(code) for code in range(ord("!"), ord("~") + 1) if chr(code) not in '"\\']


def word(number):
    return "".join(SYMBOLS[number // 46 ** place % 46] for place in range(6))


def map_of(front, runs, nonce=7):
    """A map as worker/wire/formats/offset_map.c describes it: of topic 0xbeef, made in 2026, with 3 partitions."""
    sealed = word(0xbeef) + word(1795000000) + SYMBOLS[3] + 2 * SYMBOLS[0] + "".join(SYMBOLS[index] for index in runs)
    checksum = zlib.crc32((str(front) + word(nonce) + sealed).encode())
    return "bw2" + word(nonce) + word(checksum) + sealed


# One open and running for the second time, two completed, one never begun, one marked for the first time.
RUNS, FRONT = [20, 57, 0, 10], 500


@pytest.mark.parametrize("arguments, text", [
    ([map_of(FRONT, RUNS)], None), (["-"], map_of(FRONT, RUNS) + "\n"), ([], map_of(FRONT, RUNS))])
def test_a_map_is_shown_from_an_argument_and_from_standard_input(arguments, text):
    done = call("map", "--offset", FRONT, *arguments, text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "version    bw2", f"nonce      {word(7)}", "made       2026-11-18T11:06:40.000Z",
        "topic      0000beef, a hash of its id", "partitions 3", "offset     500: everything below it is completed", "checksum   right",
        "offsets", "  500                     open, begun 2 times, call running", "  501 to 502              completed",
        "  503                     open, not begun", "  504                     open, begun once, call marked", "  505 and above: the map says nothing"]


def test_a_wrong_offset_a_cut_map_and_another_text_fail_with_the_reason():
    good = map_of(FRONT, RUNS)
    for text, offset, reason in (
            (good, 501, "the checksum does not match offset 501: the map is damaged, or it belongs to another offset"),
            (good[:-1], FRONT, "the checksum does not match offset 500: the map is damaged, or it belongs to another offset"),
            (good[:9], FRONT, "the map is cut: it has 9 bytes, and its head has 30"),
            (good[:-1] + " x", FRONT, "the map is damaged at byte 34 of 35: no run of offsets is there"),
            ("hello", FRONT, "the metadata does not begin with bw: another program committed this offset"),
            ("", FRONT, "the metadata is empty: no worker committed this offset")):
        done = call("map", "-o", offset, text=text)
        assert (done.returncode, done.stderr) == (1, f"bedrock-worker map: {reason}\n")

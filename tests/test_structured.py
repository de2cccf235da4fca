"""Whatever a text holds, it is read or refused in a line that names it."""

import json
import random
import tomllib

import pytest

from simplicert.errors import InputError
from simplicert.structured import DEEPEST, number, parse_json, parse_toml, whole_number

DEEP = 200_000
READERS = {
    parse_json: [
        b"",
        b"{not json",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"9" * 5000,
        b"1e400",
        b"NaN",
        b'{"a": [-Infinity]}',
        b"1" + b"0" * 302,
        b'"\\ud800"',
        b'{"\\uDFFF": 1}',
        b'{"sigma": 0.25, "draws": 9, "sigma": 1.0}',
        b'[{"a": {"b": 1, "\\u0062": 1}}]',
        '"half \udcff"',
    ],
    parse_toml: [
        b"a",
        b"\xff",
        b"a = " + b"[" * DEEP,
        b".".join([b"a"] * 1000) + b" = 1",
        b"a = " + b"9" * 5000,
        b"a = 0x" + b"f" * 5000,
        b"a = -1" + b"0" * 302,
        b"a = 1\na = 2",
        "a = '\udcff'",
    ],
}


@pytest.mark.parametrize(
    ("read", "content"),
    [(read, text) for read, all_ in READERS.items() for text in all_],
)
def test_one_line_names_the_source(read, content):
    with pytest.raises(InputError, match=r"^here (is|holds) ") as caught:
        read(content, "here")
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)
    assert "set_int_max" not in str(caught.value)


@pytest.mark.parametrize("value", [{"a": [1, -1.5, None, True, "é\U0001f600"]}, 2**999])
def test_json_is_what_json_says(value):
    assert parse_json(json.dumps(value), "here") == value
    assert parse_json(json.dumps(value).encode(), "here") == value


def test_numbers_may_stay_as_they_are_printed():
    text = '{"a": [0.250, 1e400, NaN, -Infinity, 12345678901234567890123]}'
    assert parse_json(text, "here", numbers_as_text=True) == {
        "a": ["0.250", "1e400", "NaN", "-Infinity", "12345678901234567890123"]
    }


def test_depth_ends_where_it_is_said_to():
    assert parse_json("[" * DEEPEST + "]" * DEEPEST, "here")
    assert parse_json('"' + "[" * DEEP + '"', "here")


def test_toml_is_what_toml_says():
    text = "a = 0x10\nb = [inf, 1.5]\n[c]\nd = 'e'\n"
    assert parse_toml(text.encode(), "here") == tomllib.loads(text)


def test_any_bytes_are_read_or_refused():
    chance, refusals = random.Random(0), set()
    whole = b'{"sigma": 0.5, "labels": [1, 2, -3e5], "name": "a\\u00e9", "b": [[null]]}'
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        for read in READERS:
            try:
                read(bytes(damaged), "here")
            except InputError as error:
                refusals.add(str(error)[:8])
    assert refusals <= {"here is ", "here hol"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "１２",
        "1_000",
        "1.0",
        "0x10",
        "nan",
        "--1",
        "9" * 5000,
        "1" * 21,
    ],
)
def test_what_is_no_whole_number(text):
    with pytest.raises(InputError, match=r"^line 3: '") as caught:
        whole_number(text, "line 3")
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("text", ["0", "-12", "+7", "000012", "18446744073709551615"])
def test_a_whole_number(text):
    assert whole_number(text, "line 3") == int(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "1_0.5", "１.5", "nan", "inf", "-Infinity", "1e400", "0x1p3", "1e"],
)
def test_what_is_no_number(text):
    with pytest.raises(InputError, match=r"^line 3: '"):
        number(text, "line 3")


@pytest.mark.parametrize(
    "text", ["0", "-1.5", ".5", "5.", "1E-300", "+2e+3", "0" * 9999]
)
def test_a_number(text):
    assert number(text, "line 3") == float(text)

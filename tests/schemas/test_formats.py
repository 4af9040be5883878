"""Formats that a strict tool has enforced: all that is written is valid, in every spelling."""

import json
import random

import jsonschema_rs
import pytest

from functionary_sgl.schemas import formats
from functionary_sgl.schemas.enforce import enforceable
from tests.grammars.walks import grammar, spellings, takes, walk

VALID = {
    "date": ["2024-02-29", "2000-02-29", "0001-12-31", "2023-04-30"],
    "time": ["00:00:00Z", "23:59:59z", "08:30:06.283185-08:00", "12:00:00+23:59"],
    "date-time": ["1963-06-19T08:30:06.283185Z", "2024-02-29t12:00:00+01:00"],
    "duration": ["P4DT12H30M5S", "P1W", "PT36H", "P1YT1S", "P2M3D", "PT0S"],
    "email": [
        *("joe.bloggs@example.com", "te~st@example.com", "a@b", "x+y=z@xn--mnchen-3ya.de"),
        *('"joe bloggs"@example.com', '"joe\\"@b"@example.com', "joe@[127.0.0.1]"),
        f"{'a' * 64}@{'b' * 63}.org",
    ],
    "hostname": ["www.example.com", "A--b.1", "1.2.3.4", "a" * 63, ".".join(["a" * 50] * 4)],
    "ipv4": ["0.0.0.0", "255.249.199.99"],
    "ipv6": [
        *("::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4"),
        *("::ffff:192.168.0.1", "1:2:3:4:5:6:1.2.3.4", "1::1.2.3.4", "FE80::aBcD"),
    ],
    "uri": [
        *("http://foo.bar/?baz=qux#quux", "urn:oasis:names:a", "mailto:a@b.org", "file:///etc/x"),
        *("http://a:b@[::1]:80/x//y", "http://[v1.a]", "ldap://[2001:db8::7]/c=GB?one", "a:"),
        *("http://foo.bar?q=Test%20URL", "tel:+1-816-555-1212", "http:/a", "x:b/c"),
    ],
    "uuid": ["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
}
INVALID = {
    "date": ["2023-02-29", "1900-02-29", "0000-01-01", "2023-04-31", "2023-13-01", "23-1-1", "é"],
    "time": ["24:00:00Z", "12:00:00", "12:60:00Z", "12:00:60Z", "12:00:00.Z", "12:00:00+24:00"],
    "date-time": ["2023-02-29T12:00:00Z", "2023-01-01", "2023-01-01 12:00:00Z"],
    "duration": ["P", "PT", "P1YT", "P1D2H", "PT1D", "P1Y1D", "PT1H1S", "P1W1D", "P0.5D"],
    "email": [".a@b.c", "a.@b.c", "a..b@c.d", "a@", "@b", "a@b_c", "a@-b", f"{'a' * 65}@b.c"],
    "hostname": ["", "-a", "a-", "a_b", "a.", ".a", "a" * 64, ".".join(["a" * 50] * 6)],
    "ipv4": ["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5"],
    "ipv6": ["1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::", "fe80::1%eth0", ":::"],
    "uri": ["//a", "a", "http://a b", "http://a/%zz", "http://[1.2.3.4]", "1a:b", "a:b#c#d", "a:é"],
    "uuid": ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"],
}


@pytest.mark.parametrize("name", formats.ENFORCED)
def test_what_the_standards_allow_is_taken_in_every_spelling(name: str) -> None:
    matcher, dice = grammar({"type": "string", "format": name}), random.Random(0)
    for texts, valid in ((VALID[name], True), (INVALID[name], False)):
        for text in texts:
            assert {takes(matcher, spelled) for spelled in spellings(text, dice)} == {valid}, text


@pytest.mark.parametrize("name", formats.ENFORCED)
def test_all_that_is_written_is_valid(name: str) -> None:
    schema = {"type": "string", "format": name}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    matcher, dice = grammar(schema), random.Random(0)
    for _ in range(30):
        value = json.loads(walk(matcher, dice))["v"]
        assert validator.is_valid(value), value


def test_a_format_is_told_where_nothing_enforces_it() -> None:
    for name in formats.UNENFORCED:
        assert enforceable({"properties": {"a": {"format": name}}}).unenforced != ()

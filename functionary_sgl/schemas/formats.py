"""The formats of JSON Schema that grammars enforce, as regular expressions of ECMA-262.

They are narrower than their standards where readers in use would stumble: no leap seconds, no year
0, and 20 digits of a second at most.
"""

from collections.abc import Mapping

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP_YEAR = (
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"  # not 0
)
_DATE = (
    f"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    f"|{_LEAP_YEAR}-02-29)"
)
_HOUR_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"{_HOUR_MINUTE}:[0-5][0-9](?:\.[0-9]{{1,20}})?(?:[Zz]|[+-]{_HOUR_MINUTE})"

_HOURS = "(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DAYS = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"


def _ipv6() -> str:
    """As in RFC 3986: eight groups, or fewer and a `::`; the last two may be an IPv4 address."""
    group = "[0-9A-Fa-f]{1,4}"
    last = f"(?:{group}:{group}|{_IPV4})"
    forms = [f"(?:{group}:){{6}}{last}"]
    for before in range(8):
        head = f"(?:{group}(?::{group}){{0,{before - 1}}})?::" if before else "::"
        if before < 6:
            forms.append(f"{head}(?:{group}:){{{5 - before}}}{last}")
        elif before == 6:
            forms.append(f"{head}{group}")
        else:
            forms.append(head)
    return f"(?:{'|'.join(forms)})"


_IPV6 = _ipv6()

_WORD = r"[A-Za-z0-9!#$%&'*+\/=?^_`\{|\}~-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_MAILBOX = rf"(?:{_WORD}(?:\.{_WORD})*|{_QUOTED})@(?:{_HOST}|\[{_IPV4}\])"

_ESCAPED = "%[0-9A-Fa-f]{2}"
_ANY_PART = r"\-A-Za-z0-9._~!$&'()*+,;="  # unreserved, and what delimits inside a part
_PCHAR = f"(?:[{_ANY_PART}:@]|{_ESCAPED})"
_NAME = f"(?:[{_ANY_PART}]|{_ESCAPED})*"
_LITERAL = rf"\[(?:{_IPV6}|[Vv][0-9A-Fa-f]+\.[{_ANY_PART}:]+)\]"
_AUTHORITY = rf"(?:(?:[{_ANY_PART}:]|{_ESCAPED})*@)?(?:{_LITERAL}|{_NAME})(?::[0-9]*)?"
_SEGMENTS = rf"(?:\/{_PCHAR}*)*"
_PATH = rf"(?:\/\/{_AUTHORITY}{_SEGMENTS}|\/(?:{_PCHAR}+{_SEGMENTS})?|{_PCHAR}+{_SEGMENTS})?"
_BEHIND_PATH = rf"(?:[\/?]|{_PCHAR})*"
_URI = rf"[A-Za-z][A-Za-z0-9+.-]*:{_PATH}(?:\?{_BEHIND_PATH})?(?:#{_BEHIND_PATH})?"

ENFORCED: Mapping[str, tuple[str, ...]] = {
    # RFC 3339: full-date, full-time, date-time, and duration of its appendix A.
    "date": (f"^{_DATE}$",),
    "time": (f"^{_TIME}$",),
    "date-time": (f"^{_DATE}[Tt]{_TIME}$",),
    "duration": (f"^P(?:[0-9]+W|{_DAYS}(?:T{_HOURS})?|T{_HOURS})$",),
    # RFC 5321 and RFC 1123, with their lengths.
    "email": (f"^{_MAILBOX}$", "^.{1,64}@[^@]{1,253}$"),
    "hostname": (f"^{_HOST}$", "^.{1,253}$"),
    # RFC 3986, and 9562.
    "ipv4": (f"^{_IPV4}$",),
    "ipv6": (f"^{_IPV6}$",),
    "uri": (f"^{_URI}$",),
    "uuid": ("^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",),
}
"""By name, what a text has to match at once."""

UNENFORCED = frozenset(
    {
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "uri-reference",
        "uri-template",
    }
)
"""Those of JSON Schema that no grammar enforces. Any other name is an annotation."""

"""Targets are one strict line of text."""

import pytest

from probes.target import BadTarget, Target, parse


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tcp://bureau.example:8443", Target("tcp", "bureau.example", 8443)),
        ("tls://bureau.example", Target("tls", "bureau.example", 443)),
        ("https://Bureau.Example/a?b=%20", Target("https", "bureau.example", 443, "/a?b=%20")),
        ("http://192.0.2.1:8080", Target("http", "192.0.2.1", 8080, "/")),
        ("https://[2001:DB8::0:1]/", Target("https", "2001:db8::1", 443, "/")),
        ("dns://bureau.example", Target("dns", "bureau.example", 53)),
        ("dns://192.0.2.53:5353/bureau.example", Target("dns", "192.0.2.53", 5353, "/bureau.example")),
        ("snmp://10.0.0.1/1.3.6.1.2.1.1.1.0,1.3.6.1.2.1.1.3.0", None),
        ("sftp://host.example/var/log/taxplane/agent.log", None),
        ("host://local", Target("host", "local", 0)),
        ("clock+https://bureau.example", Target("clock+https", "bureau.example", 443, "/")),
    ],
)
def test_good_targets_have_one_canonical_form(text, target):
    parsed = parse(text)
    assert target is None or parsed == target
    assert parse(parsed.url) == parsed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "shape"),
        ("bureau.example:443", "shape"),
        ("tcp:bureau.example:1", "shape"),
        ("https://user@bureau.example/", "shape"),
        ("https://bureau.example/#top", "path"),
        ("https://bureau.example/\r\nX: 1", "shape"),
        ("https://bureau.example\\@inside/", "shape"),
        ("https://税局.example/", "shape"),
        ("https://①②⑦.0.0.1/", "shape"),
        ("https://bureau.example/ ", "path"),
        ("https://bureau.example/%zz", "path"),
        ("ftp://bureau.example/", "scheme"),
        ("file:///etc/passwd", "shape"),
        ("tcp://bureau.example", "port"),
        ("tcp://bureau.example:0", "shape"),
        ("tcp://bureau.example:65536", "port"),
        ("tcp://bureau.example:1/path", "path"),
        ("tcp://2130706433:80", "host"),
        ("tcp://0x7f.1:80", "host"),
        ("tcp://127.1:80", "host"),
        ("tcp://0177.0.0.1:80", "host"),
        ("tcp://a..b:80", "host"),
        ("tcp://-a.example:80", "host"),
        ("tcp://[127.0.0.1]:80", "host"),
        ("tcp://[fe80::1%25eth0]:80", "shape"),
        ("host://elsewhere", "host"),
        ("host://local:1", "port"),
        ("snmp://host.example/system", "path"),
        ("snmp://host.example", "path"),
        ("sftp://host.example/var/log/../shadow", "path"),
        ("sftp://host.example/var/log/$(id)", "path"),
        ("sftp://host.example", "path"),
        ("https://bureau.example/" + "a" * 2048, "shape"),
    ],
)
def test_bad_targets_are_refused_with_the_place(text, code):
    with pytest.raises(BadTarget) as caught:
        parse(text)
    assert caught.value.code == code

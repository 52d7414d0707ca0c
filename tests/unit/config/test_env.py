"""Readers of environment variables: every value is of the promised type, or refused with a sentence."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.env import Bucket, DatabaseUrl, Environment, SettingError


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False), ("", True)]
)
def test_flag_understands_the_usual_words(text: str, expected: bool) -> None:
    assert Environment({"DEMO": text}).flag("DEMO", default=True) is expected


@pytest.mark.parametrize("text", ["maybe", "2", " 1", "ja"])
def test_flag_refuses_a_word_nobody_defined(text: str) -> None:
    with pytest.raises(SettingError, match="DEMO must be one of"):
        Environment({"DEMO": text}).flag("DEMO", default=True)


def test_seconds_become_a_duration() -> None:
    assert Environment({"W": "90"}).seconds("W", default=5) == timedelta(seconds=90)
    assert Environment({}).seconds("W", default=5) == timedelta(seconds=5)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "86401", "five", "\u0665", "1e3"])
def test_seconds_refuse_what_is_no_whole_number_in_range(text: str) -> None:
    with pytest.raises(SettingError, match="W must be a whole number from 1 to 86400"):
        Environment({"W": text}).seconds("W", default=5)


def test_choice_refuses_an_unknown_value() -> None:
    with pytest.raises(SettingError, match="LEVEL must be one of A, B; not 'C'"):
        Environment({"LEVEL": "C"}).choice("LEVEL", choices=("A", "B"), default="A")


def test_text_is_one_line() -> None:
    with pytest.raises(SettingError, match="NAME must be a single line"):
        Environment({"NAME": "a\nb"}).text("NAME", "")


def test_secret_stands_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("open sesame\n", encoding="utf-8")
    assert Environment({"KEY_FILE": str(file)}).secret("KEY") == "open sesame"


def test_secret_in_two_places_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="either KEY or KEY_FILE, not both"):
        Environment({"KEY": "a", "KEY_FILE": str(tmp_path)}).secret("KEY")


def test_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"KEY_FILE points to .*, which cannot be read"):
        Environment({"KEY_FILE": str(tmp_path / "absent")}).secret("KEY")


def test_hex_key_has_the_promised_length() -> None:
    assert Environment({"K": "00ff"}).hex_key("K", length=2) == b"\x00\xff"
    assert Environment({}).hex_key("K", length=2) == b""


@pytest.mark.parametrize("text", ["00", "00ff00", "zz00", "0"])
def test_hex_key_refuses_other_lengths_without_repeating_the_key(text: str) -> None:
    with pytest.raises(SettingError, match="K must be 2 bytes written as 4 hexadecimal digits") as refused:
        Environment({"K": text}).hex_key("K", length=2)
    assert f"'{text}'" not in str(refused.value)


def test_path_must_be_absolute() -> None:
    assert Environment({"D": "/srv/assay"}).path("D", Path("/x")) == Path("/srv/assay")
    with pytest.raises(SettingError, match="D must be an absolute path"):
        Environment({"D": "data"}).path("D", Path("/x"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40s@db:6432/assay", DatabaseUrl("u", "p@s", "db", "6432", "assay", {})),
        ("postgres://u@[::1]/assay", DatabaseUrl("u", "", "::1", "", "assay", {})),
        ("postgresql://u:p@/assay?host=/run/pg", DatabaseUrl("u", "p", "/run/pg", "", "assay", {})),
        (
            "postgresql://u:p@db/assay?sslmode=verify-full",
            DatabaseUrl("u", "p", "db", "", "assay", {"sslmode": "verify-full"}),
        ),
    ],
)
def test_database_address_is_taken_apart(url: str, expected: DatabaseUrl) -> None:
    assert Environment({"URL": url}).database("URL") == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:geheim@db/assay", "PostgreSQL is the only database"),
        ("postgresql://u:geheim@db/assay?ssl=1", "options nobody defined: ssl"),
        ("postgresql://u:geheim@db:port/assay", "port that is not a number"),
        ("postgresql://u:geheim@db", "must name a user and one database"),
        ("postgresql://db/assay", "must name a user and one database"),
    ],
)
def test_database_address_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(SettingError, match=message) as refused:
        Environment({"URL": url}).database("URL")
    assert "geheim" not in str(refused.value)


def test_broker_address_has_a_known_scheme() -> None:
    assert Environment({"R": "unix:///run/redis.sock"}).redis("R") == "unix:///run/redis.sock"
    with pytest.raises(SettingError, match="R must start with redis://"):
        Environment({"R": "amqp://rabbit"}).redis("R")


@pytest.mark.parametrize("text", ["assay.example", "ftp://assay.example", "https://assay.example/app", "https://"])
def test_public_address_is_an_origin(text: str) -> None:
    with pytest.raises(SettingError, match="PUBLIC_URL must look like"):
        Environment({"PUBLIC_URL": text}).web_address("PUBLIC_URL", "")


def test_networks_are_listed_in_cidr_form() -> None:
    assert [str(network) for network in Environment({"N": "10.0.0.0/8, ::1/128"}).networks("N", "")] == [
        "10.0.0.0/8",
        "::1/128",
    ]
    assert Environment({}).networks("N", "") == ()


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everywhere", "10.0.0.0/33"])
def test_networks_refuse_what_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="N must list networks like"):
        Environment({"N": text}).networks("N", "")


def test_every_kind_of_value_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("1\n", encoding="utf-8")
    environment = Environment({"X_FILE": str(file)})
    assert environment.text("X", "") == "1"
    assert environment.flag("X", default=False) is True
    assert environment.integer("X", default=0, low=0, high=9) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Path("/default")),
        ("off", None),
        ("/srv/log", Path("/srv/log")),
        ("s3://public-log", Bucket("public-log", "")),
        ("s3://public-log/", Bucket("public-log", "")),
        ("s3://public.log/assay/2026_v1/", Bucket("public.log", "assay/2026_v1")),
    ],
)
def test_place_is_a_folder_a_bucket_or_off(text: str, expected: object) -> None:
    assert Environment({"P": text}).place("P", Path("/default")) == expected


@pytest.mark.parametrize(
    "text",
    ["log", "./log", "s3:/log", "s3://", "s3://Log", "s3://log/a//b", "s3://log/../b", "s3://log/a?b", "https://a"],
)
def test_place_refuses_what_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="P must be an absolute path, s3://bucket/prefix or off"):
        Environment({"P": text}).place("P", None)


@pytest.mark.parametrize(
    ("text", "port", "starttls", "tls"),
    [
        ("smtp://mail.example", 587, True, False),
        ("smtps://u:p@mail.example:4650", 4650, False, True),
        ("smtp+plain://mail.example/", 25, False, False),
    ],
)
def test_mail_server_says_how_it_is_reached(text: str, port: int, starttls: bool, tls: bool) -> None:
    found = Environment({"M": text}).mail_server("M")
    assert found is not None
    assert (found.host, found.port, found.starttls, found.tls) == ("mail.example", port, starttls, tls)
    assert Environment({}).mail_server("M") is None


@pytest.mark.parametrize(
    "text", ["mail.example", "smtp://", "smtp://m.example/x", "smtp://m.example?x=1", "smtp://m:x1"]
)
def test_mail_server_refuses_what_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="M "):
        Environment({"M": text}).mail_server("M")


@pytest.mark.parametrize("text", ["hooks.example", "https://", "https://hooks.example/a#b"])
def test_endpoint_refuses_what_is_none(text: str) -> None:
    with pytest.raises(SettingError, match="H must look like"):
        Environment({"H": text}).endpoint("H")
    assert Environment({"H": "https://hooks.example/a?b=c"}).endpoint("H") == "https://hooks.example/a?b=c"

import os
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from fairlead.config import environment
from fairlead.config.serve import is_loopback


def settings(**values: object) -> environment.FairleadSettings:
    # What the shell or the run of the tests says must not decide.
    given = {"FAIRLEAD_DATABASE_URL": "", "secret_key": "", **values}
    return environment.FairleadSettings(**given)  # type: ignore[arg-type]


@pytest.mark.rule("T31")
@pytest.mark.parametrize(
    "key", ["short", "a" * 60, "django-insecure-" + "abcdefghij" * 5, "change-me-" + "abcdefghij" * 5]
)
def test_a_default_secret_is_refused(key, tmp_path):
    with pytest.raises(ImproperlyConfigured):
        environment.secret_key(settings(secret_key=key), tmp_path)


@pytest.mark.rule("T31")
def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path):
    first = environment.secret_key(settings(), tmp_path)
    assert environment.secret_key(settings(), tmp_path) == first
    assert len(first) >= environment.SECRET_LENGTH
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_sqlite_is_set_to_survive_a_power_cut(tmp_path):
    options = environment.database(settings(), tmp_path)["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_file_system", lambda directory: kind)
    with pytest.raises(ImproperlyConfigured, match="network file system"):
        environment.database(settings(), tmp_path)
    trusted = environment.database(settings(trust_file_system=True), tmp_path)
    assert trusted["NAME"] == tmp_path / "fairlead.sqlite3"


def test_a_postgresql_url_is_read_with_its_socket_directory():
    url = "postgresql://fair%40lead:se%2Fcret@/sales?host=/run/postgresql&port=5433&sslmode=require"
    found = environment.database(settings(FAIRLEAD_DATABASE_URL=url), Path("unused"))
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("sales", "fair@lead", "se/cret")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == (
        "/run/postgresql",
        "5433",
        {"sslmode": "require", "server_side_binding": True, "prepare_threshold": 3, "options": "-c jit=off"},
    )


def test_behind_a_pooler_no_statement_is_prepared():
    url = "postgresql:///sales?host=/run/postgresql&prepare_threshold=0"
    found = environment.database(settings(FAIRLEAD_DATABASE_URL=url), Path("unused"))
    assert found["OPTIONS"] == {"server_side_binding": True, "prepare_threshold": None}


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "postgresql://host", "postgresql:///sales?prepare_threshold=often"]
)
def test_another_database_url_is_refused(url):
    with pytest.raises(ImproperlyConfigured):
        environment.database(settings(FAIRLEAD_DATABASE_URL=url), Path("unused"))


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_what_counts_as_this_machine(host, is_here):
    assert is_loopback(host) is is_here

"""The one place where the environment is read. Every variable starts with FAIRLEAD_."""

import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_LENGTH = 50
PREPARE_THRESHOLD = 3  # executions of one statement before PostgreSQL keeps its plan
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph", "glusterfs"}
)


class FairleadSettings(BaseSettings):
    """What an operator may set. Defaults are safe for one machine; see docs/operating.md."""

    model_config = SettingsConfigDict(env_prefix="FAIRLEAD_", extra="ignore")

    data: Path = Path("var/company")
    database_url: str = Field("", validation_alias=AliasChoices("FAIRLEAD_DATABASE_URL", "DATABASE_URL"))
    secret_key: str = ""
    debug: bool = False
    site_url: str = ""
    allowed_hosts: Annotated[list[str], NoDecode] = []
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    threads: int | None = Field(None, ge=1, le=64)
    time_zone: str = "Asia/Shanghai"
    language: Literal["zh-hans", "en"] = "zh-hans"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: Mail goes out only with this: smtp://user:password@host:587?tls=1, or smtps:// with TLS from the start.
    mail_url: str = ""
    mail_from: str = ""
    demo: bool = False
    #: The directory is on a network file system that is known to lock as a local one does.
    trust_file_system: bool = False

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: Any) -> Any:
        return (
            [host.strip() for host in value.split(",") if host.strip()] if isinstance(value, str) else value
        )

    @property
    def uses_sqlite(self) -> bool:
        return not self.database_url


@lru_cache(maxsize=1)
def read() -> FairleadSettings:
    return FairleadSettings()


def data_directory(settings: FairleadSettings) -> Path:
    """The absolute data directory, made for this user alone where it does not exist."""
    directory = settings.data.expanduser().absolute()
    if not directory.exists():
        directory.mkdir(parents=True, mode=0o700)
    return directory


def secret_key(settings: FairleadSettings, directory: Path) -> str:
    """The key from the environment, or the one kept in the data directory, made on first use.

    Raises ImproperlyConfigured for a key that is short, poor or a known default.
    """
    key = settings.secret_key or _kept_secret(directory / "secret-key")
    poor = len(key) < SECRET_LENGTH or len(set(key)) < 8
    if poor or "insecure" in key.lower() or "changeme" in key.lower().replace("-", ""):
        raise ImproperlyConfigured(
            f"FAIRLEAD_SECRET_KEY must be a random text of at least {SECRET_LENGTH} characters; "
            "leave it out and Fairlead keeps one in its data directory."
        )
    return key


def _kept_secret(path: Path) -> str:
    while not path.exists():
        fresh = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(fresh, path)  # never replaces the key of a process that was quicker
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            os.replace(fresh, path)
            continue
        fresh.unlink()
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()


def database(settings: FairleadSettings, directory: Path) -> dict[str, Any]:
    """Django's description of the database: SQLite in the data directory, or PostgreSQL by URL."""
    if settings.database_url:
        return _postgresql(settings.database_url)
    if not settings.trust_file_system:
        refuse_network_file_system(directory)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": directory / "fairlead.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728; PRAGMA temp_store=MEMORY; "
                "PRAGMA journal_size_limit=67108864;"
            ),
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "FAIRLEAD_DATABASE_URL must look like postgresql://user:password@host:5432/name."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    # Statements are prepared on the server from the third time on: planning them costs more than most answers. A
    # pooler that hands one connection to several clients in turns cannot have that: ?prepare_threshold=0.
    threshold = options.pop("prepare_threshold", str(PREPARE_THRESHOLD))
    if not threshold.isdecimal():
        raise ImproperlyConfigured("prepare_threshold in FAIRLEAD_DATABASE_URL must be a whole number.")
    options |= {"server_side_binding": True, "prepare_threshold": int(threshold) or None}
    # Compiling a statement to machine code takes a tenth of a second, for answers of a hundredth: a frame that asks for
    # what a manager of 10,000 deals may decide looks dear enough for it. A pooler may refuse what is set at the start.
    if options["prepare_threshold"]:
        options.setdefault("options", "-c jit=off")
    # A socket directory cannot stand before the slash of a URL: ?host=/run/postgresql.
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", "") or parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def mail(settings: FairleadSettings) -> dict[str, Any]:
    """Django's mail settings; without a server nothing is ever sent."""
    if not settings.mail_url:
        return {"MAIL_IS_SET": False, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    parts = urlsplit(settings.mail_url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "@" not in settings.mail_from:
        raise ImproperlyConfigured(
            "FAIRLEAD_MAIL_URL must look like smtp://user:password@host:587?tls=1 and FAIRLEAD_MAIL_FROM "
            "must be the address that mail comes from."
        )
    starttls = dict(parse_qsl(parts.query)).get("tls", "0") not in {"0", ""}
    return {
        "MAIL_IS_SET": True,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": starttls and parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 20,
        "DEFAULT_FROM_EMAIL": settings.mail_from,
    }


def refuse_network_file_system(directory: Path) -> None:
    """SQLite's locks do not hold on network file systems; two writers would destroy the records."""
    kind = _file_system(directory)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise ImproperlyConfigured(
            f"{directory} lies on a network file system ({kind}), where SQLite cannot lock safely. "
            "Choose a local directory with FAIRLEAD_DATA, or PostgreSQL with FAIRLEAD_DATABASE_URL."
        )


def _file_system(directory: Path) -> str:
    """The kind of file system below `directory`; empty where the system does not tell."""
    if os.name == "nt":
        return "smb" if str(directory.resolve()).startswith("\\\\") else ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    here, best, kind = directory.resolve(), -1, ""
    for line in lines:
        fields = line.split(" ")
        mount = Path(fields[1].replace("\\040", " "))
        if here.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), fields[2]
    return kind

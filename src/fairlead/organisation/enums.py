"""Choices of the room `organisation`."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Role(models.TextChoices):
    """What a person does here. One person may hold several roles."""

    ADMIN = "ADMIN", _("Administrator")
    PROCESS_OWNER = "PROCESS_OWNER", _("Process owner")
    MGR = "MGR", _("Sales manager")
    AR = "AR", _("Account manager (AR)")
    SR = "SR", _("Solution manager (SR)")
    FR = "FR", _("Delivery manager (FR)")
    MKT = "MKT", _("Marketing")
    FIN = "FIN", _("Finance")
    LEG = "LEG", _("Legal")
    AUDITOR = "AUDITOR", _("Auditor")


class Scope(models.TextChoices):
    """Whose rows a right reaches, from narrow to wide."""

    OWN = "own", pgettext_lazy("row scope", "Own")
    TEAM = "team", pgettext_lazy("row scope", "Team")
    BRANCH = "branch", pgettext_lazy("row scope", "Branch")
    ALL = "all", pgettext_lazy("row scope", "All")


class TeamKind(models.TextChoices):
    BRANCH = "branch", pgettext_lazy("kind of team", "Branch")
    TEAM = "team", pgettext_lazy("kind of team", "Team")


class Language(models.TextChoices):
    ZH_HANS = "zh-hans", "简体中文"
    EN = "en", "English"


class Theme(models.TextChoices):
    AUTO = "auto", pgettext_lazy("theme", "As the device")
    LIGHT = "light", pgettext_lazy("theme", "Light")
    DARK = "dark", pgettext_lazy("theme", "Dark")


class DayKind(models.TextChoices):
    """What a dated exception makes of its day."""

    HOLIDAY = "holiday", _("Day off")
    WORKDAY = "workday", _("Make-up workday")
    HALF_DAY = "half_day", _("Half day")


class DaySource(models.TextChoices):
    OFFICIAL = "official", _("Official notice")
    COMPANY = "company", _("Company")


class WeekPattern(models.TextChoices):
    """A plain week that a new calendar may begin with."""

    MON_FRI = "mon_fri", _("Monday–Friday")
    SUN_THU = "sun_thu", _("Middle East: Sunday–Thursday")
    MON_SAT = "mon_sat", _("Monday–Saturday")


class KeyScope(models.TextChoices):
    """What an API key may be used for; never more than its owner may do."""

    READ = "read", pgettext_lazy("API key", "Read")
    WRITE = "write", pgettext_lazy("API key", "Write")
    DECIDE = "decide", _("Attest, waive, reopen")
    IMPORT = "import", pgettext_lazy("API key", "Import")
    MANAGE = "manage", pgettext_lazy("API key", "Manage")


class ProcessTemplate(models.TextChoices):
    """The set of processes that a new installation starts with."""

    PLAIN = "plain", _("Plain, five stages")
    KEY_ACCOUNT = "key_account", _("Key accounts, eight stages")
    LTC = "ltc", _("Lead to cash (LTC)")

"""Django's settings, made from the operator's few (see environment.py)."""

from datetime import timedelta
from importlib.util import find_spec
from urllib.parse import urlsplit

from fairlead.config import environment
from fairlead.config.jinja2 import compiled_in
from fairlead.config.rooms import APPS, PACKAGE

FAIRLEAD = environment.read()
DATA_DIR = environment.data_directory(FAIRLEAD)
SECRET_KEY = environment.secret_key(FAIRLEAD, DATA_DIR)
DATABASES = {"default": environment.database(FAIRLEAD, DATA_DIR)}
DEBUG = FAIRLEAD.debug
SITE_URL = FAIRLEAD.site_url.rstrip("/")
IS_SECURE = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    *(f"fairlead.{room}" for room in APPS),
]

MIDDLEWARE = [
    "fairlead.common.middleware.RequestIdMiddleware",
    "fairlead.common.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fairlead.common.middleware.PreferencesMiddleware",
    "fairlead.common.middleware.RefusalMiddleware",
]
# A room may add its own steps (sign-in rules, first run) without this file knowing them by name.
MIDDLEWARE += [
    f"fairlead.{room}.middleware.{room.capitalize()}Middleware"
    for room in APPS
    if room != "common" and find_spec(f"fairlead.{room}") and (PACKAGE / room / "middleware.py").exists()
]

ROOT_URLCONF = "fairlead.config.urls"
WSGI_APPLICATION = "fairlead.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / room / "templates" for room in APPS],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "fairlead.config.jinja2.environment",
            "bytecode_cache": compiled_in(DATA_DIR),
        },
    },
]
FORM_RENDERER = "django.forms.renderers.Jinja2"

# People and sign-in
AUTH_USER_MODEL = "organisation.User"
LOGIN_URL = "organisation:sign_in"
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "fairlead.organisation.backends.PasswordBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]  # behind a balancer all guests share one address
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # addresses of people who signed in rightly are nobody's business
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# The sign-in page answers a lock-out itself, without the middleware; only user names are counted, see above.
SILENCED_SYSTEM_CHECKS = ["axes.W002", "axes.W006"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator", "MinimumLengthValidator",
        "CommonPasswordValidator", "NumericPasswordValidator",
    )
]  # fmt: skip

SESSION_ENGINE = "fairlead.organisation.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-fairlead" if IS_SECURE else "fairlead"
CSRF_COOKIE_NAME = "__Host-fairlead-csrf" if IS_SECURE else "fairlead-csrf"
CSRF_FAILURE_VIEW = "fairlead.common.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Addresses and headers; the content security policy stands in common.middleware
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *FAIRLEAD.allowed_hosts]
if SITE_URL:
    ALLOWED_HOSTS.append(urlsplit(SITE_URL).hostname or "")
if FAIRLEAD.host not in {"0.0.0.0", "::", *ALLOWED_HOSTS}:  # noqa: S104
    ALLOWED_HOSTS.append(FAIRLEAD.host)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT = IS_SECURE
if IS_SECURE:  # the balancer that ends TLS must set this header and drop a client's own
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Languages and time
LANGUAGE_CODE = "zh-hans"  # the reference language; FAIRLEAD_LANGUAGE chooses what a guest sees first
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "fairlead-language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
DEFAULT_LANGUAGE = FAIRLEAD.language
USE_I18N = USE_TZ = True
TIME_ZONE = FAIRLEAD.time_zone

# Files
MEDIA_ROOT = DATA_DIR / "files"
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [
    (room, PACKAGE / room / "static")
    for room in APPS
    if room != "common" and (PACKAGE / room / "static").is_dir()
]
STATICFILES_DIRS.append(("", PACKAGE / "common" / "static"))
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "fairlead.config.static.StaticFiles"},
}
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Mail: MAIL_IS_SET and Django's EMAIL_… from one address
globals().update(environment.mail(FAIRLEAD))

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "fairlead"}}
TASKS = {
    "default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "imports", "demo"]},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "fairlead.config.logs.Line",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"fairlead": {"level": FAIRLEAD.log_level}, "django.server": {"level": "WARNING"}},
}

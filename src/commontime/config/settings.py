"""All settings, from environment variables.

docs/settings.md lists the variables; a test compares the two.
"""

import select
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from commontime import __version__
from commontime.config import env
from commontime.core.domains import ascii_domain
from commontime.mail.addresses import BadAddress, address_in

PACKAGE = Path(__file__).resolve().parent.parent

# Where things lie ---------------------------------------------------------------------------------


def data_folder() -> str:
    """Return where data lies by default: in a checkout beside its sources."""
    if (PACKAGE.parent.parent / "manage.py").exists():
        return "var"
    return str(env.data_home() / "commontime")


DATA_DIR = env.folder(
    "COMMONTIME_DATA_DIR",
    data_folder(),
    purpose=(
        "Folder of the SQLite file, the generated secret key and, without a mail server, the "
        "emails."
    ),
)
PORT = env.integer("PORT", 8000, minimum=1, maximum=65535, purpose="Port of the web server.")
WEB_WORKERS = env.integer("COMMONTIME_WEB_WORKERS", 1, minimum=1, purpose="Web processes.")
WEB_THREADS = env.integer(
    "COMMONTIME_WEB_THREADS", 4, minimum=1, purpose="Requests each web process answers at once."
)
WORKERS = env.integer(
    "COMMONTIME_WORKERS", 1, minimum=1, purpose="Processes that send mail and keep deadlines."
)
PLANNERS = env.integer(
    "COMMONTIME_PLANNERS",
    1,
    minimum=1,
    purpose="Processes that work out plans: each one of up to 30 seconds and a longer one.",
)
HOST = env.text(
    "COMMONTIME_HOST",
    "127.0.0.1",
    purpose="Address the web server listens on. Anything but a loopback address is public.",
)


def address_of(url: SplitResult, host: str) -> str:
    """Return the URL with this host. ValueError if it is more than scheme, host, port."""
    shown = f"[{host}]" if ":" in host else host
    if url.scheme not in {"http", "https"} or not host or url.path or url.query or url.fragment:
        raise ValueError(url.geturl())
    return f"{url.scheme}://{shown}" + (f":{url.port}" if url.port else "")


PUBLIC = not env.is_loopback(HOST)
COMMONTIME_BASE_URL = env.text(
    "COMMONTIME_BASE_URL",
    f"http://127.0.0.1:{PORT}",
    purpose="Address at which people reach Commontime; every link in an email starts with it.",
).rstrip("/")
_base = urlsplit(COMMONTIME_BASE_URL)
try:
    # Cookies, links and Message-IDs need the host in ASCII.
    BASE_HOST = ascii_domain(_base.hostname or "")
    COMMONTIME_BASE_URL = address_of(_base, BASE_HOST)
except ValueError:
    raise ImproperlyConfigured(
        "COMMONTIME_BASE_URL must look like https://commontime.example.org, without a path."
    ) from None
HTTPS = _base.scheme == "https"
OTHERS_COME = PUBLIC or not env.is_loopback(BASE_HOST)

DEBUG = env.flag(
    "COMMONTIME_DEBUG",
    False,
    purpose=(
        "Django’s debug pages. For development only; refused where other people can reach the "
        "server."
    ),
)
ALLOWED_HOSTS = env.names(
    "COMMONTIME_ALLOWED_HOSTS",
    sorted({BASE_HOST, "localhost", "127.0.0.1", "[::1]"}),
    purpose="Host names the server answers to, comma-separated.",
)
SECRET_KEY = env.secret(
    "COMMONTIME_SECRET_KEY",
    keep_in=DATA_DIR / "secret_key",
    purpose=(
        "Signs tokens and cookies, at least 32 characters. Unset: generated and kept in the data "
        "folder. Several machines need the same one."
    ),
)
SECRET_KEY_OLD = env.private_text(
    "COMMONTIME_SECRET_KEY_OLD",
    purpose="The key before, while you change it: links in emails keep working.",
)
SECRET_KEY_FALLBACKS = [SECRET_KEY_OLD] if SECRET_KEY_OLD else []
TRUSTED_PROXIES = env.networks(
    "COMMONTIME_TRUSTED_PROXIES",
    purpose=(
        "Addresses or networks of reverse proxies whose X-Forwarded-For is believed, "
        "comma-separated."
    ),
)

if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("COMMONTIME_SECRET_KEY must have at least 32 characters.")
if PUBLIC and not env.is_set("COMMONTIME_BASE_URL"):
    # The links in emails can't be guessed, and neither can the host names to answer to.
    raise ImproperlyConfigured(
        f"COMMONTIME_HOST={HOST} is open to the network, so set COMMONTIME_BASE_URL too, to the "
        "address that people use, for example http://nas.lan:8000."
    )
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("COMMONTIME_ALLOWED_HOSTS names no host; unset it or name one.")
if not HTTPS and not env.is_private(BASE_HOST):
    raise ImproperlyConfigured(
        f"COMMONTIME_BASE_URL is {COMMONTIME_BASE_URL}, an address on the internet, so it must "
        "start with https://. A reverse proxy does that, for example Caddy."
    )
if not HTTPS and not env.is_loopback(BASE_HOST):
    env.warn(
        f"COMMONTIME_BASE_URL is {COMMONTIME_BASE_URL}: on the way, others in this network can "
        "read what people send, passwords included. Use https:// where you can."
    )
if OTHERS_COME and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "COMMONTIME_ALLOWED_HOSTS must list host names; with '*', anybody could put their own host "
        "into the links in our emails."
    )
if OTHERS_COME and DEBUG:
    raise ImproperlyConfigured("COMMONTIME_DEBUG shows visitors the server’s internals; unset it.")

# Django -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_ox",
    "commontime.core",
    "commontime.mail",
    "commontime.accounts",
    "commontime.contacts",
    "commontime.calendars",
    "commontime.api",
    "commontime.web",
    "commontime.jobs",
]
MIDDLEWARE = [
    "commontime.config.middleware.RequestMiddleware",
    "commontime.config.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "commontime.config.middleware.HostMiddleware",
    "commontime.config.middleware.ArrivalMiddleware",
    "commontime.config.middleware.OutageMiddleware",
    "commontime.config.middleware.FilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "commontime.web.middleware.SignedInMiddleware",
    "commontime.web.middleware.LanguageMiddleware",
    # Behind all that its page needs; the token check reads the body later, before the view.
    "commontime.config.middleware.BodyMiddleware",
]
ROOT_URLCONF = "commontime.config.urls"
WSGI_APPLICATION = "commontime.config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "commontime.web.base.about",
            ]
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {"environment": "commontime.web.jinja.environment"},
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
if not env.text(
    "PYTHONTZPATH",
    purpose="Absolute paths of folders with newer time zone rules than the bundled ones.",
):
    # Python would read the machine's files first, which can be years old.
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
LANGUAGE_CODE = "en"
# Every text has a translation into each of them; tests/web/test_languages.py checks it.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
# The contract allows 1 MB per body. The form of a plan has four fields for each of 500 meetings.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_100
BODY_SECONDS = env.integer(
    "COMMONTIME_BODY_SECONDS",
    10,
    minimum=2,
    purpose="Seconds within which a request must have arrived; a second more is possible.",
)

# Databases ----------------------------------------------------------------------------------------

DATABASE_URL = env.private_text(
    "DATABASE_URL",
    purpose=(
        "postgresql://user:password@host:port/name for PostgreSQL. Unset: SQLite in the data "
        "folder."
    ),
)
DATABASE_POOL = env.integer(
    "COMMONTIME_DATABASE_POOL", 8, minimum=1, purpose="PostgreSQL connections per process, at most."
)


def check_connection(pooled: Any) -> None:
    """Refuse a pooled PostgreSQL connection that the server has closed.

    Data on its idle socket is a sign of that; only then the server is asked.
    """
    poll = select.poll()
    poll.register(pooled.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        pooled.execute("SELECT 1")


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a database URL. An empty one means SQLite."""
    parts = urlsplit(url or f"sqlite:///{DATA_DIR / 'commontime.sqlite3'}")
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in {"postgres", "postgresql"}:
        return _postgresql(parts)
    raise ImproperlyConfigured(
        "DATABASE_URL must start with postgresql:// or sqlite:///, or be unset for SQLite in the "
        "data folder."
    )


def _sqlite(parts: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": unquote(parts.path[1:]) or ":memory:",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # By default a transaction that reads and then writes fails at once if another one wrote
            # in between.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # Each thread has a connection. Python keeps 128 statements of each, which takes more
            # than all else that a thread has.
            "cached_statements": 32,
            # FULL: saved data survives a power cut, not only a killed process. The cache of pages
            # is small, because the system keeps the file itself.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-2000; "
                "PRAGMA temp_store=MEMORY"
            ),
        },
    }


def _postgresql(parts: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # A restarted server must not cost a request: every pooled connection is checked first.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **dict(parse_qsl(parts.query)),
            # While the server is away, a request waits three seconds. The pool drops its growing
            # pauses after two, so that the first request after the outage gets a connection.
            "pool": {
                "min_size": 1,
                "max_size": DATABASE_POOL,
                "timeout": 3,
                "reconnect_timeout": 2,
                "check": check_connection,
            },
            # PostgreSQL plans each request's statements once per connection (core/rows.py). An
            # outside pooler must allow that.
            "prepare_threshold": 2,
            "connect_timeout": 5,
        },
    }


DATABASES = {"default": database(DATABASE_URL)}
READ_DATABASE_URL = database  # for `commontime move-to`

# People -------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "commontime.accounts.hashers.Argon2",
    "commontime.accounts.hashers.PBKDF2",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "commontime.accounts.validators.MaximumLengthValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600

ACCESS_LIFETIME = timedelta(
    seconds=env.integer(
        "COMMONTIME_ACCESS_SECONDS",
        600,
        minimum=1,
        purpose="Seconds until an access token expires.",
    )
)
REFRESH_IDLE = timedelta(
    days=env.integer(
        "COMMONTIME_REFRESH_IDLE_DAYS",
        14,
        minimum=1,
        purpose="Days without use until a sign-in ends.",
    )
)
REFRESH_TOTAL = timedelta(
    days=env.integer(
        "COMMONTIME_REFRESH_TOTAL_DAYS", 90, minimum=1, purpose="Days until every sign-in ends."
    )
)
KNOWN_NETWORK_AGE = timedelta(
    days=env.integer(
        "COMMONTIME_KNOWN_NETWORK_DAYS",
        400,
        minimum=1,
        purpose=(
            "Days until a network is forgotten from which somebody signed in: long enough for a "
            "holiday home that is visited once a year."
        ),
    )
)
KNOWN_NETWORKS = env.integer(
    "COMMONTIME_KNOWN_NETWORKS",
    100,
    minimum=1,
    purpose=(
        "Networks kept for one account, the last ones used: a phone on the road has many, and each "
        "is a row."
    ),
)


def limit(variable: str, count: int, seconds: int, purpose: str) -> tuple[int, int]:
    """Return how often something may happen, in how many seconds."""
    return env.integer(f"COMMONTIME_LIMIT_{variable}", count, minimum=1, purpose=purpose), seconds


MINUTE, HOUR, DAY = 60, 3600, 86400
LIMITS = {
    "password": limit(
        "PASSWORD",
        10,
        15 * MINUTE,
        "Wrong passwords for one account from one address in 15 minutes, or one IPv6 /64.",
    ),
    "password_site": limit(
        "PASSWORD_SITE",
        50,
        15 * MINUTE,
        "Wrong passwords for one account from one IPv6 /48 in 15 minutes: it has 65,536 /64, and "
        "often one customer.",
    ),
    "password_day": limit(
        "PASSWORD_DAY",
        500,
        DAY,
        "Wrong passwords for one account in a day, from everywhere. No person mistypes so often; "
        "somebody guesses from many networks.",
    ),
    "password_stranger": limit(
        "PASSWORD_STRANGER",
        3,
        DAY,
        "When that is reached: wrong passwords in a day from a network (IPv6: a /48) from which "
        "nobody has signed in to the account. Its owner needs one try.",
    ),
    "sign_up": limit("SIGN_UP", 100, HOUR, "Sign-ups from one address in an hour."),
    "look_up": limit(
        "LOOK_UP", 60, HOUR, "Usernames and ids of strangers one person can look up in an hour."
    ),
    "export": limit(
        "EXPORT", 20, HOUR, "Exports of everything one person has here, in an hour; they are large."
    ),
    "double_booked": limit(
        "DOUBLE_BOOKED",
        60,
        HOUR,
        "Answers in an hour that tell one organiser who is in another meeting.",
    ),
    "reset_mail": limit("RESET_MAIL", 3, HOUR, "Reset emails to one address in an hour."),
    "confirm_mail": limit(
        "CONFIRM_MAIL",
        3,
        HOUR,
        "Emails to confirm an address, for one account or address in an hour.",
    ),
    "reset_ask": limit(
        "RESET_ASK", 10, HOUR, "Reset emails requested from one client address in an hour."
    ),
    "reset_try": limit(
        "RESET_TRY", 20, MINUTE, "Tries with reset links from one client address in a minute."
    ),
    "mails_caused": limit(
        "MAILS_CAUSED",
        200,
        DAY,
        "Emails one person can cause in a day, of whatever kind. A choir of forty needs 40 for a "
        "meeting; what is more goes out the next day.",
    ),
    "mail_pair": limit("MAIL_PAIR", 5, DAY, "Emails one person can send another in a day."),
    "mail_receiver": limit(
        "MAIL_RECEIVER", 20, DAY, "Emails from other people that one person receives in a day."
    ),
    "reminder": limit(
        "REMINDER", 1, 12 * HOUR, "Reminders one person can send another in 12 hours."
    ),
    "same_form": (1, DAY),  # the second time is a second click
}


def quota(name: str, count: int, purpose: str) -> int:
    """Return how much of something one person can keep."""
    return env.integer(f"COMMONTIME_QUOTA_{name}", count, minimum=1, purpose=purpose)


QUOTAS = {
    "calendars": quota(
        "CALENDARS",
        1000,
        "Calendars one person owns: most of what is stored belongs to one. Nobody is handed those "
        "of others beyond half of it.",
    ),
    "meetings": quota(
        "MEETINGS",
        10_000,
        "Meetings in all calendars of one person: each is looked at when a deadline comes.",
    ),
    "suggestions": quota(
        "SUGGESTIONS",
        500,
        "Times one person suggests for a meeting: everybody in it reads them.",
    ),
    "plans": quota(
        "PLANS", 200, "Plans kept for one person, one a calendar: each can take half a megabyte."
    ),
    "invitations": quota(
        "INVITATIONS", 1000, "Invitations of one person that wait for an answer: others get mail."
    ),
    "contacts": quota(
        "CONTACTS", 2000, "Contacts of one person: they are a list on several pages."
    ),
    "text": quota(
        "TEXT",
        2_000_000,
        "Characters of descriptions in all calendars of one person, 200 of the longest.",
    ),
}

SESSION_ENGINE = "commontime.web.sessions"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = int(REFRESH_IDLE.total_seconds())
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "commontime.web.csrf.failed"
CSRF_TRUSTED_ORIGINS = [COMMONTIME_BASE_URL]

SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# For this host alone: its neighbours below the same domain may speak plain HTTP.
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_HSTS_PRELOAD = False
# TLS ends at the proxy, which redirects too. A redirect from here would lose the body of a POST.
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
}

# Who may sign up ----------------------------------------------------------------------------------

SIGN_UP = env.choice(
    "COMMONTIME_SIGN_UP",
    ["open", "invited", "closed"],
    purpose=(
        "Who can make an account: everybody (`open`), people with the link of an invitation "
        "(`invited`), or only you, with `commontime create-account` (`closed`)."
    ),
)
SIGN_UP_DOMAINS = env.domains(
    "COMMONTIME_SIGN_UP_DOMAINS",
    purpose=(
        "Domains whose email addresses can sign up, comma-separated, without their subdomains. "
        "Unset: all."
    ),
)

# Mail and the queue -------------------------------------------------------------------------------

SMTP_URL = env.private_text(
    "COMMONTIME_SMTP_URL",
    purpose=(
        "smtp://user:password@host:port, smtps:// for TLS, smtp+tls:// for STARTTLS. Unset: "
        "people read their emails at `/app/mail/`, and each is also a file."
    ),
)
DEFAULT_FROM_EMAIL = env.text(
    "COMMONTIME_MAIL_FROM",
    # parseaddr can't read an IPv6 address behind the @.
    f"Commontime <commontime@{'localhost' if ':' in BASE_HOST else BASE_HOST}>",
    purpose="Sender of every email.",
)
try:
    address_in(DEFAULT_FROM_EMAIL)
except BadAddress:
    raise ImproperlyConfigured(
        f"COMMONTIME_MAIL_FROM is {DEFAULT_FROM_EMAIL!r}; set it to one email address, for "
        "example Commontime <commontime@example.org>."
    ) from None


def mailer(url: str) -> dict[str, Any]:
    """Return Django's mailer settings for an SMTP URL. An empty one writes files."""
    if not url:
        return {
            "BACKEND": "commontime.mail.backends.FileBackend",
            "OPTIONS": {"folder": str(DATA_DIR / "mail")},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"} or not parts.hostname:
        raise ImproperlyConfigured(
            "COMMONTIME_SMTP_URL must look like smtp://user:password@host:587 (or smtps://, "
            "smtp+tls://)."
        )
    return {
        "BACKEND": "commontime.mail.backends.ServerBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parts.scheme == "smtp+tls",
            # A silent server holds the worker no longer than this.
            "timeout": 10,
        },
    }


CONFIRM_ADDRESSES = env.flag(
    "COMMONTIME_CONFIRM_ADDRESSES",
    True,
    purpose=(
        "Whether a new address must be confirmed before emails go to it, or go out because of its "
        "account. Without that, anybody can have us email strangers. Only with a mail server."
    ),
)
KEEP_MAIL_DAYS = env.integer(
    "COMMONTIME_KEEP_MAIL_DAYS",
    30,
    minimum=1,
    purpose="Days until sent emails are forgotten and email files deleted.",
)
MAILERS = {"default": mailer(SMTP_URL)}
TASKS = {
    "default": {
        "BACKEND": "django_ox.backend.OxBackend",
        "QUEUES": ["default", "plans", "short-plans"],
        "OPTIONS": {
            "MAX_ATTEMPTS": 5,
            "LOCK_TIMEOUT": 30.0,
            "BACKOFF_INITIAL": 5,
            "SCHEDULES": {
                "deliver-mail": {
                    "task": "commontime.mail.tasks.deliver",
                    "every": timedelta(seconds=15),
                },
                "meet-deadlines": {
                    "task": "commontime.jobs.tasks.meet_deadlines",
                    "every": timedelta(seconds=30),
                },
                "clean-up": {"task": "commontime.jobs.tasks.clean_up", "every": timedelta(hours=1)},
            },
        },
    }
}

# The API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # Our own views set their authentication and parsers (api/view.py). Any other view is closed.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "commontime.api.schema.Schema",
    "EXCEPTION_HANDLER": "commontime.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Commontime",
    "DESCRIPTION": "Find a group the time it has in common.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_URLCONF": "commontime.api.urls",
    # Serializers describe requests only; structs describe answers.
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": ["commontime.api.schema.finish"],
}

# What is logged and counted -----------------------------------------------------------------------

METRICS_TOKEN = env.private_text(
    "COMMONTIME_METRICS_TOKEN",
    purpose=(
        "Whoever reads /metrics must send it; at least 16 characters. Unset: there is no /metrics."
    ),
)
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("COMMONTIME_METRICS_TOKEN must have at least 16 characters.")
LOG_LEVEL = env.text(
    "COMMONTIME_LOG_LEVEL",
    "INFO",
    purpose="DEBUG, INFO, WARNING or ERROR. DEBUG also logs every task.",
).upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured(
        f"COMMONTIME_LOG_LEVEL is {LOG_LEVEL!r}; set it to DEBUG, INFO, WARNING or ERROR."
    )
LOG_FORMAT = env.text(
    "COMMONTIME_LOG_FORMAT",
    "text",
    purpose="text for lines that people read, json for a JSON object a line.",
).lower()
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured(f"COMMONTIME_LOG_FORMAT is {LOG_FORMAT!r}; set it to text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "commontime.config.logs.OneLine",
            "format": "%(asctime)s %(levelname)s %(name)s%(tag)s: %(message)s",
        },
        "json": {"()": "commontime.config.logs.Json"},
    },
    "filters": {
        "outages": {"()": "commontime.config.outages.Outages"},
        "hosts": {"()": "commontime.config.seldom.Seldom"},
        "forms": {"()": "commontime.config.seldom.Seldom"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["outages"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": "WARNING"},
        # Refused requests are the clients' problem; our own failures are logged as errors.
        "django.request": {"level": "ERROR"},
        # Each has a traceback, with which anybody could fill the disk.
        "django.security": {"level": "CRITICAL"},
        # Anybody can cause these two, too. A few tell an operator that a proxy is set up wrongly.
        "django.security.csrf": {"level": "WARNING", "filters": ["forms"]},
        "commontime.config.middleware": {"filters": ["hosts"]},
        # Without its own handler the worker would add one and log every line twice. It logs each
        # task at INFO.
        "django_ox": {
            "level": "INFO" if LOG_LEVEL == "DEBUG" else "WARNING",
            "handlers": ["console"],
            "propagate": False,
        },
    },
}

# For docs/settings.md: `manage.py settings` prints it as a table.
ENVIRONMENT = env.READ

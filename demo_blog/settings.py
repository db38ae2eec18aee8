"""Settings of the demo blog. Everything works with nothing set; the environment overrides.

Read here are DEBUG, SECRET_KEY, ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, DATABASE_URL and CONTACT_EMAIL;
jobqueue reads REDIS_URL itself.
"""

from __future__ import annotations

from pathlib import Path

import django
import environ

from demo_blog.secret import kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

DEBUG = env.bool("DEBUG", default=True)
IS_KEY_MADE_UP = DEBUG and "SECRET_KEY" not in env
SECRET_KEY = kept_secret(BASE_DIR / ".jobqueue") if IS_KEY_MADE_UP else env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", ".localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "demo_blog",
    "jobqueue",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "demo_blog.middleware.TellWhenRedisIsUnreachable",
]
ROOT_URLCONF = "demo_blog.urls"
WSGI_APPLICATION = "demo_blog.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Web and workers write one file: readers never wait for a writer (WAL), and a writer waits for its
    # turn when its transaction begins, where waiting works, and not in the middle, where SQLite gives up.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
# Static files are served from the apps' own folders, so that a clone needs no collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Mails are printed by the worker that sends them.
CONSOLE = "django.core.mail.backends.console.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": CONSOLE}}
else:
    EMAIL_BACKEND = CONSOLE
DEFAULT_FROM_EMAIL = "blog@example.com"
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="editor@example.com")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {name} {levelname} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "jobqueue": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "demo_blog": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}

# What comes again and again. Whoever runs the greeting on the page Schedule is asked for its parameter.
JOBQUEUE_SCHEDULE = {
    "recount": {
        "every": "10m",
        "class": "demo_blog.jobs.recount",
        "description": "Counts what may have changed without a signal",
    },
    "morning_greeting": {
        "cron": "0 8 * * mon-fri",
        "class": "demo_blog.jobs.Greeting",
        "kwargs": {"name": "world"},
        "description": "A friendly line in the worker’s log",
        "parameters": {"name": {"description": "Who is greeted", "default": "world"}},
    },
}

# honcho kills what has not stopped after five seconds; a running job gets three, one more to clean up, and
# goes back to its queue.
JOBQUEUE_SHUTDOWN_TIMEOUT_SECONDS = 3
JOBQUEUE_TERM_TIMEOUT_SECONDS = 1

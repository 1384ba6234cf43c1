"""A line of the log says what the caller gave beside the message."""

import logging
from io import StringIO
from logging.config import dictConfig

import pytest
from django.conf import settings


@pytest.fixture
def said():
    """What the configured handler writes for a record of its own logger."""
    formatter = dictConfig.__globals__["DictConfigurator"](settings.LOGGING).configure_formatter(
        dict(settings.LOGGING["formatters"]["line"])
    )
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("fairlead.sample")
    logger.addHandler(handler)
    return logger, stream


def test_the_fault_and_its_row_stand_in_the_line(said):
    logger, stream = said
    logger.error("journal.seal_broken", extra={"fault": "detail_altered", "seal": None, "event": 55})
    assert stream.getvalue().endswith(
        'ERROR fairlead.sample journal.seal_broken fault="detail_altered" seal=None event=55\n'
    )


def test_without_anything_beside_it_the_line_ends_with_the_message(said):
    logger, stream = said
    logger.warning("jobs.stopped %s", "now")
    assert stream.getvalue().endswith(" WARNING fairlead.sample jobs.stopped now\n")


def test_no_value_makes_a_second_line_or_a_second_pair(said):
    logger, stream = said
    logger.error("import.failed", extra={"file": 'a\nERROR b" event=1'})
    assert stream.getvalue().count("\n") == 1
    assert 'file="a\\nERROR b\\" event=1"' in stream.getvalue()


def test_what_a_library_gives_along_stays_out(said):
    logger, stream = said
    logger.name = "django.request"
    logger.warning("Not Found: %s", "/search/", extra={"request": "/search/?q=张工"})
    assert stream.getvalue().endswith("Not Found: /search/\n")


def test_a_trace_still_follows_the_line(said):
    logger, stream = said
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("jobs.failed", extra={"job": 3})
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("jobs.failed job=3") and rest[-1] == "ValueError: why"

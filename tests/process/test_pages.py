"""A published process is readable by everybody who works here, and changed by publishers alone."""

import copy
from datetime import UTC, datetime

import pytest
from django.utils import translation

from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.models import Organisation, User
from fairlead.process.files import read_yaml
from fairlead.process.models import Process
from fairlead.process.services import publish
from fairlead.process.services.shipping import TEMPLATES, shipped

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PLAIN = "/processes/plain_opportunity/"


@pytest.fixture(autouse=True)
def _company():
    Organisation.objects.create(pk=1, name="海纳工业")
    publish(shipped("plain_opportunity"), by=None, at=NOON, channel=Channel.SYSTEM)


def enter(client, *roles, language="zh-hans"):
    user = services.create_user(
        username="zhoumin", name="周敏", password="correct-horse", roles=list(roles), by=None, at=NOON,
        channel=Channel.SYSTEM,
    )  # fmt: skip
    User.objects.filter(pk=user.pk).update(language=language)
    client.force_login(User.objects.get(pk=user.pk), backend="fairlead.organisation.backends.PasswordBackend")
    return user


@pytest.mark.rule("PD-1")
@pytest.mark.parametrize("role", ["AR", "FIN", "AUDITOR", "PROCESS_OWNER"])
def test_everybody_reads_stages_gates_and_who_owes_what(client, role):
    enter(client, role)

    page = client.get(PLAIN).content.decode()

    for words in ("接触", "值得跟进", "客户有回应", "知道谁是决策人", "价格", "v1"):
        assert words in page, words
    assert 'id="stage-signing"' in page
    assert client.get("/processes/").status_code == 200


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("key", sorted({key for keys in TEMPLATES.values() for key in keys}))
def test_every_shipped_process_has_its_page_in_both_languages(client, key, language):
    if key != "plain_opportunity":
        publish(shipped(key), by=None, at=NOON, channel=Channel.SYSTEM)
    enter(client, "AR", language=language)

    answer = client.get(f"/processes/{key}/")

    assert answer.status_code == 200
    with translation.override(language):
        name = shipped(key)["name"]["zh" if language == "zh-hans" else "en"]
    assert f"<h1>{name.replace('&', '&amp;')}</h1>" in answer.content.decode()


@pytest.mark.rule("VR-1")
def test_the_download_is_the_document(client):
    enter(client, "AR")

    assert read_yaml(client.get(f"{PLAIN}document.yaml").content) == shipped("plain_opportunity")


@pytest.mark.rule("T02", "T05")
@pytest.mark.parametrize(
    ("role", "status", "mode"),
    [("AR", 403, "soft"), ("MGR", 403, "soft"), ("PROCESS_OWNER", 302, "enforced")],
)
def test_only_a_publisher_changes_the_mode(client, role, status, mode):
    enter(client, role)
    events = Event.objects.filter(type="process_mode_set").count()

    answer = client.post(f"{PLAIN}mode", {"mode": "enforced"})

    assert answer.status_code == status
    assert Process.objects.get().mode == mode
    assert Event.objects.filter(type="process_mode_set").count() - events == (status == 302)


def test_an_unknown_mode_is_refused(client):
    enter(client, "PROCESS_OWNER")

    assert client.post(f"{PLAIN}mode", {"mode": "hard"}).status_code == 422
    assert Process.objects.get().mode == "soft"


@pytest.mark.rule("VR-1")
def test_the_page_tells_what_the_new_version_changed(client):
    document = copy.deepcopy(shipped("plain_opportunity"))
    document["version"] = 2
    document["stages"][0]["limit"] = {"yellow": 3, "red": 5}
    del document["stages"][0]["exit"][1]
    publish(document, by=None, at=NOON, channel=Channel.SYSTEM)
    enter(client, "AR", language="en")

    page = client.get(PLAIN).content.decode()

    assert "Contact: limit 7/10 → 3/5 days" in page
    assert "Customer states a problem" in page
    assert "v1 → v2" in page
    assert "Retired" in client.get(PLAIN, {"version": "1"}).content.decode()


@pytest.mark.rule("T05")
@pytest.mark.parametrize(
    "path",
    ["/processes/nosuch/", f"{PLAIN}?version=7", f"{PLAIN}?version=x", f"{PLAIN}document.yaml?version=0"],
)
def test_what_is_not_there_is_not_found(client, path):
    enter(client, "AR")

    assert client.get(path).status_code == 404


def test_the_page_asks_the_database_little(client, django_assert_max_num_queries):
    enter(client, "AR")
    client.get(PLAIN)

    with django_assert_max_num_queries(12):
        client.get(PLAIN)
    with django_assert_max_num_queries(12):
        client.get("/processes/")


@pytest.mark.rule("PD-1")
def test_a_version_that_repeats_the_one_before_is_not_said_to_differ_in_words(client):
    document = copy.deepcopy(shipped("plain_opportunity"))
    for number in (2, 3):
        document["version"] = number
        publish(copy.deepcopy(document), by=None, at=NOON, channel=Channel.SYSTEM)
        document["stages"][0]["goal"] = {"zh": "换个说法", "en": "Said otherwise"}
    enter(client, "AR", language="en")
    said = [client.get(PLAIN, {"version": str(n)}).content.decode() for n in (2, 3)]
    assert "Nothing differs." in said[0] and "Only guidance and words differ." not in said[0]
    assert "Only guidance and words differ." in said[1] and "Nothing differs." not in said[1]

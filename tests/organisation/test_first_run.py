from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from fairlead.journal.models import Event
from fairlead.organisation import registry, services
from fairlead.organisation.enums import Role
from fairlead.organisation.models import Organisation, Team, User, WorkingCalendar

from .conftest import NOON, PASSWORD

PLACE = {
    "organisation_name": "海纳工业", "language": "zh-hans", "time_zone": "Asia/Shanghai", "currency": "CNY",
    "template": "key_account",
}  # fmt: skip
PERSON = {"name": "何佳", "username": "hejia", "password": PASSWORD}


@pytest.fixture
def client(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    return Client()


@pytest.mark.django_db
def test_two_steps_make_the_company_and_a_signed_in_administrator(client):
    assert client.get(reverse("organisation:sign_in")).url == reverse("organisation:first_run")
    first = client.get(reverse("organisation:first_run"))
    assert first.status_code == 200
    second = client.post(reverse("organisation:first_run"), PLACE | {"step": "1"})
    assert second.status_code == 200
    assert 'name="currency" value="CNY"' in second.content.decode()
    assert not User.objects.exists()
    done = client.post(reverse("organisation:first_run"), PLACE | PERSON | {"step": "2"})

    assert (done.status_code, done.url) == (302, "/")
    admin = User.objects.get()
    assert client.session["_auth_user_id"] == str(admin.pk)
    assert admin.roles == {Role.ADMIN, Role.PROCESS_OWNER}
    organisation = Organisation.objects.get()
    assert (organisation.name, organisation.template, organisation.soft_mode) == (
        "海纳工业",
        "key_account",
        True,
    )
    assert Team.objects.get().name == "海纳工业"
    assert WorkingCalendar.objects.get().is_default
    assert Event.objects.filter(type="organisation_set_up", actor_id=admin.pk).count() == 1


@pytest.mark.django_db
def test_back_keeps_what_was_typed_and_errors_stay_in_their_step(client):
    url = reverse("organisation:first_run")
    back = client.post(url, PLACE | PERSON | {"step": "back"}).content.decode()
    assert 'value="海纳工业"' in back
    assert 'name="username" value="hejia"' in back
    assert PASSWORD not in back
    assert client.post(url, PLACE | {"step": "1", "currency": "???"}).status_code == 422
    refused = client.post(url, PLACE | PERSON | {"step": "2", "password": "12345678"})
    assert refused.status_code == 422
    assert not User.objects.exists()
    assert not Organisation.objects.exists()


@pytest.mark.rule("T01")
def test_the_first_run_is_gone_once_anybody_is_here(client, admin):
    url = reverse("organisation:first_run")
    assert client.get(url).status_code == 404
    assert client.post(url, PLACE | {"step": "1"}).status_code == 404
    assert client.post(url, PLACE | PERSON | {"step": "2"}).status_code == 404
    with pytest.raises(services.AlreadySetUp):
        services.set_up(**PLACE, **PERSON, at=NOON)
    assert User.objects.get() == admin


@pytest.mark.django_db
def test_a_step_of_a_higher_room_that_fails_undoes_everything(monkeypatch):
    def broken(organisation, user, at):
        raise RuntimeError

    monkeypatch.setattr(registry, "SET_UP_STEPS", [broken])
    with pytest.raises(RuntimeError):
        services.set_up(**PLACE, **PERSON, at=NOON)
    assert not User.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.rule("T01")
def test_two_browsers_at_once_make_one_administrator(transactional_db):
    barrier, outcomes = Barrier(2), []

    def run(name):
        try:
            barrier.wait(timeout=120)
            services.set_up(**PLACE, **(PERSON | {"username": name}), at=NOON)
            outcomes.append("made")
        except services.AlreadySetUp:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)

    assert sorted(outcomes) == ["made", "refused"]
    assert User.objects.count() == 1
    assert Organisation.objects.count() == Team.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.rule("U16")
def test_the_choice_of_a_process_shows_its_stages_and_what_follows_is_what_was_chosen(client):
    url = reverse("organisation:first_run")
    first = client.get(url, headers={"Accept-Language": "en"}).content.decode()
    picture = first.split('class="fl-field is-wide fl-stages"')[1].split("</details>")[0]
    assert picture.count("<dt>") == 3 and picture.count("<span>") >= 15
    assert 'name="begin_with" value="import"' in first
    second = client.post(url, PLACE | {"step": "1", "begin_with": "import"}).content.decode()
    assert 'name="begin_with" value="import"' in second
    done = client.post(url, PLACE | PERSON | {"step": "2", "begin_with": "import"})
    assert done.url == reverse("exchange:imports")
    assert client.get(done.url).status_code == 200


@pytest.mark.django_db
def test_an_unknown_beginning_is_refused(client):
    url = reverse("organisation:first_run")
    assert client.post(url, PLACE | PERSON | {"step": "2", "begin_with": "spaceship"}).status_code == 422
    assert not User.objects.exists()

"""What a new installation gets: the plain process, soft; or the template it chose."""

import pytest
from django.utils import timezone

from fairlead.organisation import services as organisation
from fairlead.organisation.models import Organisation
from fairlead.process.models import Process, ProcessVersion
from fairlead.process.services.shipping import TEMPLATES

pytestmark = pytest.mark.django_db


@pytest.mark.rule("PD-4", "GT-1")
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_the_first_run_publishes_the_chosen_template_softly(template):
    organisation.set_up(
        username="owner",
        name="王海燕",
        password="correct-horse-battery",
        organisation_name="海纳工业",
        language="zh-hans",
        time_zone="Asia/Shanghai",
        currency="CNY",
        template=template,
        at=timezone.now(),
    )
    assert set(Process.objects.values_list("key", "mode")) == {(key, "soft") for key in TEMPLATES[template]}
    assert ProcessVersion.objects.published().count() == len(TEMPLATES[template])
    defaults = Organisation.objects.current().default_processes
    assert defaults["opportunity"] == TEMPLATES[template][0]

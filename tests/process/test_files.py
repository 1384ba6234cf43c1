"""Documents as files: read within bounds, written so that they read back equal, published from the command line."""

import io

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from fairlead.organisation.models import Organisation
from fairlead.process.files import UnreadableFile, read_yaml, write_yaml
from fairlead.process.models import Process, ProcessVersion
from fairlead.process.services.shipping import TEMPLATES, shipped

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + b"\n".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]".encode() for i in range(1, 9)
)
KEYS = sorted({key for keys in TEMPLATES.values() for key in keys})


@pytest.mark.rule("T13")
@pytest.mark.parametrize("data", [
    BOMB,
    b"a: &a [*a]\n",
    b"a: *nowhere\n",
    b"a: !!python/object/apply:os.system ['true']\n",
    b"a: !secret x\n",
    b"[" * 50 + b"]" * 50,
    b"a: [1, 2\n",
    b"\xff\xfe\x00",
    b"x" * (1024 * 1024 + 1),
    b"- " * 60_000,
    b"a: .nan\n",
    b"a: 2017-99-99\n",
    b"a: 1\na: 2\n",
    b"\x00",
])  # fmt: skip
def test_a_file_out_of_bounds_is_refused_in_a_moment(data):
    with pytest.raises(UnreadableFile):
        read_yaml(data)


@pytest.mark.rule("T13")
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_refused(data):
    try:
        read_yaml(data)
    except UnreadableFile as refused:
        assert str(refused)


def test_aliases_that_repeat_little_are_read():
    assert read_yaml(b"a: &a {x: 1}\nb: *a\nday: 2026-03-01\n") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "day": "2026-03-01",
    }


@pytest.mark.rule("VR-10")
@pytest.mark.parametrize("key", KEYS)
def test_a_document_reads_back_as_it_was_written(key):
    document = read_yaml(write_yaml(shipped(key)).encode())

    assert document == shipped(key)


@pytest.fixture
def written(tmp_path):
    def write(document, name="process.yaml"):
        file = tmp_path / name
        file.write_text(document if isinstance(document, str) else write_yaml(document), encoding="utf-8")
        return str(file)

    return write


@pytest.mark.rule("VR-1")
@pytest.mark.django_db
def test_publish_writes_a_version_and_its_mode(written):
    Organisation.objects.create(pk=1, name="海纳工业")
    out = io.StringIO()

    call_command(
        "process", "publish", written(shipped("plain_opportunity")), "--mode", "enforced", stdout=out
    )

    assert ProcessVersion.objects.get().process.mode == "enforced"
    assert "plain_opportunity v1 is published, enforced." in out.getvalue()


@pytest.mark.rule("PD-3", "VR-10")
@pytest.mark.django_db
def test_problems_are_told_by_path_and_nothing_is_published(written):
    document = {**shipped("plain_opportunity"), "mode": "hard", "surprise": 1}
    err = io.StringIO()

    for action in ("validate", "publish"):
        with pytest.raises(SystemExit) as left:
            call_command("process", action, written(document), stderr=err)
        assert left.value.code == 1

    assert ": mode: " in err.getvalue()
    assert ": surprise: " in err.getvalue()
    assert Process.objects.count() == 0


@pytest.mark.django_db
def test_what_cannot_be_read_ends_with_two(written):
    for name in (written("a: [1"), "/nowhere/at/all.yaml"):
        with pytest.raises(CommandError) as refused:
            call_command("process", "validate", name)
        assert refused.value.returncode == 2


@pytest.mark.django_db
def test_validate_writes_nothing(written):
    call_command("process", "validate", written(shipped("ltc_opportunity")), stdout=io.StringIO())

    assert Process.objects.count() == 0

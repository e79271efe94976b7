"""manage.py prune_usage."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys import retention
from apikeys.models import KeyUsage
from apikeys.services import Issued


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [1, 3, 10_000])
def test_what_is_old_goes_a_batch_at_a_time(
    reader: Issued, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(retention, "BATCH", batch)
    now, output = timezone.now(), StringIO()
    for days in (0, 99, 101, 102, 103, 104, 400):
        KeyUsage.objects.create(
            key=reader.key, hour=now - timedelta(days=days), result="ok", requests=1
        )

    call_command("prune_usage", days=100, stdout=output)

    assert KeyUsage.objects.count() == 2
    assert "Done: 5 rows older than 100 days deleted." in output.getvalue()


@pytest.mark.parametrize("days", [-1, 0, 90, 40_000])
def test_what_is_still_needed_stays(days: int) -> None:
    with pytest.raises(CommandError, match="Keep more than 90"):
        call_command("prune_usage", days=days)

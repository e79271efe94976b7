"""Records a single use of a key, as the usage recorder does in batches."""

from django.utils import timezone

from apikeys import conf
from apikeys.usage.last_used import Use, record
from apikeys.verification.types import VerifiedKey
from core.actors import RequestContext


def note_use(found: VerifiedKey, presented: str, origin: RequestContext) -> None:
    """Records the use immediately, if it is due, and gives up where others write."""
    peppers = conf.peppers()
    digest = peppers.digest(presented, peppers.newest)
    use = Use(found, origin, timezone.now(), digest)
    if use.is_due:
        record([use], wait=False)

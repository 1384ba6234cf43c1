"""What this room does by the clock: tells of events, sends mail, forgets what was read long ago."""

from datetime import datetime

from fairlead.common.schedule import every

from .services.mailing import send_due_mail
from .services.notifications import prune, tell_of_events

PAGE = 1000


@every(minutes=1, name="work.tell_of_events")
def tell(at: datetime) -> None:
    while tell_of_events(limit=PAGE) == PAGE:
        pass


@every(minutes=5, name="work.send_mail")
def mail(at: datetime) -> None:
    send_due_mail(at=at)


@every(minutes=24 * 60, name="work.forget_read_notifications")
def forget(at: datetime) -> None:
    prune(at=at)

"""Addresses of activities, comments, tasks and files about any record."""

from django.urls import path

from .views import activities, files, inbox, keeping, lines, notes, tasks

app_name = "work"
urlpatterns = [
    path("about/<slug:kind>/<int:pk>/log/", activities.log, name="log"),
    path("about/<slug:kind>/<int:pk>/plan/", activities.plan, name="plan"),
    path("about/<slug:kind>/<int:pk>/comment/", notes.comment, name="comment"),
    path("about/<slug:kind>/<int:pk>/task/", tasks.task, name="task"),
    path("about/<slug:kind>/<int:pk>/files/", files.upload, name="upload"),
    path("about/<slug:kind>/<int:pk>/line/", lines.line, name="line"),
    path("about/<slug:kind>/<int:pk>/line/preview/", lines.line_preview, name="line_preview"),
    path("about/<slug:kind>/<int:pk>/next/", lines.next_step, name="line_next"),
    path("about/<slug:kind>/<int:pk>/attention/", inbox.attention, name="attention"),
    path("about/<slug:kind>/<int:pk>/star/", keeping.star, name="star"),
    path("about/<slug:kind>/<int:pk>/seen/", keeping.seen, name="seen"),
    path("recent/", keeping.kept, name="kept"),
    path("recent/forget/", keeping.forget, name="forget_seen"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.read_all, name="inbox_read_all"),
    path("inbox/settings/", inbox.preferences, name="inbox_settings"),
    path("inbox/<int:pk>/open/", inbox.open_notification, name="notification_open"),
    path("inbox/<int:pk>/read/", inbox.read_notification, name="notification_read"),
    path("line/", lines.day_line, name="day_line"),
    path("line/preview/", lines.day_line_preview, name="day_line_preview"),
    path("activities/<int:pk>/done/", activities.complete, name="complete"),
    path("activities/<int:pk>/later/", tasks.later, name="later"),
    path("calendar/", tasks.calendar, name="calendar"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("activities/<int:pk>/cancel/", activities.cancel, name="cancel"),
    path("about/<slug:kind>/<int:pk>/people/", notes.mentionable, name="mentionable"),
    path("comments/<int:pk>/edit/", notes.edit_comment, name="edit_comment"),
    path("comments/<int:pk>/react/", notes.react, name="react"),
    path("comments/<int:pk>/remove/", notes.remove_comment, name="remove_comment"),
    path("tasks/<int:pk>/", tasks.task_done, name="task_done"),
    path("tasks/<int:pk>/edit/", tasks.edit_task, name="task_edit"),
    path("files/<int:pk>/withdraw/", files.withdraw, name="withdraw"),
    path("files/<int:pk>/", files.download, name="download"),
]

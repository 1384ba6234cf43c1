"""Every room says its own addresses in its `urls.py`; here they come together."""

from django.urls import URLPattern, URLResolver, include, path

from fairlead.common.access import Deferred
from fairlead.config.rooms import APPS, module_of

urlpatterns: list[URLPattern | URLResolver] = [
    # A page needs none of it: its schemas are a third of a cold start.
    Deferred("api/v1/", "fairlead.config.api_urls", namespace="api"),
    *(
        path("", include(urls))
        for room in reversed(APPS)
        if room != "config" and (urls := module_of(room, "urls"))
    ),
]

handler400 = "fairlead.common.errors.bad_request"
handler403 = "fairlead.common.errors.forbidden"
handler404 = "fairlead.common.errors.not_found"
handler500 = "fairlead.common.errors.server_error"

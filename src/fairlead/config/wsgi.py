import os

from django.core.wsgi import get_wsgi_application

from fairlead.common import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")

application = get_wsgi_application()
memory.settle()

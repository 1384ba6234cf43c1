from django.urls import path

from .views import demo, samples, wizard

app_name = "exchange"

urlpatterns = [
    path("demo-progress/", demo.demo_progress, name="demo_progress"),
    path("imports/", wizard.imports, name="imports"),
    path("imports/<int:pk>/", wizard.where, name="import"),
    path("imports/<int:pk>/file/", wizard.file, name="file"),
    path("imports/<int:pk>/columns/", wizard.columns, name="columns"),
    path("imports/<int:pk>/preset/", wizard.preset, name="preset"),
    path("imports/<int:pk>/check/", wizard.check, name="check"),
    path("imports/<int:pk>/mend/", wizard.mend, name="mend"),
    path("imports/<int:pk>/rows/<int:number>/", wizard.row, name="row"),
    path("imports/<int:pk>/errors.csv", wizard.errors, name="errors"),
    path("imports/<int:pk>/preview/", wizard.preview, name="preview"),
    path("imports/<int:pk>/run/", wizard.run, name="run"),
    path("imports/<int:pk>/undo/", wizard.undo, name="undo"),
    path("sample-data/", samples.sample_data, name="sample_data"),
    path("sample-data/load/", samples.load, name="load_sample_data"),
    path("sample-data/clear/", samples.clear, name="clear_sample_data"),
]

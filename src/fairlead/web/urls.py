from django.urls import path

from fairlead.web.views import calendars, company, fields, help, home, lists, rights, search, steps, undoing

app_name = "web"
urlpatterns = [
    path("", home.home, name="home"),
    path("first-steps/", steps.first_steps, name="first_steps"),
    path("palette/", search.palette, name="palette"),
    path("search/", search.search, name="search"),
    path("undo/<slug:ids>/", undoing.take_back, name="undo"),
    path("help/", help.help_page, name="help"),
    path("help/<slug:key>/", help.guide, name="guide"),
    path("about/", help.about, name="about"),
    path("styleguide/", help.styleguide, name="styleguide"),
    path("settings/", company.settings_index, name="settings"),
    path("settings/organisation/", company.organisation, name="organisation"),
    path("settings/rights/", rights.rights, name="rights"),
    path("settings/calendar/", calendars.calendar, name="calendar"),
    path("settings/calendar/new/", calendars.add, name="calendar_new"),
    path("settings/calendar/change/", calendars.change, name="calendar_change"),
    path("settings/calendar/week/", calendars.week, name="calendar_week"),
    path("settings/calendar/day/", calendars.day, name="calendar_day"),
    path("settings/lists/", lists.lists, name="lists"),
    path("settings/fields/", fields.fields, name="fields"),
    path("settings/fields/new/", fields.new_field, name="new_field"),
    path("settings/fields/<int:pk>/", fields.edit_field, name="edit_field"),
    path("settings/fields/<int:pk>/retire/", fields.retire_field, name="retire_field"),
    path("settings/fields/<int:pk>/place/", fields.place, name="place_field"),
    path("settings/fields/of/<slug:kind>/<slug:key>/", fields.field, name="field"),
]

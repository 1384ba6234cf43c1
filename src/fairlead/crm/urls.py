"""Addresses of the CRM."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import path

from .views import amnesty, as_known, board, mends, moves, new_deal

app_name = "crm"

urlpatterns: list[Any] = [
    path("board/", board.board, name="board"),
    path("board/more/", board.more, name="board_more"),
    path("board/changes", board.changes, name="board_changes"),
    path("opportunities/clean-up/", amnesty.clean_up_days, name="clean_up"),
    path("opportunities/new/", new_deal.new_deal, name="new_deal"),
    path("accounts/options/", new_deal.account_options, name="account_options"),
    path("opportunities/<int:pk>/move/", moves.move, name="move"),
    path("opportunities/<int:pk>/as-of/", as_known.as_of, name="as_of"),
    path("opportunities/<int:pk>/panel/", moves.panel, name="panel"),
    path("opportunities/<int:pk>/undo/<int:version>/", moves.undo_move, name="undo_move"),
    path("opportunities/<int:pk>/mend/", mends.mend, name="mend"),
    path("opportunities/<int:pk>/mend/activity/", mends.mend_activity, name="mend_activity"),
    path("opportunities/<int:pk>/mend/file/", mends.mend_file, name="mend_file"),
    path("opportunities/<int:pk>/mend/relation/", mends.mend_relation, name="mend_relation"),
    path("opportunities/<int:pk>/mend/task/", mends.mend_task, name="mend_task"),
    path("opportunities/<int:pk>/attest/", mends.attest, name="attest"),
    path("opportunities/<int:pk>/meet-condition/", mends.meet_condition, name="meet_condition"),
    path("opportunities/<int:pk>/waive/", mends.waive, name="waive"),
]
if find_spec("fairlead.crm.urls_records"):
    urlpatterns += import_module("fairlead.crm.urls_records").urlpatterns

"""Every page of the product, and which of its states are looked at.

A route that answers a person with a page and stands in neither table fails `test_axe`: add its line here.
"""

from collections.abc import Mapping
from typing import Final

from tests.access.objects import MINE, Objects, address, build
from tests.factories.crm import Company

from fairlead.common.access import routes
from fairlead.exchange import services as exchange
from fairlead.exchange.models import ImportRun

#: Route → the queries with which it is opened; "" is the bare address.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("",),
    "about/": ("",),
    "about/<slug:kind>/<int:pk>/attention/": ("",),
    "about/<slug:kind>/<int:pk>/comment/": ("",),
    "about/<slug:kind>/<int:pk>/files/": ("",),
    "about/<slug:kind>/<int:pk>/line/": ("",),
    "about/<slug:kind>/<int:pk>/log/": ("",),
    "about/<slug:kind>/<int:pk>/plan/": ("",),
    "about/<slug:kind>/<int:pk>/task/": ("",),
    "accounts/": ("",),
    "accounts/<int:pk>/": ("", "?tab=contacts", "?tab=timeline"),
    "accounts/<int:pk>/edit/": ("",),
    "accounts/<int:pk>/fields/<slug:key>/": ("?edit=1",),
    "accounts/change/": ("", "?all=1", "?all=1&what=tier&value=A"),
    "accounts/new/": ("",),
    "activities/<int:pk>/done/": ("",),
    "adoption/": ("",),
    "adoption/burden/": ("",),
    "adoption/burden/rows/": ("?process=key_account_opportunity&item=bant",),
    "adoption/pulse/": ("",),
    "adoption/rows/": ("?what=active", "?what=timely&hit=1"),
    "approvals/": ("", "?tab=done", "?tab=mine", "?tab=copies"),
    "approvals/delegations/": ("",),
    "approvals/precedents/": ("",),
    "approvals/together/": ("",),
    "audit/": ("",),
    "audit/evaluations/<int:pk>/": ("",),
    "board/": ("", "?owner=all"),
    "calendar/": ("", "?view=month"),
    "comments/<int:pk>/edit/": ("",),
    "contacts/": ("",),
    "contacts/<int:pk>/": ("",),
    "contacts/<int:pk>/edit/": ("",),
    "contacts/<int:pk>/fields/<slug:key>/": ("?edit=1",),
    "contacts/change/": ("?all=1&what=title&value=x",),
    "contacts/new/": ("",),
    "changes/<int:pk>/": ("",),
    "demo-progress/": ("",),
    "contracts/": ("",),
    "contracts/<int:pk>/": ("",),
    "contracts/<int:pk>/edit/": ("",),
    "contracts/<int:pk>/fields/<slug:key>/": ("?edit=1",),
    "contracts/new/": ("?opportunity={opportunity}",),
    "funnel/": ("", "?reading=period", "?reading=cohort"),
    "funnel/rows/": ("?cell=",),  # the first number of the funnel page leads there
    "help/": ("",),
    "help/<slug:key>/": ("",),
    "imports/": ("",),
    "imports/<int:pk>/check/": ("",),
    "imports/<int:pk>/columns/": ("",),
    "imports/<int:pk>/file/": ("",),
    "imports/<int:pk>/preview/": ("",),
    "imports/<int:pk>/rows/<int:number>/": ("",),
    "imports/<int:pk>/run/": ("",),
    "inbox/": ("", "?show=all"),
    "inbox/settings/": ("",),
    "journeys/<int:pk>/": ("",),
    "opportunities/": ("", "?field=amount", "?sort=amount&columns=open"),
    "opportunities/clean-up/": ("",),
    "opportunities/<int:pk>/": (
        *("", "?tab=fields", "?tab=people", "?tab=team", "?tab=files", "?tab=history"),
        *("?add=plan", "?add=comment"),
    ),
    "opportunities/<int:pk>/contracts/": ("",),
    "opportunities/<int:pk>/edit/": ("",),
    "opportunities/<int:pk>/fields/<slug:key>/": ("?edit=1",),
    "opportunities/<int:pk>/handbook/": ("", "?stage=solution_design"),
    "opportunities/<int:pk>/scorecard/": ("",),
    "opportunities/<int:pk>/plan/": ("",),
    "opportunities/<int:pk>/plan/print/": ("",),
    "opportunities/<int:pk>/move/": ("",),
    "opportunities/<int:pk>/merge/": ("", "?q=第二", "?other={double}"),
    "opportunities/<int:pk>/process/": ("",),
    "opportunities/<int:pk>/panel/": ("", "?as=lost", "?as=hold"),
    "opportunities/change/": ("?all=1&what=owner", "?all=1&what=next_stage"),
    "opportunities/new/": ("",),
    "people": ("",),
    "leave": ("",),
    "people/<int:pk>": ("",),
    "people/new": ("",),
    "processes/": ("",),
    "journeys/<int:pk>/force/": ("",),
    "journeys/<int:pk>/overrides/": ("",),
    "journeys/<int:pk>/switch/": ("",),
    "opportunities/<int:pk>/as-of/": ("", "?date=2000-01-01"),
    "overrides/": ("", "?show=mine", "?show=all"),
    "overrides/<int:pk>/": ("",),
    "overrides/rules/": ("",),
    "processes/<slug:key>/": ("",),
    "processes/<slug:key>/draft/": (
        "", "?stage=needs_analysis&part=exit&add=field", "?stage=needs_analysis&part=goal",
        "?stage=needs_analysis&part=moves&add=1", "?part=stages", "?stage=needs_analysis&part=exit&item=decision_map",
        "?part=playbooks&item=first_visit", "?part=playbooks&item=first_visit&in=0", "?part=scores&item=bant",
        "?part=scores&item=bant&in=bant_need",
        "?part=reasons&item=lost", "?part=more", "?part=approvals", "?part=approvals&add=committee",
        "?stage=needs_analysis&part=tracks", "?stage=needs_analysis&part=notes&item=0",
        "?stage=needs_analysis&part=questions&item=0", "?part=handovers",
    ),
    "processes/<slug:key>/draft/sandbox/": ("",),
    "processes/<slug:key>/usage/": ("",),
    "processes/new/": ("",),
    "processes/assignment/": ("", "?kind=opportunity&edit=1"),
    "processes/<slug:key>/decisions/": ("",),
    "processes/<slug:key>/criteria/": ("",),
    "processes/<slug:key>/criteria/rows/": ("",),
    "processes/<slug:key>/hand-overs/": ("",),
    "processes/<slug:key>/hand-overs/rows/": ("",),
    "processes/<slug:key>/team-figures/": ("",),
    "processes/<slug:key>/team-figures/rows/": ("",),
    "processes/<slug:key>/replay/": ("",),
    "processes/<slug:key>/landing/": ("",),
    "processes/<slug:key>/migrate/": ("",),
    "profile": ("",),
    "profile/password": ("",),
    "profile/second-step": ("",),
    "recent/": ("",),
    "sample-data/": ("",),
    "search/": ("?q=a", "?q=启晨"),
    "segments/": ("",),
    "segments/<int:pk>/": ("",),
    "segments/<int:pk>/edit/": ("",),
    "segments/<int:pk>/fields/<slug:key>/": ("?edit=1",),
    "segments/change/": ("?all=1&what=growth&value=5",),
    "segments/new/": ("",),
    "settings/": ("",),
    "settings/calendar/": ("",),
    "settings/fields/": ("",),
    "settings/fields/<int:pk>/": ("",),
    "settings/fields/new/": ("",),
    "settings/fields/of/<slug:kind>/<slug:key>/": ("",),
    "settings/lists/": ("",),
    "settings/soft-landing/": ("",),
    "settings/rights/": ("", "?person=zhou&record=/opportunities/{opportunity}/"),
    "settings/organisation/": ("",),
    "styleguide/": ("",),
    "tasks/": ("", "?state=done"),
    "tasks/<int:pk>/edit/": ("",),
    "teams/<int:pk>": ("",),
    "teams/new": ("",),
    "views/<int:pk>/": ("",),
    "day/": ("",),
    "week/": ("", "?back=0"),
    "week/rows/": ("?what=told&back=0",),
    "value-chain/": ("",),
    "value-chain/rows/": ("?process=key_account_opportunity&stage=3",),
    "value-chain/accounts/<int:pk>/": ("",),
}  # fmt: skip
#: Pages of whoever made what they show: to anybody else they are not there.
OWN_PAGES: Final = frozenset({"changes/<int:pk>/", "comments/<int:pk>/edit/", "views/<int:pk>/"})
#: What else answers GET, and why nobody looks at it as a page.
NO_PAGES: Final[Mapping[str, str]] = {
    "about/<slug:kind>/<int:pk>/people/": "names under a comment",
    "accounts/options/": "the choices of a field",
    "audit/export.csv": "a file",
    "journeys/<int:pk>/approvals/<slug:kind>/": "only where the process has that approval: test_approval_pages",
    "accounts/alike/": "a warning inside a form",
    "contacts/alike/": "a warning inside a form",
    "board/changes": "pieces of the board",
    "board/more/": "further cards of a column",
    "files/<int:pk>/": "a file",
    "first-run": "gone once somebody is here; tests/config/test_first_page.py looks at the first page",
    "funnel/export.csv": "a file",
    "healthz": "for machines",
    "imports/<int:pk>/": "leads to the step where the import stands",
    "imports/<int:pk>/errors.csv": "a file",
    "palette/": "what the search box offers; tests/e2e/test_palette.py looks at it",
    "pick/<slug:kind>/": "the choices of a field",
    "processes/<slug:key>/document.yaml": "a file",
    "processes/<slug:key>/draft/document.yaml": "a file",
    "processes/<slug:key>/migrate/plan.csv": "a file",
    "readyz": "for machines",
    "sign-in/code": "leads away without a password; tests/e2e/test_second_step.py looks at it",
    "session": "the overlay of a session that has ended; tests/e2e/test_drafts.py looks at it",
    "sign-in": "leads on for whoever is signed in; tests/config/test_first_page.py looks at it",
}
#: Steps of an import that need one further on than a file that has just come in.
STEPS: Final[Mapping[str, str]] = {
    "imports/<int:pk>/check/": "checked",
    "imports/<int:pk>/preview/": "checked",
    "imports/<int:pk>/rows/<int:number>/": "checked",
    "imports/<int:pk>/run/": "done",
}
IMPORTED: Final = "客户名称,员工数\n东方机电,120\n海星药业,许多\n"


def page_routes() -> list[str]:
    """Every address that is not of the API."""
    return sorted({route.pattern for route in routes() if not route.pattern.startswith("api/")})


def path_of(pattern: str, objects: Objects) -> str:
    """The route with an object of the seller in its place."""
    if step := STEPS.get(pattern):
        return "/" + pattern.replace("<int:pk>", str(objects.of(step, MINE))).replace("<int:number>", "3")
    path = address(pattern, objects, MINE)
    return path.replace("/name/", "/number/") if pattern.startswith("contracts/") else path


def addresses(pattern: str, objects: Objects) -> list[str]:
    """The route in each of its states."""
    deals = {kind: objects.of(kind, MINE) for kind in ("opportunity", "double")}
    return [path_of(pattern, objects) + query.format(**deals) for query in PAGES[pattern]]


def furnish(where: Company) -> Objects:
    """Two of everything, and two imports that are further on: in the file one row is right, one is not."""
    objects = build(where)
    checked, done = _checked(where), _checked(where)
    chief = where.people["admin"]
    exchange.begin_run(done.pk, **where.how(chief))
    exchange.execute(done.pk)
    objects.add("checked", checked, checked)
    objects.add("done", done, done)
    return objects


def _checked(where: Company) -> ImportRun:
    how = where.how(where.people["admin"])
    run = exchange.stage_file([IMPORTED.encode()], file_name="客户.csv", kind="account", **how)
    mapping = {
        c["key"]: {"target": t} for c, t in zip(run.profile["columns"], ("name", "employees"), strict=True)
    }
    exchange.set_mapping(run.pk, mapping=mapping, value_maps={}, options={}, **how)
    exchange.begin_check(run.pk, **how)
    exchange.check(run.pk)
    return run

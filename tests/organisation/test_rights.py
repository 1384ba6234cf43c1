"""The matrix, written out once more by hand: whoever changes one must change the other."""

import pytest

from fairlead.organisation.enums import KeyScope, Role, Scope
from fairlead.organisation.models import User
from fairlead.organisation.rights import ALL_RIGHTS, KEY_RIGHTS, NOWHERE, RIGHTS, Grant, Reach, reach_of

ROLES = ("ADMIN", "PROCESS_OWNER", "MGR", "AR", "SR", "FR", "MKT", "FIN", "LEG", "AUDITOR")

#                         ADM   PO    MGR   AR    SR    FR    MKT   FIN   LEG   AUD
MATRIX = """
opportunity.view          all   all   branch own   own   own   all   all   all   all
opportunity.create        all   -     branch own   -     -     -     -     -     -
opportunity.edit          all   -     branch own   own   own   -     -     -     -
opportunity.move          all   -     branch own   own   own   -     -     -     -
opportunity.reassign      all   -     branch -     -     -     -     -     -     -
account.view              all   all   branch team  own   own   all   all   all   all
account.create            all   -     branch own   -     -     all   -     -     -
account.edit              all   -     branch own   -     -     -     -     -     -
contact.view              all   all   branch team  own   own   all   all   all   all
contact.create            all   -     branch own   own   own   all   -     -     -
contact.edit              all   -     branch own   own   own   -     -     -     -
segment.view              all   all   all   all   all   all   all   all   all   all
segment.edit              all   all   all   -     -     -     all   -     -     -
contract.view             all   all   branch own   own   own   -     all   all   all
contract.edit             all   -     branch own   -     own   -     -     -     -
comment.add               all   all   all   all   all   all   all   all   all   -
views.share               all   all   all   -     -     -     -     -     -     -
waiver.grant              all   all   branch -     -     -     -     -     -     -
regress.confirm           all   all   branch -     -     -     -     -     -     -
deal.attest               -     -     branch -     own   own   -     -     -     -
deal.reopen               all   all   branch -     -     -     -     -     -     -
deal.reopen_won           -     -     -     -     -     -     -     all   -     -
glass.break               all   -     -     -     -     -     -     -     -     -
approval.decide           all   all   all   all   all   all   all   all   all   -
approval.delegate         all   all   -     -     -     -     -     -     -     -
veto.raise                -     -     -     own   own   own   -     all   all   -
veto.overrule             -     -     branch -     -     -     -     -     -     -
process.view              all   all   all   all   all   all   all   all   all   all
process.publish           all   all   -     -     -     -     -     -     -     -
import.run                all   all   branch -     -     -     all   -     -     -
import.history            all   all   -     -     -     -     -     -     -     -
audit.view                all   all   branch -     -     -     -     -     -     all
funnel.view               all   all   branch own   own   own   all   all   all   all
margin.view               all   all   branch own   own   own   -     all   -     all
fields.manage             all   all   -     -     -     -     -     -     -     -
users.manage              all   -     -     -     -     -     -     -     -     -
people.view_as            all   -     -     -     -     -     -     -     -     -
settings.manage           all   -     -     -     -     -     -     -     -     -
apikeys.own               own   own   own   own   own   own   own   own   own   own
"""

CELLS = [
    (right, role, None if scope == "-" else Scope(scope))
    for right, *scopes in (line.split() for line in MATRIX.strip().splitlines())
    for role, scope in zip(ROLES, scopes, strict=True)
]


@pytest.mark.rule("T01")
@pytest.mark.parametrize(("right", "role", "scope"), CELLS)
def test_matrix(right, role, scope):
    assert RIGHTS[Role(role)].get(right) is scope


@pytest.mark.rule("T01")
def test_the_matrix_is_complete():
    assert {right for right, _role, _scope in CELLS} == set(ALL_RIGHTS)
    assert set(RIGHTS) == set(Role)
    assert all(set(rights) <= set(ALL_RIGHTS) for rights in RIGHTS.values())
    assert set().union(*KEY_RIGHTS.values()) == set(ALL_RIGHTS) - {"apikeys.own"}


@pytest.mark.rule("T01")
def test_finance_and_legal_comment_and_reopen_won_deals_and_auditors_write_nothing():
    for role in (Role.FIN, Role.LEG):
        writing = {right for right in RIGHTS[role] if not right.endswith(".view")}
        assert writing <= {
            "apikeys.own",
            "comment.add",
            "deal.reopen_won",
            "approval.decide",
            "veto.raise",
        }
    assert {right for right in RIGHTS[Role.AUDITOR] if not right.endswith(".view")} == {"apikeys.own"}


@pytest.mark.rule("T01")
@pytest.mark.parametrize("role", Role.values)
def test_team_and_branch_scopes_without_a_team_reach_nothing(role):
    grant = Grant(role=Role(role), team_id=None, branch_ids=frozenset())
    for right in ALL_RIGHTS:
        scope = RIGHTS[Role(role)].get(right)
        expected = {
            Scope.ALL: Reach(all=True, own=True), Scope.OWN: Reach(own=True),
        }.get(scope, NOWHERE)  # fmt: skip
        assert reach_of(right, [grant]) == expected
        assert bool(reach_of(right, [grant])) is (scope in (Scope.ALL, Scope.OWN))


def test_nobody_without_a_role_and_no_unknown_right():
    assert not reach_of("opportunity.view", [])
    with pytest.raises(KeyError):
        reach_of("opportunity.fly", [])


def test_reach_of_a_person_follows_the_tree(make_user, make_team, django_assert_num_queries):
    north = make_team("华北")
    beijing, tianjin = make_team("北京", north), make_team("天津", north)
    south = make_team("华南")
    manager = make_user("mgr", roles=["MGR"], team=north)
    seller = make_user("ar", roles=["AR"], team=beijing)

    with django_assert_num_queries(1):
        assert manager.reach("opportunity.move") == Reach(
            team_ids=frozenset({north.pk, beijing.pk, tianjin.pk}), own=True
        )
        assert manager.may("waiver.grant")
        assert not manager.may("users.manage")
    assert seller.reach("opportunity.view") == Reach(own=True)
    assert seller.reach("account.view") == Reach(team_ids=frozenset({beijing.pk}), own=True)
    assert south.pk not in manager.reach("opportunity.view").team_ids


def test_a_manager_without_a_team_sees_nothing(make_user):
    lost = make_user("lost", roles=["MGR"])

    assert lost.reach("opportunity.view") == NOWHERE
    assert not lost.may("opportunity.view")


def test_an_assignment_narrows_and_never_widens(make_user, make_team, how):
    from fairlead.organisation import services

    north = make_team("华北")
    beijing = make_team("北京", north)
    manager = make_user("mgr", team=north)
    services.assign_role(manager, role=Role.MGR, scope=Scope.TEAM, **how)
    assert manager.reach("opportunity.view") == Reach(team_ids=frozenset({north.pk}), own=True)

    services.assign_role(manager, role=Role.MGR, scope=Scope.ALL, **how)
    assert manager.reach("opportunity.view") == Reach(team_ids=frozenset({north.pk, beijing.pk}), own=True)

    services.assign_role(manager, role=Role.MGR, team=beijing, **how)
    assert manager.role_assignments.count() == 2


def test_the_deactivated_reach_nothing(make_user, how):
    from fairlead.organisation import services

    user = make_user("gone", roles=["AUDITOR"])
    assert user.may("audit.view")
    services.deactivate(user, **how)
    user.refresh_from_db()
    assert not user.may("audit.view")
    assert not User.objects.visible_to(user).exists()


def test_scopes_of_keys_are_disjoint():
    together = [right for scope in KeyScope.values for right in KEY_RIGHTS[scope]]
    assert len(together) == len(set(together))

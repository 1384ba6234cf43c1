"""The eight-stage chain as one picture over its processes, and the lineage of one account through it.

Counts stand beside each other and are never multiplied: the subjects of neighbouring stages are not the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from fairlead.common.names import localized
from fairlead.common.refusals import NotFound
from fairlead.crm.models import Account, Opportunity, Segment
from fairlead.offers.models import Contract
from fairlead.process.models import ChainLink, Journey, Process
from fairlead.process.services.shipping import shipped
from fairlead.process.subjects import registered, room_of

MOST = 200
"""Deals of an account that its lineage shows, the newest first."""


@dataclass(frozen=True, slots=True)
class ChainPart:
    """What one kind of record holds in one stage of the chain: running journeys that the reader sees."""

    kind: str
    subject_type: str
    process: str
    process_key: str
    stages: str
    count: int | None  # None: not a row of it for this reader
    url: str


@dataclass(frozen=True, slots=True)
class ChainStage:
    number: int
    name: str
    parts: tuple[ChainPart, ...]


def chain_stages(user: Any) -> tuple[ChainStage, ...]:
    """The stages of the chain with the published processes that carry them."""
    document = shipped("value_chain")
    processes = {p.key: p for p in Process.objects.filter(versions__status="published").distinct()}
    counts = running(user, {p.subject_type for p in processes.values()})
    found = []
    for stage in document["stages"]:
        parts = [
            _part(
                user,
                part["subject"],
                processes[carrier["process"]],
                stage["number"],
                carrier["stages"],
                counts,
            )
            for part in stage["parts"]
            for carrier in part["processes"]
            if carrier["process"] in processes
        ]
        found.append(ChainStage(stage["number"], localized(stage["name"]), tuple(parts)))
    return tuple(found)


def running(user: Any, subject_types: Iterable[str]) -> Mapping[tuple[str, str], int]:
    """Running journeys by process and stage, of records that `user` sees; one query a kind of record."""
    counts: Counter[tuple[str, str]] = Counter()
    for subject_type in sorted(set(subject_types) & set(registered())):
        journeys = _under_way(user, subject_type)
        if journeys is None:
            continue
        for process, stage, number in (
            journeys.values_list("process_key", "stage__key").annotate(n=Count("pk")).order_by()
        ):
            counts[process, stage] += number
    return counts


def _under_way(user: Any, subject_type: str) -> QuerySet[Journey] | None:
    """Running journeys whose subject `user` sees; None for somebody who sees none of this kind."""
    reach = user.reach(room_of(subject_type).view_right)
    if not reach:
        return None
    journeys = Journey.objects.current().running().filter(subject_type=subject_type)
    return journeys if reach.all else journeys.filter(subject_id__in=_seen(subject_type, user).values("pk"))


@dataclass(frozen=True, slots=True)
class PartRows:
    """What one number of the chain counts: as many journeys as it says."""

    title: str
    stages: str
    journeys: QuerySet[Journey]


def part_rows(user: Any, number: int, process_key: str) -> PartRows:
    """The rows behind a number. Raises NotFound for a part that the chain lacks or the reader sees nothing of."""
    document = shipped("value_chain")
    for stage in document["stages"]:
        if stage["number"] != number:
            continue
        for part in stage["parts"]:
            for carrier in part["processes"]:
                if carrier["process"] == process_key and part["subject"] in registered():
                    return _rows_of(user, localized(stage["name"]), part["subject"], carrier)
    raise NotFound


def _rows_of(user: Any, title: str, subject_type: str, carrier: Mapping[str, Any]) -> PartRows:
    process = Process.objects.filter(key=carrier["process"], versions__status="published").first()
    journeys = _under_way(user, subject_type)
    if process is None or journeys is None:
        raise NotFound
    return PartRows(
        f"{title} · {localized(room_of(subject_type).label)}",
        _stage_names(process, carrier["stages"]),
        journeys.filter(process_key=process.key, stage__key__in=carrier["stages"])
        .select_related("stage", "owner")
        .order_by("-entered_at", "-pk"),
    )


def _stage_names(process: Process, stages: list[str]) -> str:
    version = process.versions.published().first()
    names = {s["key"]: localized(s["name"]) for s in version.document["stages"]} if version else {}
    return " → ".join(names.get(key, key) for key in stages)


def _seen(subject_type: str, user: Any) -> Any:
    models: dict[str, Any] = {
        "opportunity": Opportunity,
        "account": Account,
        "segment": Segment,
        "contract": Contract,
    }
    return models[subject_type].objects.visible_to(user)


def _part(
    user: Any,
    subject_type: str,
    process: Process,
    number: int,
    stages: list[str],
    counts: Mapping[tuple[str, str], int],
) -> ChainPart:
    may = bool(user.reach(room_of(subject_type).view_right)) if subject_type in registered() else False
    count = sum(counts.get((process.key, key), 0) for key in stages) if may else None
    query = urlencode([("stage", number), ("process", process.key)])
    return ChainPart(
        localized(room_of(subject_type).label) if subject_type in registered() else subject_type,
        subject_type,
        localized(process.name),
        process.key,
        _stage_names(process, stages),
        count,
        f"{reverse('insight:chain_rows')}?{query}" if count else "",
    )


# --- one account ---


@dataclass(frozen=True, slots=True)
class Node:
    """A record on the chain, how it stands on its processes, and what came of it."""

    kind: str
    title: str
    url: str
    stands: tuple[str, ...]
    children: tuple[Node, ...] = ()


def lineage(user: Any, account: Account) -> Node:
    """From the segment over the account to its deals, their contracts and successors; only what `user` sees."""
    deals = list(
        Opportunity.objects.visible_to(user).filter(account=account).order_by("-created_at", "-pk")[:MOST]
    )
    ids = [deal.pk for deal in deals]
    contracts = list(Contract.objects.visible_to(user).filter(opportunity__in=ids).order_by("pk"))
    stands = _stands(
        {
            "opportunity": ids,
            "account": [account.pk],
            "contract": [c.pk for c in contracts],
            "segment": [account.segment_id] if account.segment_id else [],
        }
    )
    by_deal: dict[int, list[Node]] = defaultdict(list)
    for contract in contracts:
        by_deal[contract.opportunity_id].append(_node("contract", contract.pk, contract.number, stands))
    later = _successors(deals)
    nodes = {d.pk: d for d in deals}

    def deal_node(deal: Opportunity, above: frozenset[int]) -> Node:
        below = [nodes[pk] for pk in later.get(deal.pk, ()) if pk in nodes and pk not in above]
        children = (*by_deal[deal.pk], *(deal_node(d, above | {d.pk}) for d in below))
        return _node("opportunity", deal.pk, deal.name, stands, children)

    followers = {pk for pks in later.values() for pk in pks}
    roots = [deal for deal in deals if deal.pk not in followers]
    own = _node(
        "account", account.pk, account.name, stands, tuple(deal_node(d, frozenset({d.pk})) for d in roots)
    )
    if account.segment is None or not _seen("segment", user).filter(pk=account.segment_id).exists():
        return own
    return _node("segment", account.segment.pk, account.segment.name, stands, (own,))


def _successors(deals: list[Opportunity]) -> Mapping[int, set[int]]:
    """Which deal began because of which: by the chain's links, and by the predecessor that a deal names."""
    found: dict[int, set[int]] = defaultdict(set)
    ids = [deal.pk for deal in deals]
    links = ChainLink.objects.filter(
        from_subject_type="opportunity",
        to_subject_type="opportunity",
        from_subject_id__in=ids,
        to_subject_id__in=ids,
    )
    for before, after in links.values_list("from_subject_id", "to_subject_id"):
        found[before].add(after)
    for deal in deals:
        if deal.predecessor_id in set(ids) and deal.predecessor_id != deal.pk:
            found[deal.predecessor_id].add(deal.pk)
    return found


def _stands(subjects: Mapping[str, list[int]]) -> Mapping[tuple[str, int], list[str]]:
    """For each record “Key-account deal: Needs analysis, open”, one line a process."""
    names = {p.key: localized(p.name) for p in Process.objects.all()}
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for subject_type, ids in subjects.items():
        if not ids:
            continue
        journeys = Journey.objects.current().on(subject_type, ids).select_related("stage").order_by("pk")
        for journey in journeys:
            found[subject_type, journey.subject_id].append(
                f"{names.get(journey.process_key, journey.process_key)} · {localized(journey.stage.name)} · "
                f"{journey.get_state_display()}"
            )
    return found


def _node(
    subject_type: str,
    pk: int,
    title: str,
    stands: Mapping[tuple[str, int], list[str]],
    children: tuple[Node, ...] = (),
) -> Node:
    room = room_of(subject_type)
    return Node(
        localized(room.label), title, room.url(pk), tuple(stands.get((subject_type, pk), ())), children
    )

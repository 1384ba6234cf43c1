"""The built-in fields and outside facts that the shipped process documents may rely on, by kind of subject.

This table is the promise between the rooms and the documents: a test compares the rooms with it, and the
documents are tested on the fields that the rooms register, completed by it.
"""

from __future__ import annotations

from fairlead.fields.catalogue import Catalogue, FieldSpec, Option, built_in, subject_types
from fairlead.fields.enums import FieldType

T = FieldType
OPTIONS = {
    "deal_type": ("new", "expansion", "renewal"),
    "account_tier": ("A", "B", "C", "key"),
    "tier": ("A", "B", "C", "key"),
}
FIELDS: dict[str, dict[str, FieldType]] = {
    "opportunity": {
        "name": T.TEXT,
        "account": T.RECORD,
        "owner": T.PERSON,
        "team": T.TEAM,
        "product": T.RECORD,
        "amount": T.MONEY,
        "currency": T.TEXT,
        "expected_close_date": T.DATE,
        "deal_type": T.CHOICE,
        "is_tender": T.BOOLEAN,
        "source": T.TEXT,
        "description": T.LONG_TEXT,
        "competitor": T.TEXT,
        "discount": T.PERCENT,
        "margin": T.PERCENT,
        "ar": T.PERSON,
        "sr": T.PERSON,
        "fr": T.PERSON,
        "account_tier": T.CHOICE,
        "account_industry": T.TEXT,
    },
    "account": {
        "name": T.TEXT,
        "short_name": T.TEXT,
        "uscc": T.TEXT,
        "industry": T.TEXT,
        "tier": T.CHOICE,
        "region": T.TEXT,
        "city": T.TEXT,
        "employees": T.INTEGER,
        "annual_revenue": T.MONEY,
        "website": T.TEXT,
        "phone": T.PHONE,
        "parent": T.RECORD,
        "owner": T.PERSON,
        "team": T.TEAM,
        "is_customer": T.BOOLEAN,
        "source": T.TEXT,
    },
    "segment": {
        "name": T.TEXT,
        "owner": T.PERSON,
        "team": T.TEAM,
        "market_size": T.MONEY,
        "growth": T.PERCENT,
        "description": T.LONG_TEXT,
    },
    "contract": {
        "number": T.TEXT,
        "opportunity": T.RECORD,
        "signed_date": T.DATE,
        "amount": T.MONEY,
        "currency": T.TEXT,
        "owner": T.PERSON,
        "team": T.TEAM,
    },
}
EXTERNALS: dict[str, tuple[str, ...]] = {
    "opportunity": ("contract_countersigned", "contract_equals_approved", "tender_published", "award_notice"),
    "contract": (
        "contract_countersigned",
        "contract_equals_approved",
        "handover_accepted",
        "kickoff_held",
        "acceptance_signed",
        "first_payment_received",
        "all_payments_received",
    ),
    "account": (),
    "segment": (),
}


def subject_catalogue(subject: str) -> Catalogue:
    """The built-in fields of `subject`: those registered by its room, and what else the table promises."""
    registered = {spec.key: spec for spec in built_in(subject)} if subject in subject_types() else {}
    promised = {
        key: FieldSpec(
            key=key,
            type=type_,
            label={"zh": key, "en": key},
            options=tuple(Option(v, {"zh": v, "en": v}) for v in OPTIONS.get(key, ())),
        )
        for key, type_ in FIELDS[subject].items()
    }
    return Catalogue(subject, (promised | registered).values())

from django.urls import path

from fairlead.insight.views import (
    adoption,
    audit,
    burden,
    chain,
    deciding,
    funnel,
    pulse,
    quality,
    replay,
    usage,
    week,
)

app_name = "insight"
urlpatterns = [
    path("funnel/", funnel.funnel, name="funnel"),
    path("processes/<slug:key>/usage/", usage.usage, name="usage"),
    path("processes/<slug:key>/decisions/", deciding.deciding, name="deciding"),
    path("processes/<slug:key>/criteria/", quality.quality, name="quality"),
    path("processes/<slug:key>/criteria/rows/", quality.quality_rows, name="quality_rows"),
    path("processes/<slug:key>/replay/", replay.replay, name="replay"),
    path("funnel/rows/", funnel.funnel_rows, name="funnel_rows"),
    path("funnel/export.csv", funnel.funnel_csv, name="funnel_csv"),
    path("adoption/", adoption.adoption, name="adoption"),
    path("adoption/rows/", adoption.adoption_rows, name="adoption_rows"),
    path("adoption/burden/", burden.meter, name="burden"),
    path("adoption/burden/rows/", burden.meter_rows, name="burden_rows"),
    path("adoption/pulse/", pulse.pulse, name="pulse"),
    path("week/", week.week, name="week"),
    path("week/rows/", week.week_rows, name="week_rows"),
    path("day/", week.day, name="day"),
    path("settings/soft-landing/", adoption.soft_landing, name="soft_landing"),
    path("value-chain/", chain.chain, name="chain"),
    path("value-chain/rows/", chain.chain_rows, name="chain_rows"),
    path("value-chain/accounts/<int:pk>/", chain.account_lineage, name="lineage"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export.csv", audit.audit_csv, name="audit_csv"),
    path("audit/verify", audit.audit_verify, name="audit_verify"),
    path("audit/evaluations/<int:pk>/", audit.evaluation, name="evaluation"),
]

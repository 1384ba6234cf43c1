"""The one place of every metric: tables in, tables out.

Nothing here knows Django, a database or the clock. The package imports NumPy, its parent module does
not: import `fairlead.analytics.funnel` and its siblings inside the function that needs them, so that a
web process that never shows a figure never loads it. Definitions people agreed on: docs/metrics.md.
"""

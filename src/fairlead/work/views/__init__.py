"""Activities, comments, tasks and files about any record, by its kind and id. Thin over the services.

Each form is a page of its own and, for HTMX, the inside of the dialog. What is refused comes back with all
that was typed.
"""

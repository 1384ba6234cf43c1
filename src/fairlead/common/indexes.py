"""Indexes that mean the same on both engines."""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement


class EmptyLast(models.Index):
    """An index whose descending columns end with what is empty, as the lists do. SQLite has it so; PostgreSQL
    begins with NULL and then cannot use the index for an order that ends with it."""

    def create_sql(
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **kwargs: Any,
    ) -> Statement:
        statement = super().create_sql(model, schema_editor, using, **kwargs)
        if schema_editor.connection.vendor == "postgresql":
            columns: Any = statement.parts["columns"]
            columns.col_suffixes = ["DESC NULLS LAST" if s == "DESC" else s for s in columns.col_suffixes]
        return statement

"""Tasks, activities, files and comments, attached to any record."""

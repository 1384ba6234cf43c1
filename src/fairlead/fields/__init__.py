"""The catalogue of every field, built in and custom; conditions over it; masks."""

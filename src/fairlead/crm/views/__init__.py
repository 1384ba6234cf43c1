"""Pages of the CRM."""

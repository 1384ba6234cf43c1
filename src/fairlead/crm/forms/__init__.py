"""What people send to the CRM, read and checked."""
